//! What processes, machines and clocks may do wrong: rows P4, P5, P7 and T1 to T6 of the catalogue, as data.

use crate::mq::time::Span;

/// A part of a process that can stand still alone: threads of upstream, and here the timers that stand for them (P4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    /// `flush`: `GroupCommitService`, `FlushRealTimeService`, `FlushConsumeQueueService`, `CommitRealTimeService`.
    Flush,
    /// `dispatch`: `ReputMessageService`.
    Dispatch,
    /// `ha`: `HAService`, its connections and its client: nothing of the replication's byte streams is read.
    Ha,
    /// `schedule`: `ScheduleMessageService`.
    Schedule,
    /// `rebalance`: `RebalanceService`.
    Rebalance,
    /// `heartbeat`: a client's heartbeats, a broker's registrations.
    Heartbeat,
    /// `listener-pool`: the threads in which a consumer's listeners run.
    ListenerPool,
}

impl Service {
    /// All of them, as a scenario writes them.
    pub const ALL: [(&'static str, Service); 7] = [
        ("flush", Service::Flush),
        ("dispatch", Service::Dispatch),
        ("ha", Service::Ha),
        ("schedule", Service::Schedule),
        ("rebalance", Service::Rebalance),
        ("heartbeat", Service::Heartbeat),
        ("listener-pool", Service::ListenerPool),
    ];

    /// As a scenario writes it.
    pub fn as_str(self) -> &'static str {
        Service::ALL[self as usize].0
    }
}

/// A kind of task whose threads a slow processor keeps busy (P5): later ones wait for a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// `send`: a broker takes a message in. One thread; who waits for it too long is told so.
    Send,
    /// `pull`: a broker answers a pull.
    Pull,
    /// `admin`: a broker does anything else: heartbeats, offsets, locks, ends of transactions, operators.
    Admin,
    /// `route`: a nameserver answers.
    Route,
}

impl Task {
    /// All of them, as a scenario writes them.
    pub const ALL: [(&'static str, Task); 4] =
        [("send", Task::Send), ("pull", Task::Pull), ("admin", Task::Admin), ("route", Task::Route)];

    /// As a scenario writes it.
    pub fn as_str(self) -> &'static str {
        Task::ALL[self as usize].0
    }
}

/// When a handler runs out of memory (P7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breaks {
    /// After so many more effects.
    After(u64),
    /// At each effect with these odds: one draw says at which.
    Odds(crate::lab::fault::road::Share),
}

/// What a machine's clocks do wrong. Its wall clock is what Java's `currentTimeMillis` gives, its monotonic one what drives
/// its timers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockWrong {
    /// The wall clock is off, and nobody is told (T1); from the beginning of the run if the fault begins there.
    Offset {
        /// By how many ms.
        millis: i64,
    },
    /// Both clocks run faster or slower (T2). When it ends the wall clock is set right, as a step.
    Drift {
        /// By how many millionths.
        millionths: i64,
    },
    /// Both clocks stand still, and then run faster until they have caught up (T4).
    Freeze {
        /// How long they stand still.
        span: Span,
        /// How much faster they run then, in millionths: 1,000,000 is twice as fast, 500 is a smear.
        faster: u64,
    },
    /// The wall clock moves in steps: many events have one timestamp (T5).
    Coarse {
        /// A step in ms.
        millis: u64,
    },
    /// The monotonic clock jumps ahead of the wall clock (T6). What it is ahead stays: it never goes back.
    Diverge {
        /// By how much.
        by: Span,
    },
}

impl ClockWrong {
    /// The verb that a scenario writes.
    pub fn verb(&self) -> &'static str {
        match self {
            ClockWrong::Offset { .. } => "clock-offset",
            ClockWrong::Drift { .. } => "clock-drift",
            ClockWrong::Freeze { .. } => "clock-freeze",
            ClockWrong::Coarse { .. } => "clock-coarse",
            ClockWrong::Diverge { .. } => "clock-diverge",
        }
    }
}
