//! Transactions in whole runs: what is written, who is asked and when, and what faults leave; each checker sees its violation.

use mqlab::lab::check::transactions::Logged;
use mqlab::lab::check::{self, Finding, Verdict, history::History};
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, Record, What};
use mqlab::mq::app::{Call, LocalOutcome, LocalState, Return};
use mqlab::mq::fact::Fact;
use mqlab::mq::message::names;
use mqlab::mq::message::property::names as properties;

/// A bank, a broker that is synchronous or not, and a credit service; `rows` are the bank's tables, `rest` faults and others.
pub(crate) fn script(broker: &str, rows: &str, rest: &str) -> String {
    format!(
        r#"
format = 1
id = "t"
seed = 7
until = "1100s"
title.en = "t"
title.zh = "t"
question.en = "t"
question.zh = "t"
[[broker]]
name = "broker-a"
{broker}
[[topic]]
name = "pay"
queues = 4
[[producer]]
name = "bank"
group = "banks"
start = "31s"
{rows}
[[consumer]]
name = "credit"
group = "credit"
subscribe = {{ pay = "*" }}
from = "first"
start = "100ms"
{rest}
"#
    )
}

pub(crate) const ONE: &str =
    "[[producer.send]]\ntopic = \"pay\"\nmode = \"transaction\"\nwait = \"1s\"\nkey = \"t-{n}\"\n";

pub(crate) fn plan(text: &str) -> Plan {
    load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan
}

fn run(text: &str) -> (Trace, Plan) {
    let plan = plan(text);
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    (result.trace, plan)
}

pub(crate) fn finding(trace: &Trace, plan: &Plan, check: Check) -> Finding {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0)
}

pub(crate) fn holds(trace: &Trace, plan: &Plan, check: Check) {
    let finding = finding(trace, plan, check);
    assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.summary.en);
}

pub(crate) fn violated(trace: &Trace, plan: &Plan, check: Check) -> &'static str {
    match finding(trace, plan, check).verdict {
        Verdict::Violation { clause, .. } => clause,
        other => panic!("it was not seen: {other:?}"),
    }
}

/// The weakness that explains a violation, and the clause.
pub(crate) fn known(trace: &Trace, plan: &Plan, check: Check) -> (u8, &'static str) {
    match finding(trace, plan, check).verdict {
        Verdict::Known { weakness, clause, .. } => (weakness, clause),
        other => panic!("it is not known: {other:?}"),
    }
}

/// Seconds of every question at the application, and who was asked.
pub(crate) fn questions(trace: &Trace) -> Vec<(u64, String)> {
    let asked = trace.records().iter().filter(|record| record.what.kind() == "check-local");
    asked.map(|record| (record.at.0 / 1_000_000_000, trace.name(record.node.unwrap()).to_string())).collect()
}

pub(crate) fn facts<T>(trace: &Trace, mut of: impl FnMut(&Fact) -> Option<T>) -> Vec<T> {
    let said = trace.records().iter().filter_map(|record| match &record.what {
        What::Fact(fact) => Some(fact),
        _ => None,
    });
    said.filter_map(&mut of).collect()
}

pub(crate) fn damaged(trace: &Trace, mut change: impl FnMut(Record) -> Option<Record>) -> Trace {
    let mut twin = Trace::new(trace.header.clone());
    trace.records().iter().filter_map(|record| change(record.clone())).for_each(|record| twin.push(record));
    twin
}

#[test]
fn what_is_unknown_is_asked_for_every_minute_fifteen_times_and_given_up() {
    let rows = format!("{ONE}[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"unknown\"]\n");
    let (trace, plan) = run(&script("", &rows, ""));
    let asked: Vec<u64> = questions(&trace).iter().map(|(at, _)| *at).collect();
    // The half message is 28 s old in the first round, so the first question comes at once.
    assert_eq!(asked, (1..=15).map(|minute| minute * 60).collect::<Vec<u64>>());
    let times = facts(&trace, |fact| match fact {
        Fact::HalfChecked { times, .. } => Some(*times),
        _ => None,
    });
    assert_eq!(times, (1..=15).collect::<Vec<i32>>());
    let given_up =
        facts(&trace, |fact| matches!(fact, Fact::HalfDiscarded { why: "asked-too-often", .. }).then_some(()));
    assert_eq!(given_up.len(), 1);
    holds(&trace, &plan, Check::CheckBack);
    holds(&trace, &plan, Check::TransactionResolved);
    let history = History::of(&trace);
    let logged = Logged::of(&history.brokers[0], &history.transactions.seen[0].id);
    assert_eq!((logged.halves.len(), logged.notes.len(), logged.finals.len()), (16, 0, 0));
    assert!(history.deliveries.is_empty());
}

