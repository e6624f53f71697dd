//! Each checker catches a planted violation, and passes on the undamaged twin.

mod deals;
mod disks;
mod found;
mod groups;
mod index;
mod letters;
mod order;
mod owed;
mod owners;
mod places;
mod rot;
mod sick;
mod sieves;
mod stored;
pub mod tables;
mod waits;

use std::sync::Arc;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, NodeKind, NodePlan, Outcome, Plan};
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::image::{DiskImage, PAGE};
use mqlab::lab::trace::log::{NodeHead, Trace};
use mqlab::lab::trace::record::{App, DiskEvent, Level, Machine, Record, Road, Seq, What};
use mqlab::mq::app::{AppError, Call, ConsumeOutcome, ErrorKind, MessageSelector, Ordered, OrderlyStatus, Return};
use mqlab::mq::broker::properties::text::Pair;
use mqlab::mq::message::StoredMessage;
use mqlab::mq::time::{Span, Time};

/// A run long enough that what is missing is overdue.
fn run() -> (Trace, Plan) {
    let changes = Overrides { until: Some("150s".to_owned()), ..Overrides::default() };
    let text = library::text("01-first-message").unwrap();
    let mut plan = load("01", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    plan.expects.clear();
    (Session::run(&plan, Level::Full).trace, plan)
}

/// What a check says of a trace.
fn verdict(trace: &Trace, plan: &Plan, check: Check) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

/// The trace with each record changed, or left out.
fn damaged(trace: &Trace, mut change: impl FnMut(Record) -> Option<Record>) -> Trace {
    let mut twin = Trace::new(trace.header.clone());
    for record in trace.records() {
        if let Some(record) = change(record.clone()) {
            twin.push(record);
        }
    }
    twin
}

/// The trace with the last disk image changed.
fn with_image(trace: &Trace, mut change: impl FnMut(&mut DiskImage)) -> Trace {
    damaged(trace, |mut record| {
        if let What::Disk(DiskEvent::Image { cached, .. }) = &mut record.what {
            change(Arc::make_mut(cached));
        }
        Some(record)
    })
}

fn with_return(trace: &Trace, mut change: impl FnMut(&mut Return)) -> Trace {
    damaged(trace, |mut record| {
        if let What::App(App::Returned(answer)) = &mut record.what {
            change(Arc::make_mut(answer));
        }
        Some(record)
    })
}

#[track_caller]
fn refutes(check: Check, damage: impl FnOnce(&Trace) -> Trace) -> &'static str {
    let (trace, plan) = run();
    assert_eq!(verdict(&trace, &plan, check.clone()), Verdict::Pass, "the undamaged twin");
    match verdict(&damage(&trace), &plan, check) {
        Verdict::Violation { clause, .. } => clause,
        other => panic!("the damage was not seen: {other:?}"),
    }
}

/// Sets the bytes of a file to zero.
fn wipe(image: &mut DiskImage, file: &str) {
    let file = image.files.iter_mut().find(|(path, _)| path.starts_with(file)).expect("the file is there").1;
    file.pages.clear();
}

#[test]
fn a_lost_log_is_a_lost_acknowledgement() {
    for check in [Check::NoAckedLoss, Check::AckedDurability] {
        assert_eq!(refutes(check, |trace| with_image(trace, |image| wipe(image, "commitlog/"))), "no copy");
    }
}

#[test]
fn a_queue_that_does_not_lead_to_the_record_hides_it() {
    let damage = |trace: &Trace| with_image(trace, |image| wipe(image, "consumequeue/orders/2/"));
    assert_eq!(refutes(Check::AckedDurability, damage), "no queue entry");
}

