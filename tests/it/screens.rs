//! The terminal, drawn into buffers: complete at 80x24, never a panic, the past looks the same every time.

use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::{Scenario, library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::{App as Port, Level, What};
use mqlab::lab::tui::app::App;
use mqlab::lab::tui::{Options, click, render};
use mqlab::lab::view::life::Life;
use mqlab::lab::view::lines::Handles;
use mqlab::lab::view::story;
use mqlab::mq::app::Return;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::style::Color;

/// The place of `17-power-loss` in the library.
fn power_loss() -> usize {
    library::names().position(|name| name == "17-power-loss").expect("a lesson")
}

fn app(lang: Lang, open: Option<usize>) -> App {
    let load = |(name, text): &(&str, &str)| {
        load(name, text.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"))
    };
    let scenarios: Vec<Scenario> = library::ALL.iter().map(load).collect();
    let mut app = App::new(scenarios, Options { lang, color: false, unicode: false, mouse: false });
    if let Some(place) = open {
        app.open(place);
    }
    app
}

fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in 0..area.height {
        for x in 0..area.width {
            out.push_str(buffer[(x, y)].symbol());
        }
        out.push('\n');
    }
    out
}

fn screen(app: &App) -> String {
    text(&render(app, 80, 24))
}

fn press(app: &mut App, keys: &str) {
    keys.chars().for_each(|key| app.press(if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) }));
}

#[test]
fn every_size_from_1x1_to_130x40_is_drawn() {
    for lang in [Lang::En, Lang::Zh] {
        let mut apps = vec![app(lang, None)];
        for (place, moment) in [(0, 0), (0, 142), (1, 19), (2, 64), (2, 100_000)] {
            let mut app = app(lang, Some(place));
            app.player.as_mut().unwrap().go(moment);
            apps.push(app);
        }
        apps.push({
            let mut app = apps[1].clone();
            app.help = Some(0);
            app
        });
        for (number, app) in apps.iter().enumerate() {
            for width in 1..=130 {
                for height in (1..=40).skip((width as usize + number) % 2).step_by(if number < 3 { 1 } else { 2 }) {
                    render(app, width, height);
                }
            }
        }
    }
}

#[test]
fn the_list_names_every_scenario_and_opens_the_player() {
    let mut app = app(Lang::En, None);
    press(&mut app, "jj\n");
    // More than 24 rows hold: the list scrolls there.
    let list = text(&render(&app, 80, 60));
    for name in library::names() {
        assert!(list.contains(name), "{name} in\n{list}");
    }
    press(&mut app, "j\n");
    // Somebody's first lesson shows few keys: `first_lesson.rs`.
    app.is_first = false;
    let player = screen(&app);
    for part in ["02-wrong-address", "Cluster", "Timeline", "Message", "Question", "PAUSED", "Space play", "ev 0/"] {
        assert!(player.contains(part), "{part} in\n{player}");
    }
    app.press(KeyCode::Esc);
    assert!(app.player.is_none() && screen(&app).contains("All lessons"), "{}", screen(&app));
    app.press(KeyCode::Esc);
    assert!(screen(&app).contains("What to do"), "{}", screen(&app));
    press(&mut app, "q");
    assert!(app.left());
}

#[test]
fn stepping_back_shows_the_very_screen_that_was_there() {
    for place in 0..library::ALL.len() {
        let mut app = app(Lang::En, Some(place));
        let end = app.player.as_ref().unwrap().end();
        // Every step is taken both ways; of a long run some screens are looked at.
        let is_seen = |at: u64| at.is_multiple_of(1 + end / 250);
        let mut screens = Vec::new();
        for at in 0..end {
            screens.push(is_seen(at).then(|| screen(&app)));
            press(&mut app, ".");
        }
        assert_eq!(app.player.as_ref().unwrap().at, end);
        press(&mut app, ".");
        for before in screens.iter().rev() {
            press(&mut app, ",");
            assert!(before.as_ref().is_none_or(|before| screen(&app) == *before));
        }
        press(&mut app, ",");
        assert_eq!(app.player.as_ref().unwrap().at, 0);
    }
}

