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

/// Two brokers' four queues, three members on a timetable, a message every second.
fn on_a_timetable(puller: &str, rest: &str) -> Trace {
    let member = |number: u32| {
        let start = if number == 3 { "20s" } else { "5s" };
        format!(
            "[[puller]]\nname = \"reader-{number}\"\ngroup = \"readers\"\ntopic = \"asked\"\nstart = \"{start}\"\n\
             how = \"schedule\"\n{puller}\n"
        )
    };
    let text = format!(
        "format = 1\nid = \"timetable\"\nseed = 7\nuntil = \"60s\"\ntitle.en = \"t\"\ntitle.zh = \"表\"\n\
         question.en = \"q\"\nquestion.zh = \"问\"\n\n[cluster]\nnameserver = 1\n[[broker]]\nname = \"broker-a\"\n\
         [[topic]]\nname = \"asked\"\nqueues = 4\n[[producer]]\nname = \"asker\"\ngroup = \"askers\"\nstart = \"3s\"\n\
         [[producer.send]]\ntopic = \"asked\"\ncount = 40\nevery = \"1s\"\nwait = \"1s\"\nkey = \"asked-{{n}}\"\n\
         body = \"{{n}}\"\n{}{}{}{rest}",
        member(1),
        member(2),
        member(3)
    );
    let plan = load("timetable", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}"));
    let result = Session::run(&plan.plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    result.trace
}

/// What a member's pulls gave: when, from which queue, and the keys.
fn pulls_of(trace: &Trace, node: &str) -> Vec<(u64, i32, Vec<String>)> {
    let node = trace.node(node);
    let mut found = Vec::new();
    for record in trace.records().iter().filter(|record| record.node == node) {
        let What::App(App::Returned(answer)) = &record.what else { continue };
        let Return::Told { what, .. } = &**answer else { continue };
        let PullAnswer::Pulled(result) = &**what else { continue };
        let key = |message: &mqlab::mq::message::StoredMessage| {
            message.message.properties.get(names::KEYS).unwrap().to_string()
        };
        found.push((
            record.at.0 / 1_000_000,
            result.queue.queue_id,
            result.messages.iter().map(key).collect::<Vec<String>>(),
        ));
    }
    found
}

fn keys_of(trace: &Trace, node: &str) -> Vec<String> {
    pulls_of(trace, node).into_iter().flat_map(|(.., keys)| keys).collect()
}

const MEMBERS: [&str; 3] = ["reader-1", "reader-2", "reader-3"];

#[test]
fn a_timetable_has_a_task_for_each_queue_of_its_own_and_forgets_those_that_go() {
    let trace = on_a_timetable("", "");
    let mut all: Vec<String> = MEMBERS.iter().flat_map(|node| keys_of(&trace, node)).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 40, "everything is read");
    let first = pulls_of(&trace, "reader-1").first().map(|(.., keys)| keys.len());
    assert_eq!(first, Some(1), "a new queue is read at once, from its beginning");
    // A third member comes, and queue 1 of the first's two goes to the second.
    let queues = |node: &str, from: u64, to: u64| {
        let own =
            pulls_of(&trace, node).into_iter().filter(|(at, ..)| (from..to).contains(at)).map(|(_, queue, _)| queue);
        own.collect::<std::collections::BTreeSet<i32>>().into_iter().collect::<Vec<i32>>()
    };
    assert_eq!([queues("reader-1", 10_000, 19_000), queues("reader-2", 10_000, 19_000)], [vec![0, 1], vec![2, 3]]);
    assert_eq!(MEMBERS.map(|node| queues(node, 45_000, 60_000)), [vec![0, 1], vec![2], vec![3]]);
    // Each rests for 200 ms behind each pull.
    let moments: Vec<u64> =
        pulls_of(&trace, "reader-3").iter().filter(|(at, ..)| 45_000 < *at).map(|(at, ..)| *at).collect();
    assert!(moments.windows(2).all(|pair| (200..230).contains(&(pair[1] - pair[0]))), "{moments:?}");
}

