//! G20, G22 and G23: queues in order, damaged and nearly so.

use std::sync::Arc;

use bytes::Bytes;

use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Machine, Record, Road, What};
use mqlab::lab::trace::wire::Wire;
use mqlab::mq::app::{Call, ConsumeOutcome, Ordered, OrderlyStatus, Return};
use mqlab::mq::message::StoredMessage;

use super::tables::{Table, damaged, of, with_machine, with_return};
use crate::orderly::SHOP;

/// A quiet run of an ordered group, in which two members share four queues; or one with a fault.
fn line(until: u32, rest: &str) -> (Trace, Plan) {
    of(&format!("{SHOP}{rest}").replace("until = \"320s\"", &format!("until = \"{until}s\"")))
}

/// The trace with the batches of queue 0 changed as they are handed over.
fn with_handed(trace: &Trace, mut change: impl FnMut(&mut Vec<StoredMessage>)) -> Trace {
    with_return(trace, |answer| {
        if let Return::Listen { queue, messages, .. } = answer
            && queue.queue_id == 0
        {
            change(messages);
        }
    })
}

fn renumbered(trace: &Trace, from: i64, to: i64) -> Trace {
    with_handed(trace, |messages| {
        for message in messages.iter_mut().filter(|message| message.queue_offset.0 == from) {
            message.queue_offset.0 = to;
        }
    })
}

fn is_answer(record: &Record) -> bool {
    record.what.kind() == "listened"
}

/// The trace without an answer of a listener, counted from 1.
fn unanswered(trace: &Trace, which: usize) -> Trace {
    let mut number = 0;
    damaged(trace, |record| {
        number += usize::from(is_answer(&record));
        (!is_answer(&record) || number != which).then_some(record)
    })
}

/// The trace in which a listener answered something else, counted from 1.
fn answering(trace: &Trace, which: usize, status: OrderlyStatus) -> Trace {
    let mut number = 0;
    damaged(trace, |mut record| {
        number += usize::from(is_answer(&record));
        if is_answer(&record)
            && number == which
            && let What::App(App::Called(call)) = &mut record.what
            && let Call::Listened { outcome, .. } = Arc::make_mut(call)
        {
            *outcome = ConsumeOutcome::Ordered(Ordered::new(status));
        }
        Some(record)
    })
}

pub fn fifo(table: &mut Table) {
    let (trace, plan) = line(100, "");
    table.holds((&trace, &plan));
    let swapped = renumbered(&renumbered(&renumbered(&trace, 5, -5), 6, 5), -5, 6);
    table.rejects("two changed", "overtaken", (&swapped, &plan));
    table.rejects("one that was done comes again", "stepped back", (&renumbered(&trace, 6, 2), &plan));
    let doubled = with_handed(&trace, |messages| messages.push(messages[0].clone()));
    table.rejects("twice in a batch", "batch", (&doubled, &plan));
    table.rejects("a batch before the one before is done", "two at once", (&unanswered(&trace, 20), &plan));
    let gone = damaged(&trace, |record| (!is_handed(&record, 5)).then_some(record));
    table.accepts("one is missing: that is G02's", (&gone, &plan));
    let died = line(200, "[[fault]]\nname = \"x\"\nat = \"40s\"\nlasts = \"5s\"\nkill = { node = \"billing-1\" }\n");
    table.accepts("what a dead member had done comes again", (&died.0, &died.1));
    let dark = with_machine(
        &renumbered(&trace, 6, 2),
        "broker-a",
        second_of(&trace, 6),
        &[Machine::PowerLost { lost: 1, kept: 0, torn: 0 }, Machine::Booted],
    );
    table.accepts("numbers that are given again after a power loss", (&dark, &plan));
    let pulled = renumbered(&renumbered(&trace, 7, 3), 8, 4);
    let pulled = with_machine(
        &pulled,
        "broker-a",
        second_of(&trace, 6),
        &[Machine::PowerLost { lost: 1, kept: 0, torn: 0 }, Machine::Booted],
    );
    table.accepts("what its owner had pulled before a power loss, then a step back", (&pulled, &plan));
    let twice = renumbered(&pulled, 10, 5);
    table.rejects("two steps back after one power loss", "overtaken", (&twice, &plan));
}

