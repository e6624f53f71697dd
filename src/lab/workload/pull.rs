//! Classic pull loops: a round over the queues of a topic, each pulled until it is empty, with the offsets in a table.
//!
//! ```text
//!  fetchSubscribeMessageQueues ─▶ queue ─▶ pull from where the table says ─▶ work ─▶ note where to go on ─┐
//!        ▲                          ▲           ▲                                                          │ FOUND
//!        └── pause, a new round     └─ NO_NEW_MSG, an exception: the next queue        └───────────────────┘
//! ```
//!
//! The table is the application's own. In memory it dies with the process; in the machine's ledger it is written in the moment
//! in which the work on a batch ends, as a database would; at the broker it is where a push consumer keeps it. Nobody tries a
//! message again on which the work failed: the loop goes on behind it, unless it gives it back.

use std::collections::BTreeMap;

use crate::lab::workload::apps::AppAction;
use crate::lab::workload::ops::{How, Keep, Puller};
use crate::mq::app::pull::{PullAnswer, PullCall, PullResult, PullStatus, PullWanted, SendBack};
use crate::mq::app::{Call, OpId};
use crate::mq::message::property::names;
use crate::mq::message::{MessageQueue, Name, StoredMessage};
use crate::mq::time::{Span, Time};

/// One pull loop of a process.
#[derive(Clone, Debug)]
pub(super) struct PullLoop {
    puller: Puller,
    /// Numbers its operations.
    base: u64,
    next_op: u64,
    /// Wakes it.
    pub(super) token: u64,
    table: BTreeMap<MessageQueue, i64>,
    /// The queues of this round, and the one whose turn it is.
    queues: Vec<MessageQueue>,
    at: usize,
    rounds: u64,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// A round begins when it wakes.
    Resting,
    /// It waits for an answer.
    Asking,
    /// It works on what was pulled.
    Working(Box<PullResult>),
    /// It gives these back, one after the other; then it goes on there.
    Giving(Vec<SendBack>, i64),
    /// It has written its place to the broker, and waits for that.
    Telling,
}

impl PullLoop {
    pub(super) fn new(puller: Puller, base: u64, token: u64) -> PullLoop {
        let (table, queues) = Default::default();
        PullLoop { puller, base, next_op: 0, token, table, queues, at: 0, rounds: 0, state: State::Resting }
    }

    /// Whether an operation is its own.
    pub(super) fn owns(&self, op: OpId, mask: u64) -> bool {
        self.base == op.0 & !mask
    }

    /// Reads the ledger of its machine, if its table is there.
    pub(super) fn recall(&mut self, ledger: &BTreeMap<Name, Name>) {
        if self.puller.keep != Keep::Ledger {
            return;
        }
        for (key, value) in ledger {
            let parts: Vec<&str> = key.splitn(3, '/').collect();
            if let ([topic, broker, queue_id], Ok(offset)) = (&parts[..], value.parse())
                && let Ok(queue_id) = queue_id.parse()
            {
                let queue = MessageQueue { topic: (*topic).into(), broker: (*broker).into(), queue_id };
                self.table.insert(queue, offset);
            }
        }
    }

    pub(super) fn boot(&self, now: Time) -> AppAction {
        AppAction::Wake { at: now + self.puller.start, token: self.token }
    }

    /// Its time has come: a round begins, or the work on a batch is done.
    pub(super) fn wake(&mut self, now: Time, out: &mut Vec<AppAction>) {
        match std::mem::replace(&mut self.state, State::Asking) {
            State::Resting => {
                let topic = self.puller.topic.clone();
                self.call(PullCall::Queues(topic), out);
            }
            State::Working(result) => self.worked(now, *result, out),
            other => self.state = other,
        }
    }

