//! Pulls on a timetable: a task for each queue that a pull consumer has, each of which asks its callback how long it rests.
//!
//! ```text
//!  messageQueueChanged ─▶ putTask: a task for each new queue, what is gone is cancelled
//!                            │ a thread is free, its time has come
//!                            ▼
//!            fetchConsumeOffset ─▶ pull ─▶ work ─▶ updateConsumeOffset ─▶ again after pullNextDelayTimeMillis
//! ```
//!
//! The callback is that of the release's example: it catches what the consumer throws, and then the context's own delay holds;
//! what the work throws may pass through it, and then the place is not noted and the service waits for a second. The service
//! is application code, for upstream's class knows nothing but a pull consumer's public methods; the place is reported when the
//! process reports every place.
//!
//! Source: `MQPullConsumerScheduleService`, `PullTaskContext`; the callback: `PullScheduleService` of the examples.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::workload::apps::AppAction;
use crate::lab::workload::ops::Puller;
use crate::lab::workload::pull::backs;
use crate::mq::app::pull::{DELAY_WHEN_THROWN, NEXT_DELAY, PullAnswer, PullCall, PullResult, PullWanted, SendBack};
use crate::mq::app::{Call, MessageModel, OpId};
use crate::mq::message::MessageQueue;
use crate::mq::time::{Span, Time};

/// The service of one pull consumer.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    puller: Puller,
    /// Numbers its operations.
    base: u64,
    next_op: u64,
    /// Wakes it.
    pub(super) token: u64,
    /// Every task that may run once more. Source: `taskTable`, and those that it has forgotten while they run.
    tasks: BTreeMap<u64, Task>,
    next_task: u64,
    /// Tasks by the moment for which they are scheduled, and the order in which they were.
    due: BTreeSet<(Time, u64, u64)>,
    next_due: u64,
    /// Tasks whose work on a batch ends then.
    working: BTreeSet<(Time, u64)>,
    /// How many tasks have a thread.
    running: usize,
    /// Which task waits for an operation.
    asked: BTreeMap<u64, u64>,
}

#[derive(Clone, Debug)]
struct Task {
    queue: MessageQueue,
    cancelled: bool,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// It has no thread.
    Scheduled,
    /// It waits for an answer.
    Asking,
    /// It works on what was pulled.
    Working(Box<PullResult>),
    /// It gives these back, one after the other; then it notes this offset.
    Giving(Vec<SendBack>, i64),
    /// It notes where to go on.
    Noting,
}

impl Schedule {
    pub(super) fn new(puller: Puller, base: u64, token: u64) -> Schedule {
        let (tasks, due, working, asked) = Default::default();
        let (next_op, next_task, next_due, running) = Default::default();
        Schedule { puller, base, next_op, token, tasks, next_task, due, next_due, working, running, asked }
    }

    /// The consumer's queues have changed. Source: `MessageQueueListenerImpl`, `putTask`.
    pub(super) fn queues_changed(
        &mut self,
        now: Time,
        (all, mine): (&[MessageQueue], &[MessageQueue]),
        out: &mut Vec<AppAction>,
    ) {
        let queues = if self.puller.model == MessageModel::Broadcasting { all } else { mine };
        for task in self.tasks.values_mut() {
            task.cancelled |= !queues.contains(&task.queue);
        }
        for queue in queues {
            if self.tasks.values().any(|task| task.queue == *queue && !task.cancelled) {
                continue;
            }
            let id = self.next_task;
            self.next_task += 1;
            self.tasks.insert(id, Task { queue: queue.clone(), cancelled: false, stage: Stage::Scheduled });
            self.schedule(id, now, out);
        }
        self.run_what_is_due(now, out);
    }

    /// Its time has come: work ends, or tasks begin.
    pub(super) fn wake(&mut self, now: Time, out: &mut Vec<AppAction>) {
        while let Some((at, id)) = self.working.first().copied()
            && at <= now
        {
            self.working.remove(&(at, id));
            if let Some(Task { stage: Stage::Working(result), .. }) = self.tasks.get(&id) {
                let result = (**result).clone();
                self.worked(now, id, result, out);
            }
        }
        self.run_what_is_due(now, out);
    }

    /// A call was answered; `takes` is how long the work on a batch takes.
    pub(super) fn told(&mut self, now: Time, op: OpId, what: &PullAnswer, takes: Span, out: &mut Vec<AppAction>) {
        let Some(id) = self.asked.remove(&op.0) else { return };
        match what {
            PullAnswer::Offset(offset) => self.pull(id, (*offset).max(0), out),
            PullAnswer::Pulled(result) if takes == Span::ZERO => self.worked(now, id, result.clone(), out),
            PullAnswer::Pulled(result) => {
                self.set(id, Stage::Working(Box::new(result.clone())));
                self.working.insert((now + takes, id));
                out.push(AppAction::Wake { at: now + takes, token: self.token });
            }
            PullAnswer::Queues(_) => {}
        }
        self.run_what_is_due(now, out);
    }