#[test]
fn a_half_message_is_not_asked_for_before_it_is_six_seconds_old() {
    // Born at 55 s it is 5 s old in the round at 60 s; born at 53 s it is 7 s old.
    for (wait, first) in [("22s", 60), ("24s", 120)] {
        let rows = format!("{}[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"commit\"]\n", ONE.replace("1s", wait));
        let (trace, plan) = run(&script("", &rows, ""));
        assert_eq!(questions(&trace), [(first, "bank".to_owned())], "{wait}");
        holds(&trace, &plan, Check::TransactionAtomic);
        holds(&trace, &plan, Check::HalfInvisible);
        holds(&trace, &plan, Check::TransactionResolved);
    }
}

#[test]
fn an_application_may_ask_to_be_left_in_peace_and_each_round_counts_all_the_same() {
    let rows = format!("{}immunity = \"150s\"\n[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"commit\"]\n", ONE);
    let (trace, plan) = run(&script("", &rows, ""));
    // Rounds at 60, 120 and 180 s put it back; at 240 s it is 208 s old.
    assert_eq!(questions(&trace), [(240, "bank".to_owned())]);
    let put_back = facts(&trace, |fact| match fact {
        Fact::HalfPutBack { half, again, times } => Some((*half, *again, *times)),
        _ => None,
    });
    assert_eq!(put_back, [(0, 1, 1), (1, 2, 2), (2, 3, 3)]);
    let times = facts(&trace, |fact| match fact {
        Fact::HalfChecked { times, .. } => Some(*times),
        _ => None,
    });
    assert_eq!(times, [4]);
    holds(&trace, &plan, Check::CheckBack);
    holds(&trace, &plan, Check::TransactionAtomic);
}