    /// A call was answered; `takes` is how long the work on a batch takes.
    pub(super) fn told(&mut self, now: Time, what: &PullAnswer, takes: Span, out: &mut Vec<AppAction>) {
        match what {
            PullAnswer::Queues(queues) => {
                (self.queues, self.at) = (queues.clone(), 0);
                self.go_to_queue(now, out);
            }
            PullAnswer::Offset(offset) => {
                if let Some(queue) = self.queues.get(self.at).cloned() {
                    self.table.insert(queue, (*offset).max(0));
                }
                self.pull(now, out);
            }
            PullAnswer::Pulled(result) if takes == Span::ZERO || result.status != PullStatus::Found => {
                self.worked(now, result.clone(), out);
            }
            PullAnswer::Pulled(result) => {
                self.state = State::Working(Box::new(result.clone()));
                out.push(AppAction::Wake { at: now + takes, token: self.token });
            }
        }
    }

    /// A call without a result is done: a message is given back, or the place is told.
    pub(super) fn done(&mut self, now: Time, out: &mut Vec<AppAction>) {
        match std::mem::replace(&mut self.state, State::Asking) {
            State::Giving(rest, next) => self.give(now, rest, next, out),
            State::Telling => self.pull(now, out),
            other => self.state = other,
        }
    }

    /// A call threw: the next queue's turn, or the next round's.
    pub(super) fn failed(&mut self, now: Time, out: &mut Vec<AppAction>) {
        self.at += 1;
        self.go_to_queue(now, out);
    }

    fn worked(&mut self, now: Time, result: PullResult, out: &mut Vec<AppAction>) {
        let failed = if self.puller.gives_back { backs(&self.puller, &result) } else { Vec::new() };
        if result.status == PullStatus::NoNewMsg {
            self.table.insert(result.queue, result.next_begin_offset);
            self.at += 1;
            return self.go_to_queue(now, out);
        }
        self.give(now, failed, result.next_begin_offset, out);
    }

    /// Gives back what failed, then notes where to go on, and goes on.
    fn give(&mut self, now: Time, mut failed: Vec<SendBack>, next: i64, out: &mut Vec<AppAction>) {
        if let Some(back) = failed.pop() {
            self.call(PullCall::SendBack(Box::new(back)), out);
            self.state = State::Giving(failed, next);
            return;
        }
        let Some(queue) = self.queues.get(self.at).cloned() else { return };
        self.table.insert(queue.clone(), next);
        match self.puller.keep {
            Keep::Memory => {}
            Keep::Ledger => {
                let key = Name::from(format!("{}/{}/{}", queue.topic, queue.broker, queue.queue_id));
                out.push(AppAction::Note { key, value: Name::from(next) });
            }
            Keep::Broker => {
                self.call(PullCall::UpdateOffsetToBroker { queue, offset: next, is_oneway: false }, out);
                self.state = State::Telling;
                return;
            }
        }
        self.pull(now, out);
    }

    /// The next queue of the round, or the end of the round.
    fn go_to_queue(&mut self, now: Time, out: &mut Vec<AppAction>) {
        let Some(queue) = self.queues.get(self.at).cloned() else {
            self.rounds += 1;
            self.queues.clear();
            if self.puller.rounds.is_none_or(|rounds| self.rounds < rounds) {
                self.state = State::Resting;
                out.push(AppAction::Wake { at: now + self.puller.pause, token: self.token });
            }
            return;
        };
        match self.puller.keep == Keep::Broker && !self.table.contains_key(&queue) {
            true => self.call(PullCall::FetchOffset { queue, from_store: true }, out),
            false => self.pull(now, out),
        }
    }

    fn pull(&mut self, now: Time, out: &mut Vec<AppAction>) {
        let Some(queue) = self.queues.get(self.at).cloned() else { return self.go_to_queue(now, out) };
        let offset = self.table.get(&queue).copied().unwrap_or(0);
        let Puller { tags, batch, how, .. } = &self.puller;
        let wanted = PullWanted {
            queue,
            expression: tags.clone(),
            offset,
            max_nums: *batch,
            timeout: None,
            blocks: *how == How::Block,
            is_async: false,
        };
        self.call(PullCall::Pull(wanted), out);
    }

    fn call(&mut self, what: PullCall, out: &mut Vec<AppAction>) {
        let op = OpId(self.base | self.next_op);
        self.next_op += 1;
        self.state = State::Asking;
        let call = Call::Pull { op, group: self.puller.group.clone(), what: Box::new(what) };
        out.push(AppAction::Call(Box::new(call)));
    }

