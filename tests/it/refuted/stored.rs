//! G01, G03 and G05: what was acknowledged is there, what is there was sent, and one offset is one message.

use std::sync::Arc;

use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Record, Seq, What};
use mqlab::mq::app::{AppError, Call, ErrorKind, Return, SendResult, SendStatus};
use mqlab::mq::message::property::names;

use super::places::TAIL_LOSS;
use super::tables::{
    Table, called_again, cut, damaged, flip, message, of, shop, synced, wipe, with_image, with_listen, with_loss,
    with_return,
};

/// The trace with the results of sends changed; they are counted from 0.
fn with_results(trace: &Trace, mut change: impl FnMut(usize, &mut SendResult)) -> Trace {
    let mut number = 0;
    with_return(trace, |answer| {
        if let Return::Sent { result, .. } = answer {
            change(number, result);
            number += 1;
        }
    })
}

/// The trace in which a send, counted from 0, failed.
fn failing(trace: &Trace, which: usize, provably_not_stored: bool) -> Trace {
    let mut number = 0;
    with_return(trace, |answer| {
        if let Return::Sent { op, .. } = *answer {
            if number == which {
                let (kind, text) = (ErrorKind::Broker, "no".into());
                let error = AppError { kind, text, code: 16, attempts: 1, provably_not_stored };
                *answer = Return::Failed { op, error };
            }
            number += 1;
        }
    })
}

fn is_sent(record: &Record) -> bool {
    matches!(&record.what, What::App(App::Returned(answer)) if matches!(**answer, Return::Sent { .. }))
}

/// The trace without a call to send, counted from 0.
fn uncalled(trace: &Trace, which: usize) -> Trace {
    let mut number = 0;
    damaged(trace, |record| {
        let is_call = matches!(&record.what, What::App(App::Called(call)) if matches!(**call, Call::Send { .. }));
        number += usize::from(is_call);
        (!is_call || number - 1 != which).then_some(record)
    })
}

/// The letters that applications sent, changed.
fn with_letters(trace: &Trace, name: &str, value: &str) -> Trace {
    damaged(trace, |mut record| {
        if let What::App(App::Called(call)) = &mut record.what
            && let Call::Send { message, .. } = Arc::make_mut(call)
        {
            message.properties.put(name, value);
        }
        Some(record)
    })
}

pub fn durability(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let gone = with_image(&trace, |image| wipe(image, "commitlog/", 0));
    table.rejects("the log is gone", "no copy", (&gone, &plan));
    let cut_off = with_image(&trace, |image| cut(image, 9));
    table.rejects("the last record is gone", "no copy", (&cut_off, &plan));
    let hidden = with_image(&trace, |image| wipe(image, "consumequeue/orders/1/", 0));
    table.rejects("a queue is empty", "no queue entry", (&hidden, &plan));
    let bent = with_image(&trace, |image| flip(image, "consumequeue/orders/1/", 7));
    table.rejects("a unit leads elsewhere", "no queue entry", (&bent, &plan));
    let (forced, forced_plan) = synced("60s", "count = 10", "", "");
    let forced = with_loss(&with_image(&forced, |image| cut(image, 9)), 30);
    table.rejects("forced, and gone with the power", "no copy", (&forced, &forced_plan));
    table.accepts("not forced, and gone with the power", (&with_loss(&cut_off, 30), &plan));
    let late = with_results(&forced, |_, result| result.status = SendStatus::FlushDiskTimeout);
    table.accepts("not forced in time, as its sender heard", (&late, &forced_plan));
    let careless = with_letters(&forced, names::WAIT, "false");
    table.accepts("of a sender that did not want to wait", (&careless, &forced_plan));
    table.accepts("one that failed and is not there", (&failing(&cut_off, 9, false), &plan));
    let unheard = damaged(&cut_off, {
        let mut number = 0;
        move |record| {
            number += usize::from(is_sent(&record));
            (!is_sent(&record) || number != 10).then_some(record)
        }
    });
    table.accepts("one of which its sender heard nothing", (&unheard, &plan));
    let delayed = shop("60s", "count = 3\ndelay_level = 3", "", "");
    table.accepts("what waits lies in another queue", (&delayed.0, &delayed.1));
}

pub fn phantoms(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 10", "", "");
    table.holds((&trace, &plan));
    table.rejects("nobody sent it", "never sent", (&uncalled(&trace, 2), &plan));
    table.rejects("refused, and there", "refused", (&failing(&trace, 2, true), &plan));
    let early = with_listen(&trace, "order-3", |_, record| {
        record.seq = Seq(0);
        true
    });
    table.rejects("handed out before it was sent", "never sent", (&early, &plan));
    let hidden = |trace: &Trace| with_listen(trace, "order-3", |_, _| false);
    table.rejects("nobody sent it, in the log alone", "never sent", (&hidden(&uncalled(&trace, 2)), &plan));
    table.rejects("refused, in the log alone", "refused", (&hidden(&failing(&trace, 2, true)), &plan));
    table.accepts("failed, nobody knows how, and there", (&failing(&trace, 2, false), &plan));
    let unheard = damaged(&trace, |record| (!is_sent(&record)).then_some(record));
    table.accepts("of senders that heard nothing", (&unheard, &plan));
    let gone = with_listen(&with_image(&trace, |image| cut(image, 9)), "order-10", |_, _| false);
    table.accepts("refused, and nowhere", (&failing(&gone, 9, true), &plan));
    let again = called_again(&trace, "order-3", 5, |_| {});
    table.accepts("handed out once more", (&again, &plan));
}

pub fn agreement(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let at_once = with_results(&trace, |_, result| result.queue_offset.0 = result.queue_offset.0.max(1));
    table.rejects("two acknowledged for one place", "two messages", (&at_once, &plan));
    let moved = with_listen(&trace, "order-3", |_, record| {
        message(record, |own| own.queue_offset.0 += 1);
        true
    });
    table.rejects("handed out at another's place", "two messages", (&moved, &plan));
    let stored = with_image(&trace, |image| flip(image, "commitlog/", 27));
    table.rejects("stored at another's place", "two messages", (&stored, &plan));
    let crossed = with_results(&trace, |number, result| result.queue.queue_id ^= i32::from(number == 4));
    table.rejects("acknowledged for another queue", "two messages", (&crossed, &plan));
    let lost: (Trace, Plan) = of(TAIL_LOSS);
    table.accepts("numbers that were given again after a power loss", (&lost.0, &lost.1));
    let delayed = shop("60s", "count = 10\ndelay_level = 3", "", "");
    table.accepts("what waits is told the place it waits at", (&delayed.0, &delayed.1));
    table.accepts("one message twice", (&called_again(&trace, "order-3", 5, |_| {}), &plan));
    let unheard = damaged(&at_once, |record| (!is_sent(&record)).then_some(record));
    table.accepts("places of which nobody was told", (&unheard, &plan));
}
