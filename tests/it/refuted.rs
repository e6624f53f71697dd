//! Each checker catches a planted violation, and passes on the undamaged twin.

use std::sync::Arc;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::image::DiskImage;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, DiskEvent, Level, Machine, Record, What};
use mqlab::mq::app::{AppError, Call, ErrorKind, Return};

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
    twin.push(Record {
        node: broker,
        what: What::Machine(lost),
        seq: mqlab::lab::trace::record::Seq(u64::MAX),
        ..last
    });
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
    assert_eq!(refutes(Check::StoreConsistent, damage), "wrong entry");
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
    let stored = Check::Stored { message: None, count: five };
    assert_eq!(refutes(stored, |trace| with_image(trace, |image| wipe(image, "commitlog/"))), "count");
}
