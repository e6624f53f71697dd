//! The repairs of transactions: each shown beside the release's behaviour that it repairs.

use mqlab::lab::check::Verdict;
use mqlab::lab::scenario::count::CountRule;
use mqlab::lab::scenario::plan::{Check, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, Road, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;
use mqlab::mq::profile::Profile;

use crate::transactions::{ONE, facts, finding, holds, known, plan, questions, script, violated};

/// A run as the release, and one with a single repair.
fn both(row: &str, text: &str) -> [(Trace, Plan); 2] {
    let fixed = Profile::with_fix(row).expect("the row has a switch");
    [Profile::FAITHFUL, fixed].map(|profile| run_as(profile, text))
}

fn run_as(profile: Profile, text: &str) -> (Trace, Plan) {
    let plan = Plan { profile, ..plan(text) };
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    (result.trace, plan)
}

fn deliveries(key: &str, count: u64) -> Check {
    Check::Deliveries { message: Some(key.into()), group: None, count: CountRule::exactly(count) }
}

/// Half messages that were given up or passed over, and why.
fn given_up(trace: &Trace) -> Vec<(i64, &'static str)> {
    facts(trace, |fact| match fact {
        Fact::HalfDiscarded { half, why } => Some((*half, *why)),
        _ => None,
    })
}

fn asked_at(trace: &Trace) -> Vec<u64> {
    questions(trace).iter().map(|(at, _)| *at).collect()
}

/// The producer's clock is set before it sends.
fn skewed(by: &str, wait: &str, immunity: &str) -> String {
    let rows =
        format!("{}{immunity}[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"commit\"]\n", ONE.replace("1s", wait));
    let rest =
        format!("[[fault]]\nname = \"skew\"\nat = \"31500ms\"\nclock-skew = {{ node = \"bank\", by = \"{by}\" }}\n");
    script("", &rows, &rest)
}

#[test]
fn a_half_message_is_as_old_as_its_producer_says_or_as_the_store_knows_k11() {
    // Three days and an hour behind: older than the log keeps anything, while it is 28 s old.
    let [(trace, plan), (repaired, same)] = both("K11", &skewed("-73h", "1s", ""));
    assert_eq!(given_up(&trace), [(0, "too-old")]);
    assert_eq!(asked_at(&trace), Vec::<u64>::new());
    assert_eq!(known(&trace, &plan, Check::TransactionResolved), (11, "forgotten"));
    // The same end is no weakness of a broker that has the repair.
    assert_eq!(violated(&trace, &same, Check::TransactionResolved), "forgotten");
    assert_eq!((given_up(&repaired), asked_at(&repaired)), (vec![], vec![60]));
    holds(&repaired, &same, Check::TransactionResolved);
    holds(&repaired, &same, Check::TransactionAtomic);
    holds(&repaired, &same, deliveries("t-1", 1));
}

#[test]
fn a_half_message_of_the_future_is_asked_for_at_once_or_in_its_time_k11() {
    // Stored at 55 s it is 5 s old in the round at 60 s.
    let [(trace, _), (repaired, _)] = both("K11", &skewed("1h", "24s", ""));
    assert_eq!((asked_at(&trace), asked_at(&repaired)), (vec![60], vec![120]));
}

#[test]
fn a_copy_keeps_the_age_of_the_first_k11() {
    // Copies of 60, 120 and 180 s would never be 150 s old.
    let [(trace, _), (repaired, _)] = both("K11", &skewed("1ms", "1s", "immunity = \"150s\"\n"));
    assert_eq!((asked_at(&trace), asked_at(&repaired)), (vec![240], vec![240]));
}

#[test]
fn a_delayed_half_message_is_diverted_or_delayed_when_it_is_committed_k21() {
    let text = |end: &str| script("", &format!("{ONE}delay_level = 2\n[[producer.on]]\nlocal = \"{end}\"\n"), "");
    let [(trace, plan), (repaired, same)] = both("K21", &text("commit"));
    let heard = |trace: &Trace| -> Vec<u64> {
        let heard = trace.records().iter().filter(|record| record.what.kind() == "listen");
        heard.map(|record| record.at.0 / 1_000_000_000).collect()
    };
    assert_eq!(heard(&trace), Vec::<u64>::new());
    assert_eq!(known(&trace, &plan, Check::TransactionAtomic), (21, "diverted"));
    assert_eq!(known(&trace, &plan, Check::TransactionResolved), (21, "diverted"));
    assert_eq!(violated(&trace, &same, Check::TransactionResolved), "diverted");
    // Level 2 is five seconds, and the transaction is committed at once.
    assert_eq!(heard(&repaired), [37]);
    holds(&repaired, &same, deliveries("t-1", 1));
    holds(&repaired, &same, Check::HalfInvisible);
    holds(&repaired, &same, Check::TransactionAtomic);
    holds(&repaired, &same, Check::TransactionResolved);
    let [_, (repaired, same)] = both("K21", &text("rollback"));
    assert_eq!(heard(&repaired), Vec::<u64>::new());
    holds(&repaired, &same, Check::TransactionAtomic);
}

#[test]
fn a_committed_message_that_still_waits_for_its_delay_is_not_taken_for_a_diverted_one_k21() {
    // Level 18 is two hours: the run ends before.
    let rows = format!("{ONE}delay_level = 18\n[[producer.on]]\nlocal = \"commit\"\n");
    let [_, (repaired, same)] = both("K21", &script("", &rows, ""));
    holds(&repaired, &same, Check::TransactionAtomic);
    holds(&repaired, &same, Check::TransactionResolved);
}

#[test]
fn a_compressed_half_message_that_is_put_back_stops_every_round_or_is_read_again_k22() {
    // t-1 is compressed: its copy is stored inflated under a flag that says deflated. t-2 comes behind it.
    let second = ONE.replace("1s", "60s").replace("t-{n}", "t-2");
    let rows = format!("{ONE}size = 5000\n{second}[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"commit\"]\n")
        .replacen("t-{n}", "t-1", 1);
    let [(trace, plan), (repaired, same)] = both("K22", &script("", &rows, ""));
    let failed = |trace: &Trace| {
        facts(trace, |fact| match fact {
            Fact::CheckRoundFailed { half, .. } => Some(*half),
            _ => None,
        })
    };
    assert_eq!(failed(&trace).len(), 17, "every round from the second on");
    assert_eq!((given_up(&trace), asked_at(&trace)), (vec![], vec![]));
    holds(&trace, &plan, deliveries("t-2", 0));
    assert_eq!(known(&trace, &plan, Check::TransactionResolved), (22, "not in time"));
    assert_eq!(violated(&trace, &same, Check::TransactionResolved), "not in time");
    assert_eq!(failed(&repaired), Vec::<i64>::new());
    assert_eq!((given_up(&repaired), asked_at(&repaired)), (vec![], vec![60, 120]));
    holds(&repaired, &same, deliveries("t-1", 1));
    holds(&repaired, &same, deliveries("t-2", 1));
    holds(&repaired, &same, Check::CheckBack);
    holds(&repaired, &same, Check::TransactionResolved);
}

#[test]
fn notes_that_were_read_and_not_used_are_forgotten_or_read_again_k22() {
    // t-1 is old and open; t-2 is young when the round comes; t-3 is committed before.
    let row = |wait: &str, key: &str| ONE.replace("1s", wait).replace("t-{n}", key);
    let rows = [
        row("1s", "t-1"),
        row("26s", "t-2"),
        row("27s", "t-3"),
        "[[producer.on]]\nmatch = { key = \"t-1\" }\nlocal = \"unknown\"\ncheck = [\"unknown\"]\n".to_owned(),
        "[[producer.on]]\nmatch = { key = \"t-2\" }\nlocal = \"unknown\"\ncheck = [\"rollback\"]\n".to_owned(),
        "[[producer.on]]\nlocal = \"commit\"\n".to_owned(),
    ]
    .concat();
    let [(trace, plan), (repaired, same)] = both("K22", &script("", &rows, ""));
    assert_eq!(violated(&trace, &plan, Check::CheckBack), "settled");
    holds(&trace, &plan, deliveries("t-3", 2));
    holds(&repaired, &same, Check::CheckBack);
    holds(&repaired, &same, deliveries("t-3", 1));
    holds(&repaired, &same, Check::TransactionResolved);
}

#[test]
fn what_is_to_be_left_in_peace_for_one_more_millisecond_is_passed_over_or_put_back_k23() {
    let text = |wait: i64| {
        let rows = format!(
            "{}immunity = \"20s\"\n[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"commit\"]\n",
            ONE.replace("1s", &format!("{wait}ms"))
        );
        script("", &rows, "")
    };
    // When it is made and when the round looks is found out first; then it is made so that it is 19.999 s old in the round.
    let (trace, _) = run_as(Profile::FAITHFUL, &text(1_000));
    let start = trace.header.start.0;
    let born = trace.records().iter().find_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Check { message, .. } => Some(message.born_timestamp.0 - start),
            _ => None,
        },
        _ => None,
    });
    let looked = trace.records().iter().find(|record| matches!(record.what, What::Fact(Fact::HalfChecked { .. })));
    let looked = (looked.expect("a round looks at it").at.0 / 1_000_000) as i64;
    let wait = 1_000 + looked - 19_999 - born.expect("it is asked for");
    for (off, passed_over) in [(-1, false), (0, true), (1, false)] {
        let [(trace, plan), (repaired, same)] = both("K23", &text(wait + off));
        if passed_over {
            assert_eq!((given_up(&trace), asked_at(&trace)), (vec![(0, "expired-meanwhile")], vec![]));
            assert_eq!(violated(&trace, &plan, Check::TransactionResolved), "forgotten");
        } else {
            assert_eq!(given_up(&trace), []);
            holds(&trace, &plan, Check::TransactionResolved);
        }
        assert_eq!(given_up(&repaired), []);
        holds(&repaired, &same, Check::TransactionResolved);
        holds(&repaired, &same, deliveries("t-1", 1));
    }
}