#[test]
fn an_asynchronous_flush_does_not_promise_to_outlive_a_power_loss() {
    let (trace, plan) = run();
    let last = trace.records().last().unwrap().clone();
    let mut twin = with_image(&trace, |image| wipe(image, "commitlog/"));
    let broker = trace.node("broker-a");
    let lost = Machine::PowerLost { lost: 1, kept: 0, torn: 0 };
    twin.push(Record { node: broker, what: What::Machine(lost), seq: Seq(u64::MAX), ..last });
    assert_eq!(verdict(&twin, &plan, Check::AckedDurability), Verdict::Pass);
    assert!(matches!(verdict(&twin, &plan, Check::NoAckedLoss), Verdict::Violation { .. }));
}

#[test]
fn a_message_that_is_never_delivered_is_missed() {
    let damage = |trace: &Trace| {
        damaged(trace, |record| {
            let hidden = matches!(&record.what, What::App(App::Returned(answer))
                if matches!(&**answer, Return::Listen { messages, .. } if messages[0].queue_offset.0 == 1));
            (!hidden).then_some(record)
        })
    };
    assert_eq!(refutes(Check::AtLeastOnce, damage), "never delivered");
}

/// The retry ladder, cut at some time.
fn ladder(until: &str) -> (Trace, Plan) {
    let changes = Overrides { until: Some(until.to_owned()), ..Overrides::default() };
    let text = library::text("21-retry-ladder").unwrap();
    let mut plan = load("21", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    plan.expects.clear();
    (Session::run(&plan, Level::Full).trace, plan)
}

#[test]
fn a_message_that_failed_and_left_nothing_to_be_tried_again_is_forgotten() {
    let (trace, plan) = ladder("150s");
    let waits = verdict(&trace, &plan, Check::AtLeastOnce);
    assert!(matches!(waits, Verdict::Inconclusive { .. }), "a copy waits in the undamaged twin: {waits:?}");
    let without_copies = with_image(&trace, |image| {
        let log = image.files.iter_mut().find(|(path, _)| path.starts_with("commitlog/")).expect("a log").1;
        log.pages.retain(|page, _| *page == 0);
        let page = Arc::make_mut(log.pages.get_mut(&0).unwrap());
        let first = i32::from_be_bytes(page[..4].try_into().unwrap()) as usize;
        page[first..].fill(0);
    });
    let twin = damaged(&without_copies, |record| {
        let again = matches!(&record.what, What::App(App::Returned(answer))
            if matches!(&**answer, Return::Listen { messages, .. } if messages[0].reconsume_times > 0));
        (!again).then_some(record)
    });
    let found = verdict(&twin, &plan, Check::AtLeastOnce);
    assert!(matches!(found, Verdict::Violation { clause: "forgotten", .. }), "{found:?}");
}

#[test]
fn a_dead_letter_settles_what_a_group_was_owed() {
    let (trace, plan) = ladder("410m");
    let finding = check::run(&trace, &plan).into_iter().find(|finding| finding.check == Check::AtLeastOnce.name());
    let finding = finding.unwrap();
    assert_eq!((finding.verdict, &*finding.summary.en), (Verdict::Pass, "1 owed, 0 consumed, 1 dead letters"));
}

#[test]
fn a_message_that_nobody_sent_is_a_phantom() {
    let damage = |trace: &Trace| {
        damaged(trace, |record| {
            let third = matches!(&record.what, What::App(App::Called(call))
                if matches!(&**call, Call::Send { op, .. } if op.0 == 2));
            (!third).then_some(record)
        })
    };
    assert_eq!(refutes(Check::NoPhantom, damage), "never sent");
}

#[test]
fn a_message_that_was_refused_must_not_exist() {
    let damage = |trace: &Trace| {
        with_return(trace, |answer| {
            if let Return::Sent { op, .. } = *answer
                && op.0 == 2
            {
                let error = AppError {
                    kind: ErrorKind::Broker,
                    text: "no".into(),
                    code: 16,
                    attempts: 1,
                    provably_not_stored: true,
                };
                *answer = Return::Failed { op, error };
            }
        })
    };
    assert_eq!(refutes(Check::NoPhantom, damage), "refused");
}

#[test]
fn one_offset_is_one_message() {
    let damage = |trace: &Trace| {
        with_return(trace, |answer| {
            if let Return::Sent { result, .. } = answer
                && result.queue_offset.0 == 1
            {
                result.queue_offset.0 = 0;
            }
        })
    };
    assert_eq!(refutes(Check::OffsetAgreement, damage), "two messages");
}

#[test]
fn an_entry_that_points_elsewhere_is_seen() {
    let damage = |trace: &Trace| {
        with_image(trace, |image| {
            let found = image.files.iter_mut().find(|(path, _)| path.starts_with("consumequeue/orders/2/"));
            let page = found.unwrap().1.pages.get_mut(&0).unwrap();
            Arc::make_mut(page)[7] ^= 1;
        })
    };
    assert_eq!(refutes(Check::StoreConsistent, damage), "unit");
}

/// Changes one byte of the first file whose path begins so.
fn flip(image: &mut DiskImage, file: &str, at: usize) {
    let found = image.files.iter_mut().find(|(path, _)| path.starts_with(file));
    let page = found.unwrap_or_else(|| panic!("no `{file}`")).1.pages.get_mut(&0).unwrap();
    Arc::make_mut(page)[at] ^= 1;
}

#[test]
fn a_record_that_is_not_whole_is_seen_and_so_is_one_that_lies_about_its_place() {
    let body = |trace: &Trace| with_image(trace, |image| flip(image, "commitlog/", 90));
    assert_eq!(refutes(Check::LogWellFormed, body), "record");
    let place = |trace: &Trace| with_image(trace, |image| flip(image, "commitlog/", 34));
    assert_eq!(refutes(Check::LogWellFormed, place), "position");
}

#[test]
fn a_record_whose_entry_is_gone_is_seen_at_the_end_of_a_queue_too() {
    let damage = |trace: &Trace| with_image(trace, |image| wipe(image, "consumequeue/orders/2/"));
    assert_eq!(refutes(Check::StoreConsistent, damage), "missing");
}

#[test]
fn a_key_that_the_index_does_not_lead_to_is_seen() {
    let damage = |trace: &Trace| {
        with_image(trace, |image| {
            let file = image.files.iter_mut().find(|(path, _)| path.starts_with("index/")).expect("an index").1;
            // The entries, not the header.
            file.pages.retain(|page, _| *page == 0);
        })
    };
    assert_eq!(refutes(Check::IndexRecall, damage), "entry");
}

#[test]
fn a_checkpoint_ahead_of_its_queues_is_seen() {
    let damage = |trace: &Trace| {
        damaged(trace, |mut record| {
            if let What::Disk(DiskEvent::Image { stable, .. }) = &mut record.what
                && let Some(file) = Arc::make_mut(stable).files.get_mut("checkpoint")
            {
                let page = Arc::make_mut(file.pages.entry(0).or_insert_with(|| Arc::new([0; PAGE])));
                page[..16].copy_from_slice(&[0x7f; 16]);
            }
            Some(record)
        })
    };
    assert_eq!(refutes(Check::CheckpointSafe, damage), "time");
}

#[test]
fn what_was_on_the_disk_at_a_power_loss_must_be_there_at_the_end() {
    let changes = Overrides { sets: vec!["broker.broker-a.flush=sync".to_owned()], ..Overrides::default() };
    let text = library::text("17-power-loss").unwrap();
    let mut plan = load("17", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    plan.expects.clear();
    let trace = Session::run(&plan, Level::Full).trace;
    assert_eq!(verdict(&trace, &plan, Check::KeepsStable), Verdict::Pass, "the undamaged twin");
    let broker = trace.node("broker-a");
    let is_its = |record: &&Record| matches!(record.what, What::Disk(DiskEvent::Image { .. })) && record.node == broker;
    let last = trace.records().iter().rfind(is_its).unwrap().seq;
    let twin = damaged(&trace, |mut record| {
        if let (What::Disk(DiskEvent::Image { cached, .. }), true) = (&mut record.what, record.seq == last) {
            wipe(Arc::make_mut(cached), "commitlog/");
        }
        Some(record)
    });
    assert!(matches!(verdict(&twin, &plan, Check::KeepsStable), Verdict::Violation { clause: "lost", .. }));
}

#[test]
fn a_slave_that_holds_something_else_is_seen() {
    let (mut trace, mut plan) = run();
    let node = plan.nodes.iter().find(|node| matches!(node.kind, NodeKind::Broker(_))).expect("a broker").clone();
    let head = trace.header.nodes.iter().find(|head| head.name == node.name).unwrap().clone();
    let mut slave = NodePlan { name: "slave".into(), ..node };
    if let NodeKind::Broker(broker) = &mut slave.kind {
        broker.broker_id = 1;
    }
    plan.nodes.push(slave);
    trace.header.nodes.push(NodeHead { name: "slave".into(), ..head });
    let own = trace.node("slave");
    let image = trace.records().iter().rfind(|record| matches!(record.what, What::Disk(DiskEvent::Image { .. })));
    let copy = Record { node: own, seq: Seq(u64::MAX), ..image.unwrap().clone() };
    let mut other = copy.clone();
    if let What::Disk(DiskEvent::Image { cached, .. }) = &mut other.what {
        flip(Arc::make_mut(cached), "commitlog/", 50);
    }
    let with = |record: Record| {
        let mut twin = trace.clone();
        twin.push(record);
        verdict(&twin, &plan, Check::ReplicaPrefix)
    };
    assert_eq!(with(copy), Verdict::Pass, "the undamaged twin");
    assert!(matches!(with(other), Verdict::Violation { clause: "bytes", .. }));
}

#[test]
fn counts_are_counted() {
    let one = mqlab::lab::scenario::count::CountRule::exactly(1);
    let deliveries = Check::Deliveries { message: None, group: None, count: one };
    let twice = |trace: &Trace| {
        let mut twin = Trace::new(trace.header.clone());
        for record in trace.records() {
            let again = record.what.kind() == "listen";
            twin.push(record.clone());
            if again {
                twin.push(record.clone());
            }
        }
        twin
    };
    assert_eq!(refutes(deliveries, twice), "count");
    let five = mqlab::lab::scenario::count::CountRule::exactly(5);
    let stored = Check::Stored { message: None, topic: None, count: five };
    assert_eq!(refutes(stored, |trace| with_image(trace, |image| wipe(image, "commitlog/"))), "count");
}

/// A quiet run of an ordered group, in which two members share four queues.
fn ordered_run() -> (Trace, Plan) {
    let mut plan = load("t", super::orderly::SHOP.as_bytes(), &Overrides::default()).unwrap().plan;
    plan.until = mqlab::mq::time::Time(100_000_000_000);
    plan.expects.clear();
    (Session::run(&plan, Level::Full).trace, plan)
}

#[track_caller]
fn order_refutes(check: Check, damage: impl FnOnce(&Trace) -> Trace) -> &'static str {
    let (trace, plan) = ordered_run();
    assert_eq!(verdict(&trace, &plan, check.clone()), Verdict::Pass, "the undamaged twin");
    match verdict(&damage(&trace), &plan, check) {
        Verdict::Violation { clause, .. } => clause,
        other => panic!("the damage was not seen: {other:?}"),
    }
}

/// The trace with the messages of queue 0 changed as they are handed over.
fn with_handed(trace: &Trace, mut change: impl FnMut(&mut Vec<StoredMessage>)) -> Trace {
    with_return(trace, |answer| {
        if let Return::Listen { queue, messages, .. } = answer
            && queue.queue_id == 0
        {
            change(messages);
        }
    })
}

#[test]
fn a_queue_that_is_not_handed_over_in_order_is_seen() {
    let renumbered = |trace: &Trace, from: i64, to: i64| {
        with_handed(trace, |messages| {
            for message in messages.iter_mut().filter(|message| message.queue_offset.0 == from) {
                message.queue_offset.0 = to;
            }
        })
    };
    let swapped = |trace: &Trace| renumbered(&renumbered(&renumbered(trace, 5, -5), 6, 5), -5, 6);
    assert_eq!(order_refutes(Check::QueueFifo, swapped), "overtaken");
    assert_eq!(order_refutes(Check::QueueFifo, |trace| renumbered(trace, 6, 2)), "stepped back");
    let doubled = |trace: &Trace| with_handed(trace, |messages| messages.push(messages[0].clone()));
    assert_eq!(order_refutes(Check::QueueFifo, doubled), "batch");
    let unanswered = |trace: &Trace| {
        let mut left = 20;
        damaged(trace, |record| {
            let is_answer = record.what.kind() == "listened";
            left -= i32::from(is_answer);
            (!is_answer || left != 0).then_some(record)
        })
    };
    assert_eq!(order_refutes(Check::QueueFifo, unanswered), "two at once");
}

/// The trace with each call of the first member's listener made to the second one's, too.
fn both_called(trace: &Trace) -> Trace {
    let (first, second) = (trace.node("billing-1"), trace.node("billing-2"));
    let mut twin = Trace::new(trace.header.clone());
    for record in trace.records() {
        twin.push(record.clone());
        if record.what.kind() == "listen" && record.node == first {
            twin.push(Record { node: second, ..record.clone() });
        }
    }
    twin
}

#[test]
fn two_processes_in_one_queue_are_seen_and_known_only_outside_of_what_is_promised() {
    assert_eq!(order_refutes(Check::OrderlyExclusive, both_called), "two at once");
    let (trace, plan) = ordered_run();
    let broker = trace.node("broker-a");
    let booted_again = |trace: &Trace| {
        let mut boots = 0;
        let mut twin = Trace::new(trace.header.clone());
        for record in trace.records() {
            twin.push(record.clone());
            if record.what.kind() == "listen" && boots == 0 {
                boots += 1;
                twin.push(Record { node: broker, what: What::Machine(Machine::Booted), ..record.clone() });
            }
        }
        twin
    };
    assert_eq!(verdict(&booted_again(&trace), &plan, Check::OrderlyExclusive), Verdict::Pass, "a boot alone is none");
    match verdict(&both_called(&booted_again(&trace)), &plan, Check::OrderlyExclusive) {
        // Later on in the run the broker has long been up: there it is a violation.
        Verdict::Violation { clause: "two at once", .. } => {}
        other => panic!("{other:?}"),
    }
    let early = damaged(&both_called(&booted_again(&trace)), |record| {
        (record.at < mqlab::mq::time::Time(40_000_000_000)).then_some(record)
    });
    assert!(matches!(
        verdict(&early, &plan, Check::OrderlyExclusive),
        Verdict::Known { weakness: 7, clause: "two at once", .. }
    ));
}

/// A member that froze in its listener and, awake again, goes on at once: the pause excuses the overlap and not that.
#[test]
fn who_was_overtaken_and_goes_on_without_its_lock_is_seen() {
    let plan = super::orderly::outliving(0);
    let trace = Session::run(&plan, Level::Full).trace;
    let known = verdict(&trace, &plan, Check::OrderlyExclusive);
    let Verdict::Known { witness, .. } = known else { panic!("{known:?}") };
    let frozen = trace.records().iter().find(|record| record.seq == witness[0]).expect("the first listener").clone();
    let What::App(App::Returned(call)) = &frozen.what else { panic!("{frozen:?}") };
    let Return::Listen { task: asked, .. } = **call else { panic!("{call:?}") };
    let mut twin = Trace::new(trace.header.clone());
    for record in trace.records() {
        twin.push(record.clone());
        let is_its_answer = record.node == frozen.node
            && matches!(&record.what, What::App(App::Called(call))
                if matches!(**call, Call::Listened { task, .. } if task == asked));
        if is_its_answer {
            let mut again = frozen.clone();
            (again.step, again.at, again.seq) = (record.step, record.at, record.seq);
            if let What::App(App::Returned(answer)) = &mut again.what
                && let Return::Listen { task, messages, .. } = Arc::make_mut(answer)
            {
                task.0 += 1_000_000;
                messages[0].queue_offset.0 += 1;
            }
            twin.push(again);
        }
    }
    let judged = verdict(&twin, &plan, Check::OrderlyExclusive);
    assert!(matches!(judged, Verdict::Violation { clause: "went on", .. }), "{judged:?}");
}

#[test]
fn what_passes_a_suspended_message_is_seen() {
    let damage = |trace: &Trace| {
        let mut left = 20;
        damaged(trace, |mut record| {
            if let What::App(App::Called(call)) = &mut record.what
                && let Call::Listened { outcome, .. } = Arc::make_mut(call)
            {
                left -= 1;
                if left == 0 {
                    *outcome = ConsumeOutcome::Ordered(Ordered::new(OrderlyStatus::Suspend));
                }
            }
            Some(record)
        })
    };
    assert_eq!(order_refutes(Check::NoOvertaking, damage), "overtaken");
}

/// The trace in which one delivery of a record comes once more at the end, to the same process.
fn delivered_again(trace: &Trace, nth: usize) -> Trace {
    let mut twin = trace.clone();
    let listens = || trace.records().iter().filter(|record| record.what.kind() == "listen");
    let last = trace.records().last().unwrap();
    let again = listens().nth(nth).unwrap();
    twin.push(Record {
        step: last.step,
        at: last.at,
        mono: last.mono,
        wall: last.wall,
        seq: Seq(u64::MAX),
        ..again.clone()
    });
    twin
}

#[test]
fn a_delivery_without_a_cause_is_seen_and_one_with_a_cause_is_explained() {
    assert_eq!(refutes(Check::DuplicatesExplained, |trace| delivered_again(trace, 0)), "unexplained");
    // A message that failed is explained, and by each failure once.
    let (trace, plan) = ladder("150s");
    assert_eq!(verdict(&trace, &plan, Check::DuplicatesExplained), Verdict::Pass);
    let twin = delivered_again(&trace, 1);
    let found = verdict(&twin, &plan, Check::DuplicatesExplained);
    assert!(matches!(found, Verdict::Violation { clause: "unexplained", .. }), "{found:?}");
}

/// A run of the scenario with two sieves, long enough that what is missing is overdue.
fn sieved() -> (Trace, Plan) {
    let changes = Overrides { until: Some("150s".to_owned()), ..Overrides::default() };
    let text = library::text("05-two-sieves").unwrap();
    let plan = load("05", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    (Session::run(&plan, Level::Full).trace, plan)
}

#[test]
fn a_message_of_another_tag_is_not_wanted() {
    let (trace, plan) = sieved();
    assert_eq!(verdict(&trace, &plan, Check::FilterSound), Verdict::Pass);
    let twin = with_return(&trace, |answer| {
        if let Return::Listen { messages, .. } = answer {
            messages[0].message.properties.put("TAGS", "BB");
        }
    });
    let Verdict::Violation { clause, .. } = verdict(&twin, &plan, Check::FilterSound) else { panic!("not seen") };
    assert_eq!(clause, "not wanted");
}

#[test]
fn a_wanted_message_that_never_comes_is_missed() {
    let (trace, plan) = sieved();
    assert_eq!(verdict(&trace, &plan, Check::FilterComplete), Verdict::Pass);
    let twin = damaged(&trace, |record| {
        let hidden =
            matches!(&record.what, What::App(App::Returned(answer)) if matches!(&**answer, Return::Listen { .. }));
        (!hidden).then_some(record)
    });
    let Verdict::Violation { clause, .. } = verdict(&twin, &plan, Check::FilterComplete) else { panic!("not seen") };
    assert_eq!(clause, "never delivered");
}

#[test]
fn a_condition_is_judged_by_a_second_reading() {
    let (trace, mut plan) = sieved();
    let mut subscribe = |sql: &str| {
        for node in &mut plan.nodes {
            if let NodeKind::Client(client) = &mut node.kind {
                client.consumers.iter_mut().for_each(|one| one.subscriptions[0].1 = MessageSelector::Sql(sql.into()));
            }
        }
        verdict(&trace, &plan, Check::FilterSound)
    };
    assert_eq!(subscribe("TAGS = 'Aa' AND KEYS IS NOT NULL"), Verdict::Pass);
    assert!(matches!(subscribe("TAGS = 'BB' OR TAGS > 1"), Verdict::Violation { clause: "not wanted", .. }));
    assert!(matches!(subscribe("TAGS = 'Aa' rest"), Verdict::Inconclusive { .. }));
    subscribe("TAGS = 'BB'");
    match verdict(&trace, &plan, Check::FilterComplete) {
        Verdict::Inconclusive { missing } => assert!(missing.contains("enablePropertyFilter is off"), "{missing}"),
        other => panic!("nothing is promised by a broker that does not filter: {other:?}"),
    }
    for node in &mut plan.nodes {
        if let NodeKind::Broker(broker) = &mut node.kind {
            let line = Pair { line: 1, key: "enablePropertyFilter".into(), value: "true".into() };
            broker.properties.push(line);
        }
    }
    let Verdict::Violation { clause, .. } = verdict(&trace, &plan, Check::FilterComplete) else { panic!("not seen") };
    assert_eq!(clause, "never delivered");
}

/// Two pairs: one master killed, one without power.
fn dying_masters() -> (Trace, Plan) {
    let text = library::text("24-master-dies").unwrap();
    let mut plan = load("24", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    plan.expects.clear();
    (Session::run(&plan, Level::Full).trace, plan)
}

#[test]
fn a_producer_that_never_forgets_a_dead_master_is_seen() {
    let (trace, plan) = dying_masters();
    assert_eq!(verdict(&trace, &plan, Check::StaleRoute), Verdict::Pass);
    let shop = trace.node("shop");
    let master = plan.nodes.iter().find(|node| node.name == "broker-a").expect("a master").ip;
    let is_turn = |record: &&Record| {
        record.node == shop && matches!(&record.what, What::Road(Road::Opening { to, .. }) if to.ip == master)
    };
    let turn = trace.records().iter().find(is_turn).expect("the shop connects").clone();
    let at = |secs: u64| {
        let mut twin = trace.clone();
        let step = trace.records().last().expect("it has records").step;
        twin.push(Record { at: Time::ZERO + Span::from_secs(secs), seq: Seq(u64::MAX), step, ..turn.clone() });
        verdict(&twin, &plan, Check::StaleRoute)
    };
    assert_eq!(at(90), Verdict::Pass, "within the bound");
    assert!(matches!(at(100), Verdict::Violation { clause: "stale", .. }));
    assert_eq!(at(130), Verdict::Pass, "it is back");
}

#[test]
fn what_a_sync_master_acknowledged_is_owed_after_its_power_went() {
    let (trace, plan) = dying_masters();
    assert_eq!(verdict(&trace, &plan, Check::AckedDurability), Verdict::Pass);
    let slave = trace.node("broker-b-s");
    let twin = damaged(&trace, |mut record| {
        if let (What::Disk(DiskEvent::Image { cached, .. }), true) = (&mut record.what, record.node == slave) {
            wipe(Arc::make_mut(cached), "commitlog/");
        }
        Some(record)
    });
    assert!(matches!(verdict(&twin, &plan, Check::AckedDurability), Verdict::Violation { clause: "no copy", .. }));
}