#[test]
fn rolled_back_and_thrown_are_never_visible_and_a_commit_writes_three_records() {
    let rows = format!(
        "{ONE}count = 3\n\
         [[producer.on]]\nmatch = {{ key = \"t-1\" }}\nlocal = \"commit\"\n\
         [[producer.on]]\nmatch = {{ key = \"t-2\" }}\nlocal = \"rollback\"\n\
         [[producer.on]]\nlocal = \"throw\"\ncheck = [\"rollback\"]\n"
    );
    for broker in ["", "flush = \"sync\""] {
        let (trace, plan) = run(&script(broker, &rows, ""));
        let count = |check: Check| finding(&trace, &plan, check).summary.en;
        let records = |key: &str, count| Check::Records {
            message: Some(key.into()),
            count: mqlab::lab::scenario::count::CountRule::exactly(count),
        };
        assert_eq!(count(records("t-1", 3)), "3 records, expected 3");
        assert_eq!(count(records("t-2", 2)), "2 records, expected 2");
        assert_eq!(count(records("t-3", 3)), "3 records, expected 3", "one copy for the question, and a note");
        let deliveries = |key: &str, count| Check::Deliveries {
            message: Some(key.into()),
            group: None,
            count: mqlab::lab::scenario::count::CountRule::exactly(count),
        };
        holds(&trace, &plan, deliveries("t-1", 1));
        holds(&trace, &plan, deliveries("t-2", 0));
        holds(&trace, &plan, deliveries("t-3", 0));
        holds(&trace, &plan, Check::TransactionAtomic);
        let remarks: Vec<String> = trace
            .records()
            .iter()
            .filter_map(|record| match &record.what {
                What::Road(mqlab::lab::trace::record::Road::Arrived { frame, .. })
                    if frame.label == "END_TRANSACTION" =>
                {
                    Some(frame.remark.as_ref().map_or_else(String::new, |remark| remark.to_string()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(remarks.len(), 4);
        assert_eq!(remarks[2], "executeLocalTransactionBranch exception: java.lang.RuntimeException");
    }
}

#[test]
fn a_broker_killed_between_half_and_commit_asks_when_it_is_back() {
    let rows = format!("{ONE}[[producer.on]]\nlocal = \"commit\"\ntakes = \"2s\"\ncheck = [\"ledger\"]\n");
    let rest = "[[fault]]\nname = \"outage\"\nat = \"after:first:execute-local + 500ms\"\n\
                kill = { node = \"broker-a\" }\n\
                [[fault]]\nname = \"back\"\nat = \"after:fault:outage + 10s\"\nrestart = { node = \"broker-a\" }\n";
    let (trace, plan) = run(&script("", &rows, rest));
    assert!(facts(&trace, |fact| matches!(fact, Fact::TransactionEnded { checked: 0, .. }).then_some(())).is_empty());
    // The broker was back at 42 s and counts its minute from there.
    assert_eq!(questions(&trace).iter().map(|(at, _)| *at).collect::<Vec<u64>>(), [102]);
    holds(&trace, &plan, Check::TransactionAtomic);
    holds(&trace, &plan, Check::HalfInvisible);
    let one = mqlab::lab::scenario::count::CountRule::exactly(1);
    holds(&trace, &plan, Check::Deliveries { message: Some("t-1".into()), group: None, count: one });
}

#[test]
fn a_broker_that_comes_back_to_silence_goes_on_asking() {
    let rows = format!("{ONE}[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"unknown\"]\n");
    let fault = "[[fault]]\nname = \"outage\"\nat = \"182s\"\nlasts = \"4s\"\nkill = { node = \"broker-a\" }\n";
    let (trace, _) = run(&script("", &rows, fault));
    // Nothing is put in the second process before its first round, a minute after its boot. The cursor of the last round was not
    // written yet: the half message is found beside its own copy, and both are asked for until each has been fifteen times.
    let at: Vec<u64> = questions(&trace).iter().map(|(at, _)| *at).collect();
    let twice = (246..=906).step_by(60).flat_map(|at| [at, at]);
    assert_eq!(at, [60, 120, 180].into_iter().chain(twice).chain([966]).collect::<Vec<u64>>());
}

#[test]
fn a_dead_producer_is_answered_for_by_another_member_of_its_group() {
    let rows = format!(
        "{ONE}[[producer.on]]\nlocal = \"crash\"\ncheck = [\"ledger\"]\n\
         [[producer]]\nname = \"branch\"\ngroup = \"banks\"\nstart = \"31s\"\n[[producer.on]]\ncheck = [\"commit\"]\n"
    );
    let (trace, plan) = run(&script("", &rows, ""));
    assert_eq!(questions(&trace), [(60, "branch".to_owned())]);
    holds(&trace, &plan, Check::CheckBack);
    holds(&trace, &plan, Check::TransactionAtomic);
    let one = mqlab::lab::scenario::count::CountRule::exactly(1);
    holds(&trace, &plan, Check::Deliveries { message: Some("t-1".into()), group: None, count: one });
}

#[test]
fn a_half_message_that_may_be_lost_is_rolled_back_without_its_transaction() {
    // The force takes longer than a synchronous send waits.
    let broker = "flush = \"sync\"\ndisk = { fsync = \"6s\" }\n";
    let rows = format!("timeout = \"20s\"\n{ONE}[[producer.on]]\nlocal = \"commit\"\n");
    let (trace, _) = run(&script(broker, &rows, ""));
    let returned: Vec<(String, LocalState)> = trace
        .records()
        .iter()
        .filter_map(|record| match &record.what {
            What::App(App::Returned(answer)) => match &**answer {
                Return::SentInTransaction { result, state, .. } => Some((result.status.to_string(), *state)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(returned, [("FLUSH_DISK_TIMEOUT".to_owned(), LocalState::Rollback)]);
    assert!(!trace.records().iter().any(|record| record.what.kind() == "execute-local"));
}

#[test]
fn a_compressed_half_message_is_read_by_nobody_after_its_first_check() {
    let rows = format!("{ONE}size = 5000\n[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"commit\"]\n");
    let (trace, plan) = run(&script("", &rows, ""));
    assert!(questions(&trace).is_empty(), "the question is sent, and its body cannot be inflated");
    let failed = facts(&trace, |fact| match fact {
        Fact::CheckRoundFailed { half, why } => Some((*half, *why)),
        _ => None,
    });
    assert_eq!(failed.len(), 17, "every round from the second on");
    assert!(failed.iter().all(|failed| *failed == (1, "NullPointerException")), "{failed:?}");
    assert_eq!(known(&trace, &plan, Check::TransactionResolved), (22, "not in time"));
}

#[test]
fn a_delayed_half_message_never_finds_its_topic_again_k21() {
    let rows = format!("{ONE}delay_level = 1\n[[producer.on]]\nlocal = \"commit\"\n");
    let (trace, plan) = run(&script("", &rows, ""));
    let topics = facts(&trace, |fact| match fact {
        Fact::TransactionEnded { .. } => Some("ended".to_owned()),
        Fact::Appended { topic, .. } => Some(topic.to_string()),
        _ => None,
    });
    assert!(!topics.iter().any(|topic| topic == "pay"), "{topics:?}");
    assert!(topics.contains(&"ended".to_owned()));
    let one = mqlab::lab::scenario::count::CountRule::exactly(0);
    holds(&trace, &plan, Check::Deliveries { message: Some("t-1".into()), group: None, count: one });
    assert_eq!(known(&trace, &plan, Check::TransactionAtomic), (21, "diverted"));
}

#[test]
fn a_cursor_at_the_end_of_the_notes_forgets_those_that_were_not_used_k22() {
    // t-1 is old and open; t-2 is young when the round comes; t-3 is committed before.
    let row = |wait: &str, key: &str| {
        format!("[[producer.send]]\ntopic = \"pay\"\nmode = \"transaction\"\nwait = \"{wait}\"\nkey = \"{key}\"\n")
    };
    let rows = [
        row("1s", "t-1"),
        row("26s", "t-2"),
        row("27s", "t-3"),
        "[[producer.on]]\nmatch = { key = \"t-1\" }\nlocal = \"unknown\"\ncheck = [\"unknown\"]\n".to_owned(),
        "[[producer.on]]\nmatch = { key = \"t-2\" }\nlocal = \"unknown\"\ncheck = [\"rollback\"]\n".to_owned(),
        "[[producer.on]]\nlocal = \"commit\"\n".to_owned(),
    ]
    .concat();
    let (trace, plan) = run(&script("", &rows, ""));
    assert_eq!(violated(&trace, &plan, Check::CheckBack), "settled");
    let one = mqlab::lab::scenario::count::CountRule::exactly(2);
    holds(&trace, &plan, Check::Deliveries { message: Some("t-3".into()), group: None, count: one });
}

/// A run in which everything holds, with questions in it.
fn sound() -> (Trace, Plan) {
    let rows = format!(
        "{ONE}count = 2\n\
         [[producer.on]]\nmatch = {{ key = \"t-1\" }}\nlocal = \"unknown\"\ncheck = [\"unknown\", \"commit\"]\n\
         [[producer.on]]\nlocal = \"rollback\"\n"
    );
    let (trace, plan) = run(&script("", &rows, ""));
    for check in [Check::HalfInvisible, Check::TransactionAtomic, Check::TransactionResolved, Check::CheckBack] {
        holds(&trace, &plan, check);
    }
    (trace, plan)
}

#[test]
fn a_message_that_is_seen_before_it_is_committed_is_seen() {
    let (trace, plan) = sound();
    let silent = damaged(&trace, |record| {
        let is_commit = matches!(&record.what, What::App(App::Called(call)) if matches!(&**call,
            Call::Decided { outcome: LocalOutcome::State(LocalState::Commit), .. }));
        (!is_commit).then_some(record)
    });
    assert_eq!(violated(&silent, &plan, Check::HalfInvisible), "not committed");
    let delivery = trace.records().iter().find(|record| record.what.kind() == "listen").unwrap().clone();
    let mut early = Trace::new(trace.header.clone());
    for record in trace.records() {
        if record.what.kind() == "decided" && early.records().iter().all(|known| known.what.kind() != "listen") {
            early.push(Record { seq: record.seq, step: record.step, at: record.at, ..delivery.clone() });
        }
        early.push(record.clone());
    }
    assert_eq!(violated(&early, &plan, Check::HalfInvisible), "too early");
}

#[test]
fn an_end_that_is_not_what_the_ledger_says_is_seen() {
    let (trace, plan) = sound();
    for (from, to, clause) in [("commit", "rollback", "committed"), ("rollback", "commit", "rolled back")] {
        let lied = damaged(&trace, |mut record| {
            match &mut record.what {
                What::App(App::Noted { value, .. }) if *value == from => *value = to.into(),
                What::App(App::Called(call)) => {
                    if let Call::Decided { task, outcome: LocalOutcome::State(state) } = &**call
                        && state.word() == from
                    {
                        let outcome = LocalOutcome::State(LocalState::Unknown);
                        record.what = What::App(App::Called(Call::Decided { task: *task, outcome }.into()));
                    }
                }
                _ => {}
            }
            Some(record)
        });
        assert_eq!(violated(&lied, &plan, Check::TransactionAtomic), clause);
    }
}

#[test]
fn a_half_message_that_the_cursor_has_passed_without_an_end_is_seen() {
    let (trace, plan) = sound();
    // Without the notes and the true message the cursor stands behind half messages that nothing settles.
    let forgotten = damaged(&trace, |mut record| {
        if let What::Disk(mqlab::lab::trace::record::DiskEvent::Image { cached, .. }) = &mut record.what {
            let image = std::sync::Arc::make_mut(cached);
            for (_, file) in image.files.iter_mut().filter(|(path, _)| path.starts_with("commitlog/")) {
                rename(file, names::TRANS_OP_TOPIC, "RMQ_SYS_TRANS_XX_HALF_TOPIC");
            }
        }
        Some(record)
    });
    assert_eq!(violated(&forgotten, &plan, Check::TransactionResolved), "forgotten");
    let waiting = damaged(&trace, |mut record| {
        if let What::Disk(mqlab::lab::trace::record::DiskEvent::Image { cached, .. }) = &mut record.what {
            let image = std::sync::Arc::make_mut(cached);
            image.files.retain(|path, _| !path.starts_with("config/consumerOffset"));
            for (_, file) in image.files.iter_mut().filter(|(path, _)| path.starts_with("commitlog/")) {
                rename(file, names::TRANS_OP_TOPIC, "RMQ_SYS_TRANS_XX_HALF_TOPIC");
            }
        }
        Some(record)
    });
    assert_eq!(violated(&waiting, &plan, Check::TransactionResolved), "not in time");
}

/// Writes another name of the same length over a topic's, wherever it stands.
fn rename(file: &mut mqlab::lab::trace::image::FileImage, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    for page in file.pages.values_mut() {
        let bytes = std::sync::Arc::make_mut(page);
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(from.as_bytes()) {
                bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            }
        }
    }
}

#[test]
fn a_question_against_the_rules_is_seen() {
    let (trace, plan) = sound();
    let first = trace.records().iter().find(|record| record.what.kind() == "check-local").unwrap().clone();
    let asked = |change: &dyn Fn(&mut mqlab::mq::message::StoredMessage)| {
        damaged(&trace, |mut record| {
            if record.seq == first.seq
                && let What::App(App::Returned(answer)) = &record.what
                && let Return::Check { task, group, message } = &**answer
            {
                let mut message = message.clone();
                change(&mut message);
                let answer = Return::Check { task: *task, group: group.clone(), message };
                record.what = What::App(App::Returned(answer.into()));
            }
            Some(record)
        })
    };
    let young = asked(&|message| message.born_timestamp.0 += 25_000);
    assert_eq!(violated(&young, &plan, Check::CheckBack), "too early");
    let peaceful = asked(&|message| {
        drop(message.message.properties.put(properties::CHECK_IMMUNITY_TIME_IN_SECONDS, "60"));
    });
    assert_eq!(violated(&peaceful, &plan, Check::CheckBack), "too early");
    let foreign = asked(&|message| drop(message.message.properties.put(properties::PGROUP, "others")));
    assert_eq!(violated(&foreign, &plan, Check::CheckBack), "wrong group");
    let mut often = Trace::new(trace.header.clone());
    for record in trace.records() {
        for _ in 0..if record.seq == first.seq { 16 } else { 1 } {
            often.push(record.clone());
        }
    }
    assert_eq!(violated(&often, &plan, Check::CheckBack), "too often");
}

#[test]
fn a_broker_asks_as_its_file_says() {
    let broker =
        "properties = \"\"\"\ntransactionTimeOut=20000\ntransactionCheckMax=2\ntransactionCheckInterval=10000\n\"\"\"";
    let rows = format!("{ONE}[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"unknown\"]\n");
    let (trace, plan) = run(&script(broker, &rows, ""));
    // Born at 32 s it is 18 s old in the round at 50 s and 28 s in the next.
    assert_eq!(questions(&trace).iter().map(|(at, _)| *at).collect::<Vec<u64>>(), [60, 70]);
    holds(&trace, &plan, Check::CheckBack);
    holds(&trace, &plan, Check::TransactionResolved);
    let forbidden = "properties = \"rejectTransactionMessage=true\"";
    let (trace, plan) = run(&script(forbidden, &rows, ""));
    let one = mqlab::lab::scenario::count::CountRule::exactly(1);
    holds(&trace, &plan, Check::SendFails { error: "send message Exception".into(), count: one });
    let said = facts(&trace, |fact| match fact {
        Fact::RequestRefused { code, remark, .. } => Some((*code, remark.to_string())),
        _ => None,
    });
    let text = "the broker[10.0.2.1] sending transaction message is forbidden";
    assert!(!said.is_empty() && said.iter().all(|refused| *refused == (16, text.to_owned())), "{said:?}");
}

#[test]
fn a_committed_message_is_owed_to_its_group() {
    let (trace, plan) = sound();
    holds(&trace, &plan, Check::AtLeastOnce);
    let never = damaged(&trace, |record| (record.what.kind() != "listen").then_some(record));
    assert_eq!(violated(&never, &plan, Check::AtLeastOnce), "never delivered");
}
