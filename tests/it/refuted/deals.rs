//! G10 to G13: transactions, damaged and nearly so.

use std::sync::Arc;

use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::trace::image::DiskImage;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Machine, Record, Seq, What};
use mqlab::mq::app::{Call, LocalOutcome, LocalState, Return, SendStatus};
use mqlab::mq::message::StoredMessage;
use mqlab::mq::message::names as topics;
use mqlab::mq::message::property::names;

use super::tables::{Table, damaged, message, of, with_image, with_listen, with_machine, with_return};
use crate::transactions::{ONE, script};

/// One that is committed when it is asked for the second time, and one that is rolled back at once.
fn sound() -> (Trace, Plan) {
    let rows = format!(
        "{ONE}count = 2\n\
         [[producer.on]]\nmatch = {{ key = \"t-1\" }}\nlocal = \"unknown\"\ncheck = [\"unknown\", \"commit\"]\n\
         [[producer.on]]\nlocal = \"rollback\"\n"
    );
    of(&script("", &rows, ""))
}

fn deal(local: &str, rest: &str) -> (Trace, Plan) {
    of(&script("", &format!("{ONE}[[producer.on]]\n{local}\n"), rest))
}

/// The trace without what listeners said, where they said this.
fn unsaid(trace: &Trace, state: LocalState) -> Trace {
    damaged(trace, |record| (decided(&record) != Some(state)).then_some(record))
}

fn decided(record: &Record) -> Option<LocalState> {
    let What::App(App::Called(call)) = &record.what else { return None };
    let Call::Decided { outcome: LocalOutcome::State(state), .. } = **call else { return None };
    Some(state)
}

/// The trace in which the ledger and the listener say something else of every transaction that ended so.
fn lying(trace: &Trace, from: LocalState, booked: &str) -> Trace {
    damaged(trace, |mut record| {
        match &mut record.what {
            What::App(App::Noted { value, .. }) if *value == from.word() => *value = booked.into(),
            What::App(App::Called(call)) => {
                if let Call::Decided { outcome: LocalOutcome::State(state), .. } = Arc::make_mut(call)
                    && *state == from
                {
                    *state = LocalState::Unknown;
                }
            }
            _ => {}
        }
        Some(record)
    })
}

/// The trace in which the first callback comes just before or behind the record that is so.
fn delivered_at(trace: &Trace, is_there: impl Fn(&Record) -> bool, before: bool) -> Trace {
    let call = trace.records().iter().find(|record| record.what.kind() == "listen").expect("a callback").clone();
    let (mut twin, mut done) = (Trace::new(trace.header.clone()), false);
    for record in trace.records().iter().filter(|record| record.seq != call.seq) {
        let own = Record {
            seq: Seq(record.seq.0.saturating_sub(u64::from(before))),
            step: record.step,
            at: record.at,
            ..call.clone()
        };
        let is_it = !done && is_there(record);
        done |= is_it;
        if is_it && before {
            twin.push(own.clone());
        }
        twin.push(record.clone());
        if is_it && !before {
            twin.push(Record { seq: Seq(own.seq.0 + 1), ..own });
        }
    }
    twin
}

