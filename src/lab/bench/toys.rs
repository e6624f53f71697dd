//! Toy nodes: enough protocol to drive the simulator, and nothing of RocketMQ.

use std::any::Any;

use bytes::Bytes;

use crate::mq::node::{Addr, ConnId, Event, Frame, Node, Step, Timer, TimerKey};
use crate::mq::time::{Span, Time};
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::Header;

/// The code of a toy's send.
pub const SEND: i32 = 1;
/// The code of a toy's pull.
pub const PULL: i32 = 2;
/// The code of a toy's echo request.
pub const ECHO: i32 = 3;

const RETRY: TimerKey = TimerKey { name: Timer::Toy, number: 1 };
const PAUSE: TimerKey = TimerKey { name: Timer::Toy, number: 2 };

/// Asks a peer again and again, one request in flight, and measures the round trips.
#[derive(Clone, Debug)]
pub struct Pinger {
    peer: Addr,
    left: u64,
    sent: Time,
    /// Answers heard.
    pub heard: u64,
    /// The sum of their round trips.
    pub waited: Span,
}

/// Answers whatever it is asked.
#[derive(Clone, Debug, Default)]
pub struct Echo {
    /// Requests answered.
    pub answered: u64,
}

/// Takes messages in, once each, and gives them out by queue.
#[derive(Clone, Debug)]
pub struct Broker {
    /// By queue: its messages, one behind the other.
    queues: Vec<Vec<u8>>,
    /// The next sequence number of each producer.
    next: Vec<u32>,
}

/// Sends numbered messages, one in flight, and sends again what is not answered in time.
#[derive(Clone, Debug)]
pub struct Producer {
    number: u32,
    broker: Addr,
    total: u32,
    next: u32,
    /// Sends, repeated ones included.
    pub sends: u64,
}

/// Pulls one queue to its end and checks that each message comes once and in order.
#[derive(Clone, Debug)]
pub struct Consumer {
    queue: u32,
    broker: Addr,
    next: u32,
    expected: u32,
    /// By producer: the next sequence number that this queue must bring.
    due: Vec<u32>,
}

/// Messages of one pull at most.
pub const BATCH: usize = 32;
/// Bytes of a message.
pub const BODY: usize = 128;
/// A client sends again after this long.
pub const RESEND: Span = Span::from_millis(100);
/// A consumer waits this long after a batch that was not full.
pub const IDLE: Span = Span::from_millis(50);
/// Queues of the toy broker.
pub const QUEUES: u32 = 4;

const CONN: ConnId = ConnId(1);

fn request(code: i32, opaque: u32) -> Box<Command> {
    Command::request(code, Opaque(opaque as i32), Header::None)
}

/// Turns a request into its answer, so that the box travels back.
fn answer(mut command: Box<Command>, body: Option<Bytes>) -> Box<Command> {
    command.flag = 1;
    command.body = body;
    command
}

fn number_at(body: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&body[at..at + 4]);
    u32::from_be_bytes(word)
}

macro_rules! as_node {
    ($type:ty) => {
        fn fork(&self) -> Box<dyn Node> {
            Box::new(<$type>::clone(self))
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    };
}

impl Pinger {
    /// Will ask `peer` so many times.
    pub fn new(peer: Addr, rounds: u64) -> Pinger {
        Pinger { peer, left: rounds, sent: Time::ZERO, heard: 0, waited: Span::ZERO }
    }

    fn ask(&mut self, step: &mut Step<'_>) {
        if self.left > 0 {
            self.left -= 1;
            self.sent = step.mono;
            step.out.send(CONN, request(ECHO, self.heard as u32));
        }
    }
}

impl Node for Pinger {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        match event {
            Event::Received { .. } => {
                self.heard += 1;
                self.waited += step.mono.since(self.sent);
                self.ask(step);
            }
            Event::Connected { .. } => self.ask(step),
            Event::Fired { .. } => step.out.connect(CONN, self.peer),
            _ => {}
        }
    }

    as_node!(Pinger);
}

impl Node for Echo {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        if let Event::Received { conn, frame: Frame::Command(command) } = event {
            self.answered += 1;
            step.out.send(conn, answer(command, None));
        }
    }

    as_node!(Echo);
}

