//! Conditions to stop at: what may be written, when each is true, and what is said of a wrong one.

use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{Level, Machine, What};
use mqlab::lab::view::conditions::{self, Run};
use mqlab::lab::view::lines::Handles;
use mqlab::mq::fact::Fact;

fn run(name: &str) -> Trace {
    let plan = load(name, library::text(name).unwrap().as_bytes(), &Overrides::default()).unwrap().plan;
    Session::run(&plan, Level::Full).trace
}

/// The moments of a condition.
fn moments(trace: &Trace, violations: &[(String, u64)], text: &str) -> Vec<u64> {
    let handles = Handles::of(trace);
    let run = Run { trace, handles: &handles, violations };
    conditions::parse(text, run).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}")).moments(run)
}

/// The moments behind the records that are as asked.
fn behind(trace: &Trace, is_it: impl Fn(&What) -> bool) -> Vec<u64> {
    let mut all: Vec<u64> =
        trace.records().iter().filter(|record| is_it(&record.what)).map(|record| record.step + 1).collect();
    all.dedup();
    all
}

#[test]
fn each_kind_of_condition_is_true_where_the_trace_says_so() {
    let trace = run("17-power-loss");
    let off = behind(&trace, |what| matches!(what, What::Machine(Machine::PowerLost { .. })));
    assert_eq!(moments(&trace, &[], "broker-a down"), off);
    let up = moments(&trace, &[], "broker-a up");
    assert!(up.len() == 2 && up[0] < off[0] && off[0] < up[1], "it boots before and after: {up:?}");
    assert_eq!(moments(&trace, &[], "broker-a paused"), Vec::<u64>::new());
    let written = behind(&trace, |what| matches!(what, What::Fact(Fact::Appended { topic, .. }) if topic == "orders"));
    assert_eq!(moments(&trace, &[], "m1 stored"), written[..1]);
    let appended = behind(&trace, |what| matches!(what, What::Fact(Fact::Appended { .. })));
    assert_eq!(moments(&trace, &[], "append@broker-a"), appended);
    assert_eq!(moments(&trace, &[], "append@shop"), Vec::<u64>::new());
    assert_eq!(moments(&trace, &[], "order-10 LOST").len(), 1);
    assert_eq!(moments(&trace, &[], "m10 已丢失"), moments(&trace, &[], "m10 lost"));
    let [late] = moments(&trace, &[], "1.25s")[..] else { panic!("one moment") };
    assert!(trace.time(late).0 >= 1_250_000_000 && trace.time(late - 1).0 < 1_250_000_000);
    assert_eq!(moments(&trace, &[], "fault outage"), moments(&trace, &[], "fault")[..1]);
    let broken = [("acked-is-durable".to_owned(), 40), ("other".to_owned(), 50)];
    assert_eq!(moments(&trace, &broken, "violation"), [40, 50]);
    assert_eq!(moments(&trace, &broken, "violated other"), [50]);
    assert_eq!(moments(&trace, &[], "violation"), Vec::<u64>::new());
}

#[test]
fn lag_is_what_is_queued_and_not_reported() {
    let trace = run("08-first-offset");
    let lags = conditions::lags(&trace);
    let (group, series) = lags.iter().max_by_key(|(_, series)| series.iter().map(|(_, lag)| *lag).max()).unwrap();
    let most = series.iter().map(|(_, lag)| *lag).max().unwrap();
    assert!(1 < most, "{lags:?}");
    assert!(series.iter().all(|(_, lag)| 0 <= *lag));
    let half = most / 2;
    let over = moments(&trace, &[], &format!("lag {group} > {half}"));
    let lag_at = |at: u64| series.iter().take_while(|(moment, _)| *moment <= at).last().map_or(0, |(_, lag)| *lag);
    assert!(!over.is_empty() && over.iter().all(|at| half < lag_at(*at) && lag_at(*at - 1) <= half), "{over:?}");
    assert_eq!(moments(&trace, &[], &format!("lag {group} >= {}", half + 1)), over, "the same in other words");
    assert_eq!(moments(&trace, &[], &format!("lag {group} > {most}")), Vec::<u64>::new());
    assert!(over.len() <= moments(&trace, &[], &format!("lag > {half}")).len(), "any group");
}

#[test]
fn what_is_wrong_is_told_with_its_column_and_examples() {
    let trace = run("17-power-loss");
    let handles = Handles::of(&trace);
    let run = Run { trace: &trace, handles: &handles, violations: &[] };
    for (text, column, part) in [
        ("", 1, "nothing is written"),
        ("lag", 4, "compared with `>`"),
        ("lag >", 6, "a number of messages is missing"),
        ("lag > ten", 7, "`ten` is no number"),
        ("lag nobody > 3", 5, "no group `nobody`"),
        ("lag < 3", 5, "not `<`"),
        ("lag > 3 4", 9, "`4` is one word too many"),
        ("broker-a", 9, "up, down or paused"),
        ("broker-a asleep", 10, "not `asleep`"),
        ("m1 deliverd", 4, "did you mean `delivered`?"),
        ("m1 somewhere", 4, "the states are sent, stored"),
        ("violation now", 11, "one word too many"),
        ("apend", 1, "did you mean `append`?"),
        ("断电", 1, "no condition"),
        ("1.25 parsecs", 1, "not a unit of time"),
        ("  broker-a  asleep", 13, "not `asleep`"),
    ] {
        let wrong = conditions::parse(text, run).unwrap_err();
        let told = wrong.told(text);
        assert_eq!(wrong.column(text), column, "{text}: {told:?}");
        assert!(told.en.contains(part), "{text}: {}", told.en);
        assert!(told.en.contains("e.g. ") || told.en.contains("did you mean"), "{}", told.en);
        assert!(told.zh.starts_with(&format!("第 {column} 列：")), "{}", told.zh);
    }
}

#[test]
fn what_is_offered_is_true_somewhere_and_can_be_typed() {
    for (name, expected) in [
        ("17-power-loss", &["violation", "fault", "broker-a down", "m1 lost", "append"][..]),
        ("01-first-message", &["send-ok", "deliver", "commit"]),
        ("24-master-dies", &["fault"]),
    ] {
        let trace = run(name);
        let handles = Handles::of(&trace);
        let violations = [("acked-is-durable".to_owned(), 40)];
        let violations = if name == "17-power-loss" { &violations[..] } else { &[] };
        let run = Run { trace: &trace, handles: &handles, violations };
        let ready = conditions::ready(run);
        for one in &ready {
            let condition = conditions::parse(&one.text, run).unwrap();
            assert_eq!(condition.moments(run).len(), one.times, "{one:?}");
            assert!(0 < one.times && !one.means.en.is_empty() && !one.means.zh.is_empty());
        }
        for text in expected {
            assert!(ready.iter().any(|one| one.text == *text), "{name}: {text} in {ready:?}");
        }
    }
}