pub fn invisible(table: &mut Table) {
    let (trace, plan) = sound();
    table.holds((&trace, &plan));
    let silent = unsaid(&trace, LocalState::Commit);
    table.rejects("nobody said commit", "not committed", (&silent, &plan));
    let is_commit = |record: &Record| decided(record) == Some(LocalState::Commit);
    let early = delivered_at(&trace, is_commit, true);
    table.rejects("just before it was said", "too early", (&early, &plan));
    let other = trace.records().iter().find_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::SentInTransaction { result, state: LocalState::Rollback, .. } => Some(result.msg_id.clone()),
            _ => None,
        },
        _ => None,
    });
    let other = other.expect("one was rolled back");
    let swapped = with_listen(&trace, "t-1", |_, record| {
        message(record, |own| drop(own.message.properties.put(names::UNIQ_KEY, &*other)));
        true
    });
    table.rejects("one that was rolled back", "not committed", (&swapped, &plan));
    let stranger = with_listen(&trace, "t-1", |_, record| {
        message(record, |own| drop(own.message.properties.put(names::UNIQ_KEY, "nobody's")));
        true
    });
    table.rejects("one of which nobody knows", "not committed", (&stranger, &plan));
    let at_once = delivered_at(&trace, is_commit, false);
    table.accepts("just behind what was said", (&at_once, &plan));
    let unheard = damaged(&trace, |record| {
        let is_return = matches!(&record.what, What::App(App::Returned(answer))
            if matches!(**answer, Return::SentInTransaction { .. }));
        (!is_return).then_some(record)
    });
    table.accepts("whose producer never heard back", (&unheard, &plan));
    let plain = with_listen(&trace, "t-1", |_, record| {
        message(record, |own| drop(own.message.properties.remove(names::TRAN_MSG)));
        true
    });
    table.accepts("one that is in no transaction", (&unsaid(&plain, LocalState::Commit), &plan));
    let dead = "[[fault]]\nname = \"x\"\nat = \"after:first:execute-local + 500ms\"\nlasts = \"10s\"\n\
                kill = { node = \"broker-a\" }\n";
    let (killed, killed_plan) = deal("local = \"commit\"\ntakes = \"2s\"\ncheck = [\"ledger\"]", dead);
    table.accepts("said to a broker that was dead, and to one that asked", (&killed, &killed_plan));
}

/// Writes another name of the same length over a topic's, wherever it stands in the log.
fn rename(image: &mut DiskImage, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    for (_, file) in image.files.iter_mut().filter(|(path, _)| path.starts_with("commitlog/")) {
        for page in file.pages.values_mut() {
            let bytes = Arc::make_mut(page);
            for at in 0..=bytes.len() - from.len() {
                if bytes[at..].starts_with(from.as_bytes()) {
                    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
                }
            }
        }
    }
}

/// The trace whose logs hold no notes of ends.
fn unnoted(trace: &Trace) -> Trace {
    with_image(trace, |image| rename(image, topics::TRANS_OP_TOPIC, "RMQ_SYS_TRANS_XX_HALF_TOPIC"))
}

/// The trace in which how far halves were looked at is not known.
fn without_cursor(trace: &Trace) -> Trace {
    with_image(trace, |image| image.files.retain(|path, _| !path.starts_with("config/consumerOffset")))
}

pub fn atomic(table: &mut Table) {
    let (trace, plan) = sound();
    table.holds((&trace, &plan));
    let rolled = lying(&trace, LocalState::Rollback, "commit");
    table.rejects("booked as committed", "rolled back", (&rolled, &plan));
    let committed = lying(&trace, LocalState::Commit, "rollback");
    table.rejects("booked as rolled back", "committed", (&committed, &plan));
    let by_nobody = lying(&trace, LocalState::Commit, "?");
    table.rejects("committed by nobody", "committed", (&by_nobody, &plan));
    let unsafe_half = with_return(&trace, |answer| {
        if let Return::SentInTransaction { result, .. } = answer {
            result.status = SendStatus::FlushDiskTimeout;
        }
    });
    table.rejects("run on a half message that may be lost", "on an unsafe half", (&unsafe_half, &plan));
    let (delayed, delayed_plan) =
        of(&script("", &format!("{ONE}delay_level = 1\n[[producer.on]]\nlocal = \"commit\"\n"), ""));
    table.rejects("a half message that is delayed", "K21 diverted", (&delayed, &delayed_plan));
    let torn = damaged(&trace, |mut record| {
        if let What::App(App::Noted { value, .. }) = &mut record.what
            && *value == "rollback"
        {
            *value = "commit".into();
        }
        Some(record)
    });
    table.accepts("of an application that says both", (&torn, &plan));
    let (unknown, unknown_plan) = deal("local = \"unknown\"\ncheck = [\"unknown\"]", "");
    table.accepts("of one that never says anything", (&unknown, &unknown_plan));
    let (thrown, thrown_plan) = deal("local = \"throw\"\ncheck = [\"rollback\"]", "");
    table.accepts("of one that throws, and is asked", (&thrown, &thrown_plan));
    let lost = with_image(&trace, |image| rename(image, "UNIQ_KEY", "UNIX_KEY"));
    table.leaves_open("nothing is left of them: that is G01's", (&lost, &plan));
}

