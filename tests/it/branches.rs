//! What would have been: a fault put in at any moment leaves the past as it was, and its printed line finds the same run.

use mqlab::lab::fault::moment;
use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{Scenario, library, load};
use mqlab::lab::sim::session::{RunResult, Session};
use mqlab::lab::trace::record::{Fault, Level, What};
use mqlab::lab::tui::app::App;
use mqlab::lab::tui::{Options, branch, render};
use ratatui::crossterm::event::KeyCode;

fn lesson(name: &str, edits: &[String]) -> Scenario {
    let text = library::text(name).expect("in the library");
    let changes = Overrides { edits: edits.to_vec(), ..Overrides::default() };
    load(&format!("{name}.toml"), text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}"))
}

fn run(scenario: &Scenario) -> RunResult {
    Session::run(&scenario.plan, Level::Full)
}

#[test]
fn a_fault_put_in_at_a_moment_changes_nothing_before_it() {
    let plain = run(&lesson("17-power-loss", &[]));
    let mut met = 0;
    for at in 0..plain.trace.steps() {
        let edit = branch::dated("+pause broker-a for 1ms", &plain.trace, at);
        let edited = run(&lesson("17-power-loss", std::slice::from_ref(&edit)));
        let (before, after) = (plain.trace.before(at), edited.trace.before(at));
        assert_eq!(before, after, "{edit}");
        let begun = |what: &What| matches!(what, What::Fault(Fault::Begun { name, .. }) if *name == "pause-broker-a");
        let begins = edited.trace.records().iter().find(|record| begun(&record.what));
        let begins = begins.unwrap_or_else(|| panic!("{edit} never begins")).step;
        assert!(at <= begins, "{edit}: begins in #{begins}");
        met += u64::from(at == begins);
    }
    // Where several things are due in one nanosecond, those that are due already go first.
    let all = plain.trace.steps();
    assert!(all * 9 / 10 < met, "{met} of {all} begin at the very moment");
}

#[test]
fn a_moment_as_it_is_written_is_found_again() {
    let plain = run(&lesson("01-first-message", &[]));
    for at in 0..plain.trace.steps() {
        let written = moment::written(&plain.trace, at);
        let trigger = moment::parse(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(moment::find(&trigger, &plain.trace), Some(at), "{written}");
    }
}

#[test]
fn what_is_turned_off_never_begins_and_keeps_its_name() {
    let result = run(&lesson("17-power-loss", &["-outage".to_owned()]));
    let begins = |what: &What| matches!(what, What::Fault(Fault::Begun { name, .. }) if *name == "outage");
    assert!(!result.trace.records().iter().any(|record| begins(&record.what)));
}

/// Types into the app.
fn press(app: &mut App, keys: &str) {
    keys.chars().for_each(|key| app.press(if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) }));
}

fn screen(app: &App) -> String {
    let buffer = render(app, 100, 30);
    let rows = (0..30).map(|y| (0..100).map(|x| buffer[(x, y)].symbol()).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

fn open(name: &str) -> App {
    let mut app =
        App::new(vec![lesson(name, &[])], Options { lang: Lang::En, color: false, unicode: false, mouse: false });
    app.open(0);
    app
}

#[test]
fn the_player_branches_keeps_both_futures_and_prints_the_command() {
    let mut app = open("17-power-loss");
    press(&mut app, ":40\n");
    let before = screen(&app);
    press(&mut app, "f");
    let menu = screen(&app);
    for part in ["+kill broker-a", "+power-loss broker-a", "+cut shop broker-a for 30s", "the process shop dies"] {
        assert!(menu.contains(part), "{part} in\n{menu}");
    }
    press(&mut app, "\n");
    let branched = screen(&app);
    assert!(branched.contains("[2/2]") && branched.contains("ev 40/"), "{branched}");
    let player = app.player.as_ref().unwrap();
    let command = player.scenario.command();
    assert!(command.starts_with("mqlab run 17-power-loss --seed 2018 --edit '+kill broker-a @nth("), "{command}");
    // The line of the command alone is enough to find the same run.
    let edits = player.scenario.origin.changes.edits.clone();
    assert_eq!(run(&lesson("17-power-loss", &edits)).trace, player.trace);
    press(&mut app, "y");
    assert!(screen(&app).contains("mqlab run 17-power-loss --seed 2018 --edit"));
    // The other future is still there.
    press(&mut app, "t");
    let tree = screen(&app);
    assert!(tree.contains("as the scenario has it") && tree.contains("  +kill broker-a @nth("), "{tree}");
    press(&mut app, "k\n");
    // All but the head, which numbers the branches.
    let below = |screen: &str| screen.split_once('\n').map(|(_, rows)| rows.to_owned());
    assert_eq!(below(&screen(&app)), below(&before), "the first branch is as it was");
}

#[test]
fn what_is_typed_may_be_an_edit_and_a_wrong_one_is_answered() {
    let mut app = open("01-first-message");
    press(&mut app, ":20\n:+kil broker-a\n");
    assert!(screen(&app).contains("did you mean `kill`?"));
    press(&mut app, ":+cut shop broker-a for 2s\n");
    assert!(app.branches.as_ref().is_some_and(|branches| branches.all.len() == 2));
    let result = &app.player.as_ref().unwrap().trace;
    let cut = |what: &What| matches!(what, What::Fault(Fault::Ended { name }) if *name == "cut-shop-broker-a");
    assert!(result.records().iter().any(|record| cut(&record.what)), "it heals by itself");
}