#[test]
fn a_timetable_of_broadcasting_members_has_every_queue_and_its_own_file() {
    let stop = "[[fault]]\nname = \"stop\"\nat = \"30s\"\nlasts = \"5s\"\nstop = { node = \"reader-1\" }\n";
    let trace = on_a_timetable("model = \"broadcasting\"", stop);
    for node in MEMBERS {
        let mut keys = keys_of(&trace, node);
        let handed = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!((keys.len(), handed), (40, 40), "{node}: each once, over a clean stop too");
    }
    let asked = trace.records().iter().filter(|record| record.what.kind() == "offset-committed").count();
    assert_eq!(asked, 0, "no broker hears of a place");
}

#[test]
fn what_passes_through_the_callback_waits_a_second_and_what_it_catches_does_not() {
    let times = |on_fail: &str| {
        let trace = on_a_timetable(&format!("fail = [\"asked-39\"]\non_fail = \"{on_fail}\""), "");
        let pulls = MEMBERS.iter().flat_map(|node| pulls_of(&trace, node));
        let mut at: Vec<u64> =
            pulls.filter(|(.., keys)| keys.iter().any(|key| key == "asked-39")).map(|(at, ..)| at).collect();
        at.sort();
        at
    };
    assert_eq!(times("forget").len(), 1, "the place is noted all the same");
    let thrown = times("throw");
    assert!(10 < thrown.len(), "{thrown:?}");
    assert!(thrown.windows(2).all(|pair| (1_000..1_030).contains(&(pair[1] - pair[0]))), "{thrown:?}");
}

#[test]
fn a_timetable_has_twenty_threads_or_as_many_as_it_is_told() {
    // Each batch is worked on for four seconds; with one thread a queue waits for the other's.
    let at_once = |threads: &str| {
        let trace = on_a_timetable(&format!("takes = \"4s\"\n{threads}"), "");
        let batches: Vec<(u64, i32)> = pulls_of(&trace, "reader-1")
            .into_iter()
            .filter(|(_, _, keys)| !keys.is_empty())
            .map(|(at, queue, _)| (at, queue))
            .collect();
        batches.windows(2).filter(|pair| pair[1].0 - pair[0].0 < 4_000).count()
    };
    assert_eq!(at_once("threads = 1"), 0);
    assert!(2 < at_once(""));
}

#[test]
fn a_timetable_prints_offset_queue_and_result() {
    let trace = on_a_timetable("", "");
    let first = prints::of(&trace, Lang::En).into_iter().find(|print| print.node == "reader-1").unwrap();
    let queue = "MessageQueue [topic=asked, brokerName=broker-a, queueId=0]";
    let result = "PullResult [pullStatus=FOUND, nextBeginOffset=1, minOffset=0, maxOffset=1, msgFoundList=1]";
    assert_eq!(first.text, format!("0\t{queue}\t{result}"));
}

#[test]
fn what_only_one_way_of_pulling_has_is_said() {
    for (keys, told) in [
        ("how = \"schedule\"\nrounds = 3", "a schedule has no `rounds`"),
        ("how = \"schedule\"\nkeep = \"ledger\"", "a schedule has no `keep`"),
        ("how = \"pull\"\nthreads = 3", "only a schedule has `threads`"),
        ("fail = [\"x\"]\non_fail = \"throw\"", "only a schedule has `on_fail = \"throw\"`"),
    ] {
        let text = format!(
            "format = 1\nid = \"t\"\nseed = 7\nuntil = \"60s\"\ntitle.en = \"t\"\ntitle.zh = \"表\"\nquestion.en = \"q\"\n\
             question.zh = \"问\"\n[cluster]\nnameserver = 1\n[[broker]]\nname = \"broker-a\"\n[[puller]]\nname = \"r\"\n\
             group = \"G\"\ntopic = \"T\"\n{keys}\n"
        );
        let report = load("t", text.as_bytes(), &Overrides::default()).unwrap_err().to_string();
        assert!(report.contains(told), "{report}");
    }
}