/// In which second the message of this offset in queue 0 is handed over.
fn second_of(trace: &Trace, offset: i64) -> u64 {
    trace.records().iter().find(|record| is_handed(record, offset)).expect("it is handed over").at.0 / 1_000_000_000
}

fn is_handed(record: &Record, offset: i64) -> bool {
    matches!(&record.what, What::App(App::Returned(answer)) if matches!(&**answer,
        Return::Listen { queue, messages, .. } if queue.queue_id == 0 && messages[0].queue_offset.0 == offset))
}

/// The trace with each call of the first member's listener between two seconds made to the second one's, too.
fn both_called(trace: &Trace, from: u64, to: u64) -> Trace {
    let (first, second) = (trace.node("billing-1"), trace.node("billing-2"));
    let mut twin = Trace::new(trace.header.clone());
    for record in trace.records() {
        twin.push(record.clone());
        if record.what.kind() == "listen" && record.node == first && (from..to).contains(&(record.at.0 / 1_000_000_000))
        {
            twin.push(Record { node: second, ..record.clone() });
        }
    }
    twin
}

/// The trace in which what a node's process does after some second is another node's.
fn moved(trace: &Trace, from: &str, to: &str, second: u64) -> Trace {
    let (from, to) = (trace.node(from), trace.node(to));
    let mut tasks = Vec::new();
    damaged(trace, |mut record| {
        let is_its = record.node == from
            && match &record.what {
                What::App(App::Returned(answer)) => match &**answer {
                    Return::Listen { task, .. } if second * 1_000_000_000 <= record.at.0 => {
                        tasks.push(*task);
                        true
                    }
                    _ => false,
                },
                What::App(App::Called(call)) => {
                    matches!(&**call, Call::Listened { task, .. } if tasks.contains(task))
                }
                _ => false,
            };
        if is_its {
            record.node = to;
            record.incarnation += 10;
        }
        Some(record)
    })
}

pub fn exclusive(table: &mut Table) {
    let (trace, plan) = line(100, "");
    table.holds((&trace, &plan));
    table.rejects("each batch at both members", "two at once", (&both_called(&trace, 0, 100), &plan));
    let booted = with_machine(&trace, "broker-a", 30, &[Machine::Killed, Machine::Booted]);
    let early = both_called(&booted, 31, 60);
    table.rejects("after a boot of the broker", "K07 two at once", (&early, &plan));
    let frozen = crate::orderly::outliving(0);
    let run = mqlab::lab::sim::session::Session::run(&frozen, mqlab::lab::trace::record::Level::History).trace;
    table.rejects("after a pause that outlives a lease", "K07 two at once", (&run, &frozen));
    let resumes =
        |record: &Record| matches!(record.what, What::Machine(Machine::Paused | Machine::Resumed) | What::Fault(_));
    let awake = damaged(&run, |record| (!resumes(&record)).then_some(record));
    table.rejects("the same, of a process that was awake", "two at once", (&awake, &frozen));
    table.accepts("a boot of the broker alone", (&booted, &plan));
    table.accepts("another process goes on, one at a time", (&moved(&trace, "billing-1", "billing-2", 50), &plan));
    let died = line(200, "[[fault]]\nname = \"x\"\nat = \"40s\"\nlasts = \"5s\"\nkill = { node = \"billing-1\" }\n");
    table.accepts("a member that dies within its listener", (&died.0, &died.1));
    table.accepts("one process with two batches: that is G20's", (&unanswered(&trace, 20), &plan));
    locks(table);
}

/// What members were told of their locks.
fn locks(table: &mut Table) {
    let (trace, plan) = line(100, "");
    let refused = refusing(&trace, "billing-1", 35);
    table.rejects("goes on where it was refused", "after a refusal", (&refused, &plan));
    let unasked = damaged(&refused, |record| (!is_frame(&record, LOCK, true)).then_some(record));
    table.accepts("a refusal that may have come too late", (&unasked, &plan));
    let stop = line(120, "[[fault]]\nname = \"x\"\nat = \"40s\"\nlasts = \"5s\"\nstop = { node = \"billing-1\" }\n");
    table.accepts("who stops lets its locks go", (&stop.0, &stop.1));
    let kept = damaged(&stop.0, |record| (!is_frame(&record, UNLOCK, false)).then_some(record));
    table.rejects("nobody let go", "granted twice", (&kept, &stop.1));
    let booted = with_machine(&kept, "broker-a", 38, &[Machine::Killed, Machine::Booted]);
    table.accepts("nobody let go, and the broker forgot", (&booted, &stop.1));
}