pub fn resolved(table: &mut Table) {
    let (trace, plan) = sound();
    table.holds((&trace, &plan));
    let forgotten = unnoted(&trace);
    table.rejects("passed by without an end", "forgotten", (&forgotten, &plan));
    let waiting = without_cursor(&forgotten);
    table.rejects("waits for ever", "not in time", (&waiting, &plan));
    let (garbled, garbled_plan) =
        of(&script("", &format!("{ONE}size = 5000\n[[producer.on]]\nlocal = \"unknown\"\ncheck = [\"commit\"]\n"), ""));
    table.rejects("a round that throws", "K22 not in time", (&garbled, &garbled_plan));
    let (delayed, delayed_plan) =
        of(&script("", &format!("{ONE}delay_level = 1\n[[producer.on]]\nlocal = \"commit\"\n"), ""));
    table.rejects("a half message that is delayed", "K21 diverted", (&delayed, &delayed_plan));
    let (unknown, unknown_plan) = deal("local = \"unknown\"\ncheck = [\"unknown\"]", "");
    table.accepts("given up after fifteen questions", (&unknown, &unknown_plan));
    let short = damaged(&waiting, |record| (record.at.0 < 600_000_000_000 || is_image(&record)).then_some(record));
    let short = damaged(&short, |mut record| {
        record.at.0 = record.at.0.min(600_000_000_000);
        Some(record)
    });
    table.leaves_open("there is time left", (&short, &plan));
    let dead = with_machine(&waiting, "bank", 100, &[Machine::Killed]);
    table.accepts("nobody is there to be asked", (&dead, &plan));
    let late = with_machine(&waiting, "broker-a", 600, &[Machine::Killed, Machine::Booted]);
    table.leaves_open("there is time left since the last blow", (&late, &plan));
    let (rolled, rolled_plan) = deal("local = \"rollback\"", "");
    table.accepts("rolled back at once", (&rolled, &rolled_plan));
}

fn is_image(record: &Record) -> bool {
    matches!(record.what, What::Disk(_))
}

/// The trace with the question of this number changed, counted from 0.
fn with_question(trace: &Trace, which: usize, change: impl Fn(&mut StoredMessage)) -> Trace {
    let mut number = 0;
    with_return(trace, |answer| {
        if let Return::Check { message, .. } = answer {
            if number == which {
                change(message);
            }
            number += 1;
        }
    })
}

fn repeated(trace: &Trace, which: usize, times: usize) -> Trace {
    let (mut twin, mut number) = (Trace::new(trace.header.clone()), 0);
    for record in trace.records() {
        let is_it = record.what.kind() == "check-local";
        number += usize::from(is_it);
        for _ in 0..if is_it && number - 1 == which { times } else { 1 } {
            twin.push(record.clone());
        }
    }
    twin
}

/// The cursor of the notes forgets one that was not used (K22): the first is old and open, the second young when the round
/// comes, the third committed before.
fn forgetful() -> String {
    let row = |wait: &str, key: &str| ONE.replace("1s", wait).replace("t-{n}", key);
    [
        row("1s", "t-1"),
        row("26s", "t-2"),
        row("27s", "t-3"),
        "[[producer.on]]\nmatch = { key = \"t-1\" }\nlocal = \"unknown\"\ncheck = [\"unknown\"]\n".to_owned(),
        "[[producer.on]]\nmatch = { key = \"t-2\" }\nlocal = \"unknown\"\ncheck = [\"rollback\"]\n".to_owned(),
        "[[producer.on]]\nlocal = \"commit\"\n".to_owned(),
    ]
    .concat()
}

