//! The player's time: breakpoints, bookmarks, marks, what followed, branches side by side, the clipboard, themes, motion.

use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::trace::record::{Machine, What};
use mqlab::lab::tui::app::App;
use mqlab::lab::tui::theme::Theme;
use mqlab::lab::tui::{Options, keys, render};
use ratatui::crossterm::event::KeyCode;
use ratatui::style::Color;

fn open(name: &str, lang: Lang) -> App {
    let text = library::text(name).expect("in the library");
    let scenario = load(name, text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}"));
    let mut app = App::new(vec![scenario], Options { lang, color: false, unicode: false, mouse: false });
    app.open(0);
    app
}

fn screen(app: &App) -> String {
    let buffer = render(app, 120, 36);
    let rows = (0..36).map(|y| (0..120).map(|x| buffer[(x, y)].symbol()).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

fn press(app: &mut App, keys: &str) -> String {
    keys.chars().for_each(|key| app.press(if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) }));
    screen(app)
}

fn at(app: &App) -> u64 {
    app.player.as_ref().unwrap().at
}

/// Goes to the line of the menu that has this in it, and presses Enter there.
fn choose(app: &mut App, part: &str) -> String {
    let menu = app.menu.as_ref().expect("a menu is up");
    let place = menu.lines.iter().position(|line| line.contains(part));
    let place = place.unwrap_or_else(|| panic!("{part} in {:#?}", menu.lines));
    press(app, &"j".repeat(place));
    press(app, "\n")
}

fn dies(app: &App) -> u64 {
    let records = app.player.as_ref().unwrap().trace.records().iter();
    let is = |what: &What| matches!(what, What::Machine(Machine::PowerLost { .. }));
    records.clone().find(|record| is(&record.what)).unwrap().step + 1
}

#[test]
fn a_breakpoint_is_chosen_or_typed_and_time_goes_on_to_it_and_back() {
    let mut app = open("17-power-loss", Lang::En);
    assert!(press(&mut app, "c").contains("no breakpoint is set: b sets one"));
    let menu = press(&mut app, "b");
    assert!(menu.contains("Where to stop?") && menu.contains("broker-a down") && menu.contains("type one"), "{menu}");
    assert!(choose(&mut app, "broker-a down").contains("breakpoint at `broker-a down`, true 1 times"));
    press(&mut app, "c");
    assert_eq!(at(&app), dies(&app));
    // The lesson's question is open until it is answered, and letters answer it.
    press(&mut app, "a");
    assert!(press(&mut app, ".c").contains("no breakpoint is met from here to the end"));
    press(&mut app, "b");
    choose(&mut app, "type one");
    assert!(press(&mut app, "m3 lost").contains("stop when: m3 lost_"));
    assert!(press(&mut app, "\n").contains("`m3 lost`, true 1 times"));
    press(&mut app, "c");
    assert!(dies(&app) < at(&app));
    let back = press(&mut app, "C");
    assert_eq!(at(&app), dies(&app));
    assert!(back.contains("broker-a down"), "which one it was: {back}");
    press(&mut app, "b");
    assert!(choose(&mut app, "x broker-a down").contains("no breakpoint at `broker-a down` any more"));
    press(&mut app, "gc");
    assert!(dies(&app) < at(&app), "only the other is left");
    // There is a question here, too.
    press(&mut app, "a.b");
    choose(&mut app, "type one");
    assert!(press(&mut app, "lag > x\n").contains("column 7: `x` is no number of messages; e.g. lag > 10"));
}

#[test]
fn playing_stops_at_a_breakpoint_and_jumps_there_where_motion_is_reduced() {
    let mut app = open("17-power-loss", Lang::En);
    press(&mut app, ":first:send-ok\n");
    let first = at(&app);
    app.player.as_mut().unwrap().toggle_breakpoint("m3 stored");
    press(&mut app, " ");
    let mut ticks = 0;
    while app.player.as_ref().unwrap().playing {
        app.tick();
        ticks += 1;
    }
    let there = at(&app);
    assert!(first < there && app.player.as_ref().unwrap().stops.breakpoints[0].moments.contains(&there));
    assert!(1 < ticks);
    app.reduced_motion = true;
    app.player.as_mut().unwrap().go(first);
    press(&mut app, " ");
    app.tick();
    assert_eq!((at(&app), app.player.as_ref().unwrap().playing), (there, false), "one tick for many");
}

#[test]
fn letters_answer_an_open_question_and_are_keys_again_behind_it() {
    let mut app = open("17-power-loss", Lang::En);
    press(&mut app, "]]");
    assert!(press(&mut app, "b").contains("b) "), "an answer");
    assert!(app.menu.is_none());
    assert!(press(&mut app, "c").contains("+ c) right."));
    press(&mut app, ".");
    press(&mut app, "b");
    assert!(app.menu.is_some(), "the question is answered and time has gone on");
}