#[test]
fn all_repairs_together_leave_a_sound_run_sound() {
    let rows = format!(
        "{ONE}count = 2\n\
         [[producer.on]]\nmatch = {{ key = \"t-1\" }}\nlocal = \"unknown\"\ncheck = [\"unknown\", \"commit\"]\n\
         [[producer.on]]\nlocal = \"rollback\"\n"
    );
    let (trace, plan) = run_as(Profile::HARDENED, &script("", &rows, ""));
    for check in [Check::HalfInvisible, Check::TransactionAtomic, Check::TransactionResolved, Check::CheckBack] {
        assert_eq!(finding(&trace, &plan, check).verdict, Verdict::Pass);
    }
}

/// Whether each copy that a client sends to its retry topic by itself says that it is a half message.
fn sent_as_halves(trace: &Trace) -> Vec<bool> {
    let sent = trace.records().iter().filter_map(|record| match &record.what {
        What::Road(Road::Sent { frame, .. }) if frame.code == 310 => frame.wire.as_ref(),
        _ => None,
    });
    let texts = sent.map(|wire| String::from_utf8_lossy(&wire.bytes()).into_owned());
    texts.filter(|text| text.contains("\"%RETRY%credit\"")).map(|text| text.contains("TRAN_MSG")).collect()
}

#[test]
fn what_is_given_back_by_a_send_is_a_half_message_again_or_none_k31() {
    let rows = format!("{ONE}[[producer.on]]\nlocal = \"commit\"\ncheck = [\"commit\"]\n");
    let rest = "[[consumer.on]]\nreply = [\"fail\", \"ok\"]\ntakes = \"2s\"\n[[broker]]\nname = \"broker-b\"\n\
        [[fault]]\nat = \"first:deliver\"\nkill = { node = \"broker-a\" }\n";
    let [(trace, _), (repaired, _)] = both("K31", &script("", &rows, rest));
    let (before, after) = (sent_as_halves(&trace), sent_as_halves(&repaired));
    assert!(!before.is_empty() && before.iter().all(|half| *half), "{before:?}");
    assert!(!after.is_empty() && !after.contains(&true), "{after:?}");
}