impl Broker {
    /// An empty broker for so many producers.
    pub fn new(producers: u32) -> Broker {
        Broker { queues: vec![Vec::new(); QUEUES as usize], next: vec![0; producers as usize] }
    }

    /// How many messages it has taken in.
    pub fn stored(&self) -> usize {
        self.queues.iter().map(|queue| queue.len() / BODY).sum()
    }

    fn store(&mut self, body: &[u8]) {
        assert!(body.len() == BODY, "a toy message has {BODY} bytes");
        let (producer, number) = (number_at(body, 0) as usize, number_at(body, 4));
        if self.next[producer] == number {
            self.next[producer] += 1;
            self.queues[(number % QUEUES) as usize].extend_from_slice(body);
        }
    }

    fn pull(&self, queue: u32, from: u32) -> Bytes {
        let queue = &self.queues[queue as usize];
        let from = (from as usize * BODY).min(queue.len());
        let found = &queue[from..queue.len().min(from + BATCH * BODY)];
        Bytes::copy_from_slice(found)
    }
}

impl Node for Broker {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        let Event::Received { conn, frame: Frame::Command(mut command) } = event else { return };
        let body = match (command.code, command.body.take()) {
            (SEND, Some(body)) => {
                self.store(&body);
                None
            }
            (_, Some(body)) => Some(self.pull(number_at(&body, 0), command.opaque.0 as u32)),
            (_, None) => None,
        };
        step.out.send(conn, answer(command, body));
    }

    as_node!(Broker);
}

impl Producer {
    /// Producer `number`, which will send `total` messages.
    pub fn new(number: u32, broker: Addr, total: u32) -> Producer {
        Producer { number, broker, total, next: 0, sends: 0 }
    }

    fn send(&mut self, step: &mut Step<'_>) {
        self.sends += 1;
        let mut body = [0; BODY];
        body[..4].copy_from_slice(&self.number.to_be_bytes());
        body[4..8].copy_from_slice(&self.next.to_be_bytes());
        step.out.send(CONN, request(SEND, self.next).with_body(Bytes::copy_from_slice(&body)));
        step.out.arm(RETRY, step.mono + RESEND);
    }
}

impl Node for Producer {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        match event {
            Event::Received { frame: Frame::Command(command), .. } if command.opaque.0 as u32 == self.next => {
                self.next += 1;
                if self.next == self.total {
                    return step.out.disarm(RETRY);
                }
                self.send(step);
            }
            Event::Connected { .. } | Event::Fired { timer: RETRY } => self.send(step),
            Event::Fired { .. } => step.out.connect(CONN, self.broker),
            _ => {}
        }
    }

    as_node!(Producer);
}

impl Consumer {
    /// The consumer of `queue`, which ends after `expected` messages of `producers` producers.
    pub fn new(queue: u32, broker: Addr, producers: u32, expected: u32) -> Consumer {
        Consumer { queue, broker, next: 0, expected, due: vec![queue; producers as usize] }
    }

    /// Messages consumed, each once and in order.
    pub fn consumed(&self) -> u32 {
        self.next
    }

    fn pull(&self, step: &mut Step<'_>) {
        let queue = Bytes::copy_from_slice(&self.queue.to_be_bytes());
        step.out.send(CONN, request(PULL, self.next).with_body(queue));
        step.out.arm(RETRY, step.mono + RESEND);
    }

    fn take(&mut self, batch: &[u8], step: &mut Step<'_>) {
        for body in batch.chunks_exact(BODY) {
            let due = &mut self.due[number_at(body, 0) as usize];
            assert!(number_at(body, 4) == *due, "a message comes twice, or out of order");
            *due += QUEUES;
            self.next += 1;
        }
        if self.next == self.expected {
            return step.out.disarm(RETRY);
        }
        if batch.len() == BATCH * BODY {
            return self.pull(step);
        }
        step.out.disarm(RETRY);
        step.out.arm(PAUSE, step.mono + IDLE);
    }
}

impl Node for Consumer {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        match event {
            Event::Received { frame: Frame::Command(command), .. } if command.opaque.0 as u32 == self.next => {
                self.take(&command.body.unwrap_or_default(), step);
            }
            Event::Connected { .. } | Event::Fired { timer: RETRY | PAUSE } => self.pull(step),
            Event::Fired { .. } => step.out.connect(CONN, self.broker),
            _ => {}
        }
    }

    as_node!(Consumer);
}