#[test]
fn marks_are_narration_faults_violations_and_bookmarks() {
    let mut app = open("17-power-loss", Lang::En);
    press(&mut app, ":25\nm");
    assert!(screen(&app).contains("bookmark, a note: _"), "{}", screen(&app));
    assert!(press(&mut app, "before the outage\n").contains("bookmark at #25"));
    press(&mut app, "g");
    let mut seen = Vec::new();
    while at(&app) < app.player.as_ref().unwrap().end() {
        let shown = press(&mut app, "]");
        seen.push(at(&app));
        assert_eq!(shown.contains("bookmark before the outage"), at(&app) == 25, "{shown}");
    }
    let stops = app.player.as_ref().unwrap().stops.clone();
    assert!(!stops.violations.is_empty() && !stops.faults.is_empty());
    for wanted in stops.violations.iter().map(|(_, at)| *at).chain(stops.faults.clone()).chain([25]) {
        assert!(seen.contains(&wanted), "{wanted} in {seen:?}");
    }
    let mut back = Vec::new();
    while 0 < at(&app) {
        back.push(at(&app));
        press(&mut app, "[");
    }
    back.reverse();
    assert_eq!(back, seen, "the same marks backwards");
    // The same key takes it away; Esc leaves none.
    assert!(press(&mut app, ":25\nm").contains("no bookmark at #25 any more"));
    press(&mut app, "m");
    app.press(KeyCode::Esc);
    assert!(app.player.as_ref().unwrap().stops.bookmarks.is_empty());
    press(&mut app, ":12\n");
    assert_eq!(at(&app), 12, "what is typed is a place again");
}

#[test]
fn what_followed_is_a_tree_whose_lines_lead_there() {
    let mut app = open("01-first-message", Lang::En);
    assert!(press(&mut app, "W").contains("nothing has happened yet"));
    press(&mut app, ":first:call-send\n.");
    let step = app.player.as_ref().unwrap().trace.records().iter().find(|r| r.what.kind() == "call-send").unwrap().step;
    press(&mut app, &format!(":{}\n", step + 1));
    let menu = press(&mut app, "W");
    assert!(menu.contains("What followed?"), "{menu}");
    let lines = app.menu.as_ref().unwrap().lines.clone();
    for part in ["appends", "listener"] {
        assert!(lines.iter().any(|line| line.contains(part)), "{part} in {lines:#?}");
    }
    let depth = |line: &String| line.len() - line.trim_start().len();
    assert!(lines.iter().any(|line| 4 < depth(line)), "hops deepen it: {lines:#?}");
    choose(&mut app, "appends");
    let player = app.player.as_ref().unwrap();
    assert!(player.trace.step(player.at - 1).iter().any(|record| record.what.kind() == "appended"));
}

#[test]
fn two_branches_stand_side_by_side() {
    let mut app = open("17-power-loss", Lang::En);
    assert!(press(&mut app, "D").contains("this run has one branch"));
    press(&mut app, ":28\n:+kill broker-a\n");
    let shown = press(&mut app, "D");
    assert!(shown.contains("What differs?") && shown.contains("they part at #"), "{shown}");
    let lines = app.menu.as_ref().unwrap().lines.clone();
    assert!(
        lines[0].starts_with("+kill broker-a @nth(") && lines[0].ends_with("| as the scenario has it"),
        "{}",
        lines[0]
    );
    assert!(lines.iter().any(|line| line.starts_with("- ") && line.contains("| #")), "only there: {lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with('#') && line.ends_with("| -")), "only here: {lines:#?}");
    choose(&mut app, "they part at #");
    let parted = at(&app);
    assert!((20..=29).contains(&parted), "{parted}");
    press(&mut app, ":+pause shop for 2s\nD");
    assert!(screen(&app).contains("Compare with which branch?"), "{}", screen(&app));
    choose(&mut app, "as the scenario has it");
    assert!(screen(&app).contains("What differs?"));
    // What was set goes along to another branch.
    app.press(KeyCode::Esc);
    app.player.as_mut().unwrap().toggle_breakpoint("broker-a down");
    press(&mut app, "tk\n");
    assert_eq!(app.player.as_ref().unwrap().stops.breakpoints.len(), 1);
}

#[test]
fn the_command_is_copied_and_shown() {
    let mut app = open("17-power-loss", Lang::En);
    assert!(press(&mut app, "y").contains("mqlab run 17-power-loss --seed 2018"));
    assert_eq!(app.copied.as_deref(), Some("mqlab run 17-power-loss --seed 2018"));
}

#[test]
fn a_wrong_place_is_told_with_its_column() {
    let mut app = open("17-power-loss", Lang::En);
    assert!(press(&mut app, ":first:apend\n").contains("(column 7): did you mean `append`?"));
    assert!(press(&mut app, ":nonsense\n").contains("no event, time or message `nonsense` (column 1): try 31, 1.25s"));
    let mut app = open("17-power-loss", Lang::Zh);
    press(&mut app, ":nonsense\n");
    assert!(app.player.as_ref().unwrap().note.as_ref().unwrap().zh.contains("第 1 列"));
}

#[test]
fn every_theme_draws_and_mono_has_no_colour() {
    let mut app = open("17-power-loss", Lang::En);
    app.options.color = true;
    press(&mut app, ":violation\n");
    for (name, theme) in mqlab::lab::tui::theme::ALL {
        app.theme = theme;
        let colours: Vec<Color> = render(&app, 80, 24).content.iter().map(|cell| cell.fg).collect();
        assert_eq!(colours.iter().any(|colour| *colour != Color::Reset), theme != Theme::Mono, "{name}");
    }
}

#[test]
fn every_key_of_the_table_does_something_or_is_a_pair() {
    for binding in keys::PLAYER {
        let mut app = open("17-power-loss", Lang::En);
        press(&mut app, ":30\n");
        let before = format!("{app:?}");
        for key in binding.key.split(' ') {
            match keys::pressed(binding) {
                Some(code) => app.press(code),
                None => press(&mut app, &key[..1]).clear(),
            }
        }
        // A pair of opposite keys leads back to where it was; this scenario has one shape.
        let is_pair = ["j k", "+ -", "a b c", "[", "c C", "v", "1-6", "Tab"].contains(&binding.key);
        assert!(is_pair || format!("{app:?}") != before || app.left(), "{}", binding.key);
    }
}