/// Two banks: questions about what one has sent may go to the other.
const BRANCH: &str =
    "[[producer]]\nname = \"branch\"\ngroup = \"banks\"\nstart = \"31s\"\n[[producer.on]]\ncheck = [\"commit\"]\n";

pub fn asked(table: &mut Table) {
    let (trace, plan) = sound();
    table.holds((&trace, &plan));
    let young = with_question(&trace, 0, |own| own.born_timestamp.0 += 25_000);
    table.rejects("before it is six seconds old", "too early", (&young, &plan));
    let peace = |seconds: &'static str| {
        with_question(&trace, 0, move |own| {
            own.message.properties.put(names::CHECK_IMMUNITY_TIME_IN_SECONDS, seconds);
        })
    };
    table.rejects("before it was to be asked for", "too early", (&peace("60"), &plan));
    let foreign = with_question(&trace, 0, |own| drop(own.message.properties.put(names::PGROUP, "others")));
    table.rejects("in another group's name", "wrong group", (&foreign, &plan));
    table.rejects("sixteen times", "too often", (&repeated(&trace, 0, 16), &plan));
    let counted =
        with_question(&trace, 1, |own| drop(own.message.properties.put(names::TRANSACTION_CHECK_TIMES, "16")));
    table.rejects("for the sixteenth time, as its copy says", "too often", (&counted, &plan));
    let (settled, settled_plan) = of(&script("", &forgetful(), ""));
    table.rejects("after it was settled", "settled", (&settled, &settled_plan));
    table.accepts("a copy that was put back before a late note", (&asked_late(&trace, 30), &plan));
    table.accepts("what wanted to be left in peace for a while", (&peace("20"), &plan));
    table.accepts("while the answer is on its way", (&asked_late(&trace, 1), &plan));
    table.accepts("thirteen times more", (&repeated(&trace, 0, 14), &plan));
    let stepped = with_machine(&young, "bank", 40, &[Machine::WallStepped { millis: 25_000 }]);
    table.accepts("too early, by a clock that was set", (&stepped, &plan));
    let rows = format!("{ONE}[[producer.on]]\nlocal = \"crash\"\ncheck = [\"ledger\"]\n{BRANCH}");
    let (branch, branch_plan) = of(&script("", &rows, ""));
    table.accepts("another member, for one that is dead", (&branch, &branch_plan));
    narrowed(table);
}

/// The trace in which the last question comes once more, so many seconds after it was answered.
fn asked_late(trace: &Trace, seconds: u64) -> Trace {
    let last = trace.records().iter().rfind(|record| record.what.kind() == "check-local").expect("a question").clone();
    let (mut twin, mut done) = (Trace::new(trace.header.clone()), false);
    for record in trace.records() {
        if !done && last.at.0 + seconds * 1_000_000_000 <= record.at.0 {
            done = true;
            twin.push(Record { at: record.at, step: record.step, seq: record.seq, ..last.clone() });
        }
        twin.push(record.clone());
    }
    twin
}

/// Questions that are too many for one line of copies, and not for several: a broker's end makes more of them.
fn narrowed(table: &mut Table) {
    let (unknown, plan) = deal("local = \"unknown\"\ncheck = [\"unknown\"]", "");
    let more = repeated(&unknown, 14, 2);
    table.rejects("once more than fifteen times", "too often", (&more, &plan));
    for last in [Machine::Killed, Machine::PowerLost { lost: 1, kept: 0, torn: 0 }] {
        let forked = with_machine(&more, "broker-a", 600, &[last, Machine::Booted]);
        table.accepts("of each line of copies that a broker's end has made", (&forked, &plan));
    }
}