#[test]
fn keys_go_where_they_say() {
    let mut app = app(Lang::En, Some(power_loss()));
    let at = |app: &App| app.player.as_ref().unwrap().at;
    press(&mut app, "G");
    let end = at(&app);
    assert!(screen(&app).contains("acked-is-durable"), "{}", screen(&app));
    press(&mut app, "g");
    assert_eq!(at(&app), 0);
    press(&mut app, ":31\n");
    assert_eq!(at(&app), 31);
    press(&mut app, ":1.25s\n");
    assert!(screen(&app).contains("t=1.250s"), "{}", screen(&app));
    press(&mut app, ":m3\n");
    assert!(screen(&app).contains("Message m3 order-3"), "{}", screen(&app));
    press(&mut app, ":after:fault:outage\n");
    assert!(screen(&app).contains("no power"), "{}", screen(&app));
    press(&mut app, ":nonsense\n");
    assert!(screen(&app).contains("no event, time or message `nonsense`"), "{}", screen(&app));
    press(&mut app, "g]");
    assert!(screen(&app).contains("Lesson, step 1 of 4"), "{}", screen(&app));
    press(&mut app, " ");
    (0..100_000).for_each(|_| app.tick());
    assert!(at(&app) < end, "playing stops at the next mark");
    press(&mut app, "?");
    assert!(screen(&app).contains("Keys"), "{}", screen(&app));
    press(&mut app, "xL");
    assert!(screen(&app).contains("集"), "{}", screen(&app));
}

#[test]
fn a_prediction_is_asked_answered_and_explained() {
    let mut app = app(Lang::En, Some(power_loss()));
    press(&mut app, "]]");
    assert!(screen(&app).contains("a) 10  b) between 1 and 9  c) none"), "{}", screen(&app));
    press(&mut app, "e");
    assert!(screen(&app).contains("a) 10"), "there is no fifth choice\n{}", screen(&app));
    press(&mut app, "a");
    assert!(screen(&app).contains("! a) not so."), "{}", screen(&app));
    press(&mut app, "c");
    assert!(screen(&app).contains("+ c) right. None."), "{}", screen(&app));
}

#[test]
fn without_colour_there_is_none() {
    let mut app = app(Lang::En, Some(power_loss()));
    app.player.as_mut().unwrap().go(66);
    let plain = render(&app, 80, 24);
    assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    app.options.color = true;
    assert!(render(&app, 80, 24).content.iter().any(|cell| cell.fg != Color::Reset));
}

#[test]
fn narration_turns_to_what_it_speaks_of_and_a_small_screen_shows_that() {
    let mut app = app(Lang::En, Some(0));
    let small = |app: &App| text(&render(app, 60, 16));
    assert!(small(&app).contains("> Timeline") && !small(&app).contains("Cluster"), "{}", small(&app));
    press(&mut app, "]");
    assert!(small(&app).contains("> Cluster") && small(&app).contains("log 0  flushed 0"), "{}", small(&app));
    app.press(KeyCode::Tab);
    assert!(small(&app).contains("> Message m1 order-1  not sent yet"), "{}", small(&app));
    press(&mut app, "jjk");
    assert!(small(&app).contains("Message m2 order-2"), "{}", small(&app));
    press(&mut app, ":first:append\n");
    press(&mut app, ".");
    assert_eq!(app.player.as_ref().unwrap().message, 0, "the step of narration looks at m1\n{}", small(&app));
}