const LOCK: i32 = 41;
const UNLOCK: i32 = 42;

/// Whether a request of that code leaves, or arrives.
fn is_frame(record: &Record, code: i32, leaves: bool) -> bool {
    match &record.what {
        What::Road(Road::Sent { frame, .. }) => leaves && frame.flag & 1 == 0 && frame.code == code,
        What::Road(Road::Arrived { frame, .. }) => !leaves && frame.flag & 1 == 0 && frame.code == code,
        _ => false,
    }
}

/// The trace in which a client's next answer about locks after some second grants it none.
fn refusing(trace: &Trace, client: &str, second: u64) -> Trace {
    let (client, mut done) = (trace.node(client), false);
    damaged(trace, |mut record| {
        if !done
            && record.node == client
            && second * 1_000_000_000 <= record.at.0
            && let What::Road(Road::Arrived { frame, .. }) = &mut record.what
            && let Some(Wire::Typed(command)) = &mut frame.wire
            && command.body.as_ref().is_some_and(|body| body.starts_with(b"{\"lockOKMQSet\""))
        {
            command.body = Some(Bytes::from_static(b"{\"lockOKMQSet\":[]}"));
            done = true;
        }
        Some(record)
    })
}

pub fn overtaking(table: &mut Table) {
    let (trace, plan) = line(100, "");
    table.holds((&trace, &plan));
    for which in [20, 33, 41] {
        let suspended = answering(&trace, which, OrderlyStatus::Suspend);
        table.rejects("suspended, and passed", "overtaken", (&suspended, &plan));
    }
    let suspended = answering(&trace, 20, OrderlyStatus::Suspend);
    let finite = of_finite(&plan);
    table.accepts("suspended as often as it may be", (&suspended, &finite));
    let dark = with_machine(
        &suspended,
        "broker-a",
        answered_in(&trace, 20) + 1,
        &[Machine::PowerLost { lost: 1, kept: 0, torn: 0 }, Machine::Booted],
    );
    table.accepts("numbers that are given again after a power loss", (&dark, &plan));
    let died = line(200, "[[fault]]\nname = \"x\"\nat = \"40s\"\nlasts = \"5s\"\nkill = { node = \"billing-1\" }\n");
    table.accepts("a member that dies within its listener", (&died.0, &died.1));
    table.accepts("not answered: that is G20's", (&unanswered(&trace, 20), &plan));
    let overtaken = answering(&trace, 20, OrderlyStatus::Suspend);
    table.accepts("left behind by a reset", (&with_reset(&overtaken, 20), &plan));
    table.rejects("of a group that was moved before", "overtaken", (&with_reset(&overtaken, 1), &plan));
}

/// An operator who moves the group to the end of what there is.
const RESET: &str = "[[operator]]\nname = \"ops\"\nstart = \"29s\"\n[[operator.reset]]\nwait = \"1s\"\n\
    group = \"billing\"\ntopic = \"orders\"\nto = \"20181110161000\"\n";

/// The trace in which the operator moves the group just behind an answer, counted from 1.
fn with_reset(trace: &Trace, which: usize) -> Trace {
    let (moved, _) = line(40, RESET);
    let is_move =
        |record: &&Record| matches!(&record.what, What::App(App::Called(call)) if matches!(**call, Call::Admin { .. }));
    let call = moved.records().iter().find(is_move).expect("the operator's call").clone();
    let (mut twin, mut number) = (Trace::new(trace.header.clone()), 0);
    for record in trace.records() {
        twin.push(record.clone());
        number += usize::from(is_answer(record));
        if is_answer(record) && number == which {
            twin.push(Record { seq: record.seq, step: record.step, at: record.at, ..call.clone() });
        }
    }
    twin
}

/// In which second a listener answered, counted from 1.
fn answered_in(trace: &Trace, which: usize) -> u64 {
    trace.records().iter().filter(|record| is_answer(record)).nth(which - 1).expect("so many").at.0 / 1_000_000_000
}

/// The plan whose group gives a message up at once.
fn of_finite(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for node in &mut plan.nodes {
        if let mqlab::lab::scenario::plan::NodeKind::Client(client) = &mut node.kind {
            client.consumers.iter_mut().for_each(|own| own.max_reconsume = 0);
        }
    }
    plan
}
