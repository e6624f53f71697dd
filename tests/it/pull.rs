//! Pull loops in whole runs: what they print, where their place is kept, and what nobody does for them.

use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::lab::view::lines::{self, Handles};
use mqlab::lab::view::prints;
use mqlab::mq::app::pull::{PullAnswer, PullStatus};
use mqlab::mq::app::{Call, Return};
use mqlab::mq::message::property::names;

const LESSON: &str = "06-push-is-pull";

fn run(sets: &[&str]) -> Trace {
    let sets = sets.iter().map(|set| (*set).to_owned()).collect();
    let changes = Overrides { sets, ..Overrides::default() };
    let text = library::text(LESSON).unwrap();
    let plan = load(LESSON, text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    result.trace
}

/// What the reader's pulls gave, in order: status, where to go on, and the keys.
fn pulled(trace: &Trace) -> Vec<(PullStatus, i64, Vec<String>)> {
    let reader = trace.node("reader");
    let records = trace.records().iter().filter(|record| record.node == reader);
    let results = records.filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Told { what, .. } => match &**what {
                PullAnswer::Pulled(result) => Some(result.clone()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let key = |properties: &mqlab::mq::message::property::Properties| properties.get(names::KEYS).unwrap().to_string();
    results
        .map(|result| {
            let keys = result.messages.iter().map(|message| key(&message.message.properties)).collect();
            (result.status, result.next_begin_offset, keys)
        })
        .collect()
}

fn times(trace: &Trace, key: &str) -> usize {
    pulled(trace).iter().flat_map(|(_, _, keys)| keys).filter(|one| *one == key).count()
}

/// The methods that the reader called.
fn calls(trace: &Trace) -> Vec<&'static str> {
    let reader = trace.node("reader");
    let records = trace.records().iter().filter(|record| record.node == reader);
    let called = records.filter_map(|record| match &record.what {
        What::App(App::Called(call)) => match &**call {
            Call::Pull { what, .. } => Some(what.method()),
            _ => None,
        },
        _ => None,
    });
    called.collect()
}

#[test]
fn a_map_dies_with_its_process_and_a_ledger_or_a_broker_keeps_the_place() {
    let asked: Vec<String> = (1..=5).map(|number| format!("asked-{number}")).collect();
    let read = |sets: &[&str]| {
        let trace = run(sets);
        asked.iter().map(|key| times(&trace, key)).collect::<Vec<usize>>()
    };
    assert_eq!(read(&[]), [2, 2, 2, 2, 1], "the whole topic again");
    assert_eq!(read(&["puller.reader.keep=ledger"]), [1; 5]);
    assert_eq!(read(&["puller.reader.keep=broker"]), [1; 5]);
}

#[test]
fn work_that_the_crash_cuts_short_is_repeated_whoever_keeps_the_place() {
    // The reader takes ten seconds over each batch, and dies while it is at the fourth.
    let at = |keep: &str| {
        let keep = format!("puller.reader.keep={keep}");
        let trace = run(&[&keep, "puller.reader.takes=10s"]);
        (1..=4).map(|number| times(&trace, &format!("asked-{number}"))).collect::<Vec<usize>>()
    };
    for keep in ["ledger", "broker"] {
        let read = at(keep);
        assert!(read.iter().all(|times| 1 <= *times), "nothing is skipped: {read:?}");
        assert_eq!(read.iter().filter(|times| **times == 2).count(), 1, "one batch twice: {read:?}");
    }
}

#[test]
fn a_pull_commits_nothing_and_what_failed_is_tried_again_by_nobody() {
    let trace = run(&[]);
    let touched = trace.records().iter().any(|record| match &record.what {
        What::Fact(fact) => {
            let mut group = false;
            fact.each_field(|_, value| {
                group |= matches!(value, mqlab::mq::fact::Value::Text(text) if text == "readers")
            });
            group && ["offset-committed", "sent-back", "dead-lettered"].contains(&fact.kind())
        }
        _ => false,
    });
    assert!(!touched);
    assert!(!calls(&trace).contains(&"sendMessageBack"));
    // Given back by hand, it waits its 10 s and lies in the group's retry topic, which the application would have to pull, too.
    let trace = run(&["puller.reader.on_fail=send-back"]);
    let times = calls(&trace).iter().filter(|method| **method == "sendMessageBack").count();
    assert_eq!(times, 2, "once before the crash, once after");
    let said = trace.records().iter().filter(|record| record.what.kind() == "sent-back").count();
    assert_eq!(said, 2);
    assert_eq!(self::times(&trace, "asked-2"), 2, "the retry topic is another one");
}

#[test]
fn a_blocking_pull_waits_at_the_broker_for_twenty_seconds() {
    let trace = run(&["puller.reader.how=block", "topic.asked.queues=1"]);
    let found: Vec<usize> = pulled(&trace)
        .iter()
        .enumerate()
        .filter(|(_, (status, ..))| *status == PullStatus::Found)
        .map(|(at, _)| at)
        .collect();
    assert!(5 <= found.len(), "each comes when it arrives");
    let empty = pulled(&trace).iter().filter(|(status, ..)| *status == PullStatus::NoNewMsg).count();
    let polled =
        pulled(&run(&["topic.asked.queues=1"])).iter().filter(|(status, ..)| *status == PullStatus::NoNewMsg).count();
    assert!(empty * 3 < polled, "{empty} empty answers where the broker holds, {polled} where it does not");
}

#[test]
fn the_output_is_the_examples_own() {
    let trace = run(&["topic.asked.queues=1"]);
    let lines: Vec<String> = prints::of(&trace, Lang::Zh)
        .into_iter()
        .filter(|print| print.node == "reader")
        .map(|print| print.text)
        .collect();
    let queue = "Consume from the queue: MessageQueue [topic=asked, brokerName=broker-loop, queueId=0]";
    let empty = "PullResult [pullStatus=NO_NEW_MSG, nextBeginOffset=0, minOffset=0, maxOffset=0, msgFoundList=0]";
    assert_eq!(lines[..4], [queue, empty, queue, empty]);
    let found = "PullResult [pullStatus=FOUND, nextBeginOffset=1, minOffset=0, maxOffset=1, msgFoundList=1]";
    assert!(lines.iter().any(|line| line == found), "{lines:?}");
    let all = "PullResult [pullStatus=FOUND, nextBeginOffset=4, minOffset=0, maxOffset=4, msgFoundList=4]";
    assert!(lines.iter().any(|line| line == all), "all at once after the crash: {lines:?}");
}

#[test]
fn the_queues_of_a_registered_topic_are_shared_out_and_the_application_is_told() {
    let trace = run(&["puller.reader.register=[\"asked\"]"]);
    let told: Vec<String> = lines::of(&trace, &Handles::of(&trace), Lang::En)
        .into_iter()
        .filter(|line| line.kind == "queues-changed")
        .map(|line| line.text)
        .collect();
    let text = "its queues of asked are now: broker-loop/0, broker-loop/1";
    assert_eq!(told, [text, text], "in each of its processes");
}

#[test]
fn a_pull_from_a_cut_link_ends_after_its_ten_seconds_and_the_loop_goes_on() {
    let fault = "fault.reader-dies={ cut = { from = \"reader\", to = \"broker-loop\" } }";
    let trace = run(&[fault, "fault.reader-dies.lasts=12s", "fault.reader-is-back.at=119900ms"]);
    let failed: Vec<String> = lines::of(&trace, &Handles::of(&trace), Lang::En)
        .into_iter()
        .filter(|line| line.actor == "reader" && line.kind == "failed")
        .map(|line| line.text)
        .collect();
    assert!(failed.iter().any(|text| text.contains("wait response on the channel")), "{failed:?}");
    assert!(!failed.iter().any(|text| text.contains("send of")), "{failed:?}");
    assert_eq!(times(&trace, "asked-5"), 1);
}