#[test]
fn a_message_tells_its_life_at_every_moment() {
    let mut app = app(Lang::En, Some(power_loss()));
    let cases = [
        ("0", "not sent yet", "sent -- > stored -- > flushed -- > acked -- > delivered --"),
        (":after:first:append\n", "STORED, NOT ACKED", "orders/1 #0 broker-a commitlog @0 len 190"),
        (":after:first:send-ok\n", "ACKED, NOT DURABLE", "> acked 0.669 >"),
        (":after:fault:outage\n", "ACKED, NOT DURABLE", "POWER LOST"),
        ("G", "LOST", "flushed --"),
    ];
    for (keys, state, part) in cases {
        press(&mut app, keys);
        let screen = screen(&app);
        assert!(screen.contains(&format!("Message m1 order-1  {state}")) && screen.contains(part), "{keys}\n{screen}");
    }
    let mut app = self::app(Lang::En, Some(0));
    press(&mut app, "G");
    assert!(screen(&app).contains("m1 order-1  CONSUMED") && screen(&app).contains("flushed 40."), "{}", screen(&app));
    let mut app = self::app(Lang::En, Some(1));
    press(&mut app, "G");
    assert!(screen(&app).contains("m1 order-1  SEND FAILED"), "{}", screen(&app));
}

#[test]
fn the_prompt_knows_faults_checks_and_what_people_say() {
    let mut app = app(Lang::En, Some(power_loss()));
    let at = |app: &App| app.player.as_ref().unwrap().at;
    press(&mut app, ":outage\n");
    let outage = at(&app);
    press(&mut app, ":before:fault:outage\n");
    assert_eq!(at(&app), outage);
    press(&mut app, ":acked-is-durable\n");
    let witness = at(&app);
    press(&mut app, ":violation\n");
    assert_eq!(at(&app), witness);
    press(&mut app, ":first send-ok\n");
    let said = at(&app);
    press(&mut app, ":first:send-ok\n");
    assert_eq!((at(&app), said), (20, 20));
    press(&mut app, ":99999\n");
    assert!(screen(&app).contains("the run ends at #"), "{}", screen(&app));
    for odd in ["", "#", "m0", "m", "-1", "1e9s", "nth(0):append", "断电", "99999999999999999999999"] {
        press(&mut app, &format!(":{odd}\n"));
        assert!(screen(&app).contains("no event, time or message"), "{odd}\n{}", screen(&app));
    }
}

#[test]
fn the_way_out_stands_in_the_bar_of_the_smallest_screen() {
    for (lang, (width, height)) in [(Lang::En, (60, 16)), (Lang::Zh, (60, 16)), (Lang::En, (80, 24))] {
        // The second half of a wide character is an empty cell.
        let screen = text(&render(&app(lang, Some(0)), width, height));
        let bar = screen.lines().last().unwrap();
        for key in [" Space ", " . ", " , ", " : ", " ? ", " q "] {
            assert!(bar.contains(key), "{key} in {bar}");
        }
    }
}

#[test]
fn at_the_end_every_check_has_its_line() {
    for lang in [Lang::En, Lang::Zh] {
        for place in 0..library::ALL.len() {
            let mut app = app(lang, Some(place));
            press(&mut app, "G");
            // What one page has no room for stands on the next.
            let mut pages = screen(&app);
            for _ in 0..3 {
                press(&mut app, "J");
                pages.push_str(&screen(&app));
            }
            for finding in app.player.as_ref().unwrap().findings.iter().filter(|finding| finding.asked) {
                assert!(pages.contains(&finding.id), "{}\n{pages}", finding.id);
            }
        }
    }
}

#[test]
fn the_mouse_steps_opens_and_presses() {
    let event = |kind, column, row| MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    let left = MouseEventKind::Down(MouseButton::Left);
    let mut app = app(Lang::En, None);
    let at = |app: &App| app.player.as_ref().map(|player| player.at);
    click(&mut app, event(MouseEventKind::ScrollDown, 0, 0), 80, 24);
    assert_eq!(app.home.chosen, 1);
    click(&mut app, event(left, 5, 5), 80, 24);
    assert!(at(&app).is_none() && screen(&app).contains("First steps"), "the lessons: {}", screen(&app));
    click(&mut app, event(left, 5, 3), 80, 24);
    assert!(at(&app).is_none(), "a track's name opens nothing");
    click(&mut app, event(left, 5, 6), 80, 24);
    assert!(screen(&app).contains("03-topic-birth"), "{}", screen(&app));
    assert_eq!(at(&app), Some(0));
    app.is_first = false;
    click(&mut app, event(MouseEventKind::ScrollDown, 0, 0), 80, 24);
    click(&mut app, event(MouseEventKind::ScrollDown, 0, 0), 80, 24);
    click(&mut app, event(MouseEventKind::ScrollUp, 0, 0), 80, 24);
    assert_eq!(at(&app), Some(1));
    let row = screen(&app).lines().position(|line| line.contains("* booted")).unwrap() as u16;
    click(&mut app, event(left, 40, row + 1), 80, 24);
    assert_eq!(at(&app), Some(2), "{}", screen(&app));
    let bar = screen(&app).lines().last().unwrap().find(" , back").unwrap() as u16;
    click(&mut app, event(left, bar + 2, 23), 80, 24);
    assert_eq!(at(&app), Some(1));
    for column in 0..130 {
        for row in 0..40 {
            click(&mut app, event(left, column, row), 100, 30);
            click(&mut app, event(left, column, row), 7, 3);
        }
    }
}