    /// How long the work on a batch takes, at least and at most.
    pub(super) fn takes(&self) -> (Span, Span) {
        (self.puller.takes_min, self.puller.takes_max)
    }
}

/// What of a batch the work fails on, as it would be given back; the first comes last.
pub(super) fn backs(puller: &Puller, result: &PullResult) -> Vec<SendBack> {
    let fails = |message: &&StoredMessage| {
        message.message.properties.get(names::KEYS).is_some_and(|key| puller.fails.contains(key))
    };
    let back = |message: &StoredMessage| SendBack {
        message: message.clone(),
        delay_level: 0,
        broker: message.broker.clone(),
        group: None,
    };
    result.messages.iter().rev().filter(fails).map(back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mq::app::MessageModel;

    fn queue() -> MessageQueue {
        MessageQueue { topic: "T".into(), broker: "a".into(), queue_id: 3 }
    }

    fn reader(keep: Keep) -> PullLoop {
        let puller = Puller {
            node: "r".into(),
            group: "G".into(),
            topic: "T".into(),
            tags: None,
            batch: 32,
            how: How::Pull,
            model: MessageModel::Clustering,
            threads: 20,
            start: Span::ZERO,
            pause: Span::from_secs(1),
            rounds: None,
            keep,
            takes_min: Span::ZERO,
            takes_max: Span::ZERO,
            fails: Vec::new(),
            gives_back: false,
            throws: false,
        };
        PullLoop::new(puller, 7 << 32, 0)
    }

    fn result(status: PullStatus, next: i64) -> PullAnswer {
        let (min_offset, max_offset, messages) = (0, next, Vec::new());
        PullAnswer::Pulled(PullResult {
            status,
            next_begin_offset: next,
            min_offset,
            max_offset,
            queue: queue(),
            messages,
        })
    }

    /// From where the last pull went.
    fn asked(out: &[AppAction]) -> Option<i64> {
        let found = out.iter().rev().find_map(|action| match action {
            AppAction::Call(call) => match &**call {
                Call::Pull { what, .. } => Some(what.number()),
                _ => None,
            },
            _ => None,
        });
        found.flatten()
    }

    #[test]
    fn a_queue_is_pulled_until_it_is_empty_and_then_there_is_a_pause() {
        let mut reader = reader(Keep::Memory);
        let mut out = Vec::new();
        reader.wake(Time::ZERO, &mut out);
        reader.told(Time::ZERO, &PullAnswer::Queues(vec![queue()]), Span::ZERO, &mut out);
        assert_eq!(asked(&out), Some(0));
        for (status, next) in [(PullStatus::Found, 5), (PullStatus::NoMatchedMsg, 9), (PullStatus::OffsetIllegal, 4)] {
            reader.told(Time::ZERO, &result(status, next), Span::ZERO, &mut out);
            assert_eq!(asked(&out), Some(next));
        }
        out.clear();
        reader.told(Time::ZERO, &result(PullStatus::NoNewMsg, 4), Span::ZERO, &mut out);
        assert_eq!(out, [AppAction::Wake { at: Time::ZERO + Span::from_secs(1), token: 0 }]);
    }

    #[test]
    fn what_is_in_the_ledger_is_there_again_and_what_is_remembered_is_not() {
        for (keep, from) in [(Keep::Ledger, 5), (Keep::Memory, 0)] {
            let mut out = Vec::new();
            let mut before = reader(keep);
            before.wake(Time::ZERO, &mut out);
            before.told(Time::ZERO, &PullAnswer::Queues(vec![queue()]), Span::ZERO, &mut out);
            before.told(Time::ZERO, &result(PullStatus::Found, 5), Span::ZERO, &mut out);
            let ledger = out.iter().filter_map(|action| match action {
                AppAction::Note { key, value } => Some((key.clone(), value.clone())),
                _ => None,
            });
            let mut again = reader(keep);
            again.recall(&ledger.collect());
            out.clear();
            again.wake(Time::ZERO, &mut out);
            again.told(Time::ZERO, &PullAnswer::Queues(vec![queue()]), Span::ZERO, &mut out);
            assert_eq!(asked(&out), Some(from));
        }
    }
}