    /// A call without a result is done: a message is given back, or the place is noted.
    pub(super) fn done(&mut self, now: Time, op: OpId, out: &mut Vec<AppAction>) {
        let Some(id) = self.asked.remove(&op.0) else { return };
        match self.tasks.get(&id).map(|task| task.stage.clone()) {
            Some(Stage::Giving(rest, next)) => self.give(id, rest, next, out),
            _ => self.end(now, id, self.puller.pause, out),
        }
        self.run_what_is_due(now, out);
    }

    /// A call threw, and the callback caught it before it had said how long to rest.
    pub(super) fn failed(&mut self, now: Time, op: OpId, out: &mut Vec<AppAction>) {
        let Some(id) = self.asked.remove(&op.0) else { return };
        self.end(now, id, NEXT_DELAY, out);
        self.run_what_is_due(now, out);
    }

    /// How long the work on a batch takes, at least and at most.
    pub(super) fn takes(&self) -> (Span, Span) {
        (self.puller.takes_min, self.puller.takes_max)
    }

    /// Whether an operation is its own.
    pub(super) fn owns(&self, op: OpId, mask: u64) -> bool {
        self.base == op.0 & !mask
    }

    /// Source: `PullTaskImpl.run`.
    fn run_what_is_due(&mut self, now: Time, out: &mut Vec<AppAction>) {
        while let Some((at, order, id)) = self.due.first().copied()
            && at <= now
            && self.running < self.puller.threads
        {
            self.due.remove(&(at, order, id));
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            if task.cancelled {
                self.tasks.remove(&id);
                continue;
            }
            self.running += 1;
            let queue = task.queue.clone();
            task.stage = Stage::Asking;
            self.call(id, PullCall::FetchOffset { queue, from_store: false }, out);
        }
    }

    fn pull(&mut self, id: u64, offset: i64, out: &mut Vec<AppAction>) {
        let Some(queue) = self.tasks.get(&id).map(|task| task.queue.clone()) else { return };
        let wanted = PullWanted {
            queue,
            expression: self.puller.tags.clone(),
            offset,
            max_nums: self.puller.batch,
            timeout: None,
            blocks: false,
            is_async: false,
        };
        self.call(id, PullCall::Pull(wanted), out);
    }

    fn worked(&mut self, now: Time, id: u64, result: PullResult, out: &mut Vec<AppAction>) {
        let failed = backs(&self.puller, &result);
        if self.puller.throws && !failed.is_empty() {
            return self.end(now, id, DELAY_WHEN_THROWN, out);
        }
        let failed = if self.puller.gives_back { failed } else { Vec::new() };
        self.give(id, failed, result.next_begin_offset, out);
    }

    fn give(&mut self, id: u64, mut failed: Vec<SendBack>, next: i64, out: &mut Vec<AppAction>) {
        if let Some(back) = failed.pop() {
            self.set(id, Stage::Giving(failed, next));
            return self.call(id, PullCall::SendBack(Box::new(back)), out);
        }
        let Some(queue) = self.tasks.get(&id).map(|task| task.queue.clone()) else { return };
        self.set(id, Stage::Noting);
        self.call(id, PullCall::UpdateOffset { queue, offset: next }, out);
    }

    /// A task gives its thread back, and is scheduled again unless its queue is gone.
    fn end(&mut self, now: Time, id: u64, delay: Span, out: &mut Vec<AppAction>) {
        self.running -= 1;
        match self.tasks.get(&id).is_none_or(|task| task.cancelled) {
            true => drop(self.tasks.remove(&id)),
            false => {
                self.set(id, Stage::Scheduled);
                self.schedule(id, now + delay, out);
            }
        }
    }

    fn schedule(&mut self, id: u64, at: Time, out: &mut Vec<AppAction>) {
        self.due.insert((at, self.next_due, id));
        self.next_due += 1;
        out.push(AppAction::Wake { at, token: self.token });
    }

    fn set(&mut self, id: u64, stage: Stage) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.stage = stage;
        }
    }

    fn call(&mut self, id: u64, what: PullCall, out: &mut Vec<AppAction>) {
        let op = OpId(self.base | self.next_op);
        self.next_op += 1;
        self.asked.insert(op.0, id);
        let call = Call::Pull { op, group: self.puller.group.clone(), what: Box::new(what) };
        out.push(AppAction::Call(Box::new(call)));
    }
}