/// Three senders that wait for the same route: their sends go out in one step.
const TOGETHER: &str = r#"
format = 1
id = "t"
seed = 1
until = "20s"
title = "t"
question = "t"
[[broker]]
name = "broker-a"
[[topic]]
name = "orders"
queues = 4
[[producer]]
name = "one"
process = "shop"
group = "ones"
start = "5s"
[[producer.send]]
topic = "orders"
key = "first"
[[producer]]
name = "two"
process = "shop"
group = "twos"
start = "5s"
[[producer.send]]
topic = "orders"
key = "second"
[[producer]]
name = "three"
process = "shop"
group = "threes"
start = "5s"
[[producer.send]]
topic = "orders"
key = "third"
"#;

#[test]
fn each_of_several_sends_of_one_step_has_a_life_of_its_own() {
    let plan = load("t", TOGETHER.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    let trace = Session::run(&plan, Level::Full).trace;
    let handles = Handles::of(&trace);
    let end = trace.steps();
    let mut places = Vec::new();
    for number in 0..3 {
        let life = Life::of(&trace, &handles, number);
        let (_, message) = &handles.messages[number];
        let place = life.place(end).unwrap_or_else(|| panic!("{message:?} has no record"));
        let uid = life.uid(end).expect("it was acknowledged");
        let result = trace.records().iter().find_map(|record| match &record.what {
            What::App(Port::Returned(answer)) => match &**answer {
                Return::Sent { result, .. } if result.msg_id == *uid => Some(result.clone()),
                _ => None,
            },
            _ => None,
        });
        let result = result.unwrap();
        let offset = i64::from_str_radix(&result.offset_msg_id[16..], 16).unwrap();
        assert_eq!(place.at, offset, "{message:?}");
        let story = story::of(&trace, &handles, number, Lang::En);
        assert_eq!(story.iter().filter(|line| line.kind == "appended").count(), 1, "{story:#?}");
        assert_eq!(story.iter().filter(|line| line.kind == "queued").count(), 1, "{story:#?}");
        places.push(offset);
    }
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 3);
}

#[test]
fn titles_stand_in_line_behind_names_of_any_length_and_faults_speak_chinese() {
    let mut first = app(Lang::En, None);
    press(&mut first, "jj\n");
    let list = text(&render(&first, 80, 60));
    let columns: std::collections::BTreeSet<usize> = library::ALL
        .iter()
        .filter_map(|(name, text)| {
            let title = load(name, text.as_bytes(), &Default::default()).ok()?.lesson.title.en;
            list.lines().find(|line| line.contains(name))?.find(&title)
        })
        .collect();
    assert_eq!(columns.len(), 1, "{columns:?}\n{list}");
    let app = app(Lang::Zh, Some(power_loss()));
    let player = app.player.as_ref().unwrap();
    let lines = mqlab::lab::view::lines::of(&player.trace, &player.handles, Lang::Zh);
    let begun: Vec<&str> =
        lines.iter().filter(|line| line.kind == "fault-begun").map(|line| line.text.as_str()).collect();
    assert_eq!(begun, ["断电 broker-a", "重启 broker-a"]);
}
