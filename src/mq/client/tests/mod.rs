//! Scripted conversations: a client against peers that are a closure, a millisecond away.

#![allow(clippy::unwrap_used)]

mod send;

mod consume;

mod orderly;

mod puller;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::mq::app::{
    Call, ConsumeOutcome, ErrorKind, OpId, Ordered, OrderlyStatus, Return, Selector, SendBy, SendMode, SendStatus,
    SendTo, TaskId,
};
use crate::mq::client::Client;
use crate::mq::client::config::{ClientConfig, ConsumerConfig, ProducerConfig};
use crate::mq::disk::{Disk, DiskError, FileId, FileInfo, Usage};
use crate::mq::fact::Fact;
use crate::mq::message::property::Properties;
use crate::mq::message::{Host, Message, Name, PhysicalOffset, QueueOffset, StoredMessage, record};
use crate::mq::node::{
    Addr, Choice, ClosedWhy, ConnId, Costs, Effect, Event, Frame, Node, Out, RefusedWhy, Step, Stream, TimerKey,
};
use crate::mq::time::{Millis, Span, Time};
use crate::mq::wire::body::locks::{LockBatchRequestBody, LockBatchResponseBody};
use crate::mq::wire::body::{BrokerData, ConsumerIdList, JsonBody, QueueData, RouteData};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::codec::{self, Decoder};
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::{Header, PulledHeader, SendHeader, SentHeader};

const NAMESRV: Addr = Addr::new(10, 0, 1, 1, 9876);
const NAMESRV_2: Addr = Addr::new(10, 0, 1, 2, 9876);
const BROKER_A: Addr = Addr::new(10, 0, 2, 1, 10911);
const BROKER_B: Addr = Addr::new(10, 0, 2, 2, 10911);
const LATENCY: Span = Span::from_millis(1);
const WALL_AT_ZERO: i64 = 1_541_865_600_000;

/// What a peer does with a connection attempt.
#[derive(Clone, Copy, PartialEq)]
enum Door {
    Open,
    Refuses,
    Hole,
}

/// The command as it comes out of its frame: a response with its header untyped.
fn through_bytes(command: &Command) -> Command {
    let mut decoder = Decoder::new();
    decoder.push(&codec::encode(command));
    decoder.next().unwrap().unwrap()
}

type Peers = Box<dyn FnMut(Addr, &Command) -> Option<Box<Command>>>;

/// A client, its clock, its connections and what it did.
struct Stage {
    client: Client,
    now: Time,
    agenda: BTreeMap<(Time, u64), Event>,
    next: u64,
    timers: BTreeMap<TimerKey, Time>,
    conns: BTreeMap<ConnId, Addr>,
    doors: BTreeMap<Addr, Door>,
    peers: Peers,
    /// When, to whom, what.
    asked: Vec<(u64, Addr, Command)>,
    returned: Vec<(u64, Return)>,
    facts: Vec<Fact>,
    exited: bool,
}

impl Stage {
    fn new(config: ClientConfig, peers: impl FnMut(Addr, &Command) -> Option<Box<Command>> + 'static) -> Stage {
        let mut out = Out::default();
        let client = Client::boot(config, &mut step(Time::ZERO, &mut out, &mut NoDisk, &mut Zero));
        let mut stage = Stage {
            client,
            now: Time::ZERO,
            agenda: BTreeMap::new(),
            next: 0,
            timers: BTreeMap::new(),
            conns: BTreeMap::new(),
            doors: BTreeMap::new(),
            peers: Box::new(peers),
            asked: Vec::new(),
            returned: Vec::new(),
            facts: Vec::new(),
            exited: false,
        };
        stage.perform(out);
        stage
    }

    fn door(mut self, addr: Addr, door: Door) -> Stage {
        self.doors.insert(addr, door);
        self
    }

    fn on(&mut self, event: Event) {
        let mut out = Out::default();
        self.client.on(event, &mut step(self.now, &mut out, &mut NoDisk, &mut Zero));
        self.perform(out);
    }

    fn after(&mut self, span: Span, event: Event) {
        self.agenda.insert((self.now + span, self.next), event);
        self.next += 1;
    }

    fn perform(&mut self, mut out: Out) {
        for effect in out.drain() {
            match effect {
                Effect::Connect { conn, to } => {
                    self.conns.insert(conn, to);
                    match self.doors.get(&to).copied().unwrap_or(Door::Open) {
                        Door::Open => self.after(LATENCY, Event::Connected { conn }),
                        Door::Refuses => self.after(LATENCY, Event::Refused { conn, why: RefusedWhy::Refused }),
                        Door::Hole => {
                            self.after(Span::from_secs(3), Event::Refused { conn, why: RefusedWhy::TimedOut });
                        }
                    }
                }
                Effect::Send { conn, frame: Frame::Command(command) } => {
                    let addr = self.conns[&conn];
                    assert_eq!(through_bytes(&command), *command, "a frame decodes to the command it encoded");
                    self.asked.push((self.now.as_millis(), addr, (*command).clone()));
                    if let Some(mut answer) = (self.peers)(addr, &command)
                        && !command.is_oneway()
                    {
                        answer.opaque = command.opaque;
                        let answer = Box::new(through_bytes(&answer));
                        self.after(LATENCY, Event::Received { conn, frame: Frame::Command(answer) });
                    }
                }
                Effect::Arm { timer, at } => {
                    self.timers.insert(timer, at);
                }
                Effect::Disarm { timer } => {
                    self.timers.remove(&timer);
                }
                Effect::App(answer) => self.returned.push((self.now.as_millis(), Arc::unwrap_or_clone(answer))),
                Effect::Say(fact) => self.facts.push(fact),
                Effect::Exit => self.exited = true,
                Effect::Close { .. } | Effect::Flush { .. } | Effect::Send { .. } => {}
            }
        }
    }

    /// Lets everything happen until `millis` after the start.
    fn until(&mut self, millis: u64) {
        let end = Time::ZERO + Span::from_millis(millis);
        loop {
            let timer = self.timers.iter().map(|(timer, at)| (*at, *timer)).min();
            let event = self.agenda.first_key_value().map(|(key, _)| *key);
            match (timer, event) {
                (Some((at, timer)), event) if at <= end && event.is_none_or(|event| at < event.0) => {
                    self.now = self.now.max(at);
                    self.timers.remove(&timer);
                    self.on(Event::Fired { timer });
                }
                (_, Some(key)) if key.0 <= end => {
                    self.now = self.now.max(key.0);
                    let event = self.agenda.remove(&key).unwrap();
                    self.on(event);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn send(&mut self, op: u64) {
        self.send_with(op, "hello", None);
    }

    fn send_with(&mut self, op: u64, body: &'static str, timeout: Option<Span>) {
        let message = Message {
            topic: "T".into(),
            flag: 0,
            properties: Properties::new(),
            body: Bytes::from_static(body.as_bytes()),
        };
        self.on(Event::App(Box::new(Call::Send { op: OpId(op), group: "PG".into(), message, timeout })));
    }

    /// The answer to an operation: when, and what.
    #[track_caller]
    fn answer(&self, op: u64) -> (u64, &Return) {
        let of = |answer: &Return| match answer {
            Return::Sent { op, .. }
            | Return::SentInTransaction { op, .. }
            | Return::Failed { op, .. }
            | Return::Administered { op, .. }
            | Return::Told { op, .. }
            | Return::Done { op } => Some(*op),
            Return::Listen { .. }
            | Return::Execute { .. }
            | Return::Check { .. }
            | Return::Select { .. }
            | Return::QueuesChanged { .. } => None,
        };
        let found: Vec<_> = self.returned.iter().filter(|(_, answer)| of(answer) == Some(OpId(op))).collect();
        assert_eq!(found.len(), 1, "answers to {op}: {found:?}");
        (found[0].0, &found[0].1)
    }

    #[track_caller]
    fn failure(&self, op: u64) -> (u64, ErrorKind, &str, u32, bool) {
        let (at, answer) = self.answer(op);
        let Return::Failed { error, .. } = answer else { panic!("{op} ended with {answer:?}") };
        (at, error.kind, &error.text, error.attempts, error.provably_not_stored)
    }

    /// The times and addresses of requests with this code.
    fn asked_with(&self, code: i32) -> Vec<(u64, Addr)> {
        self.asked.iter().filter(|(_, _, command)| command.code == code).map(|(at, addr, _)| (*at, *addr)).collect()
    }

    fn conn_to(&self, addr: Addr) -> ConnId {
        *self.conns.iter().rev().find(|(_, to)| **to == addr).unwrap().0
    }

    fn kinds(&self, kind: &str) -> usize {
        self.facts.iter().filter(|fact| fact.kind() == kind).count()
    }
}

fn step<'a>(now: Time, out: &'a mut Out, disk: &'a mut NoDisk, dice: &'a mut Zero) -> Step<'a> {
    const FREE: &Costs = &Costs([Span::ZERO; 4]);
    Step { wall: Millis(WALL_AT_ZERO + now.as_millis() as i64), mono: now, disk, dice, costs: FREE, out }
}

fn producer() -> ClientConfig {
    let mut config = ClientConfig::new("p", 0x0A00_0301, 7, vec![NAMESRV]);
    config.producers.push(ProducerConfig::new("PG"));
    config
}

fn consumer() -> ClientConfig {
    let mut config = ClientConfig::new("c", 0x0A00_0401, 8, vec![NAMESRV]);
    let mut consumer = ConsumerConfig::new("CG");
    consumer.subscriptions.push(("T".into(), "TagA || TagB".into()));
    config.consumers.push(consumer);
    config
}

/// A route over these masters, with so many queues on each.
fn route(brokers: &[(&str, Addr)], queues: i32) -> Box<Command> {
    let data = RouteData {
        order_topic_conf: None,
        queue_datas: brokers
            .iter()
            .map(|(name, _)| QueueData {
                broker_name: (*name).into(),
                read_queue_nums: queues,
                write_queue_nums: queues,
                perm: 6,
                topic_sys_flag: 0,
            })
            .collect(),
        broker_datas: brokers
            .iter()
            .map(|(name, addr)| BrokerData {
                cluster: "C".into(),
                broker_name: (*name).into(),
                broker_addrs: BTreeMap::from([(0, Name::from(addr.to_string()))]),
            })
            .collect(),
        filter_server_table: BTreeMap::new(),
    };
    ok(Header::None).with_body(data.encode())
}

fn ok(header: Header) -> Box<Command> {
    Command::response(response::SUCCESS, Opaque(0), header)
}

fn code(code: i32, remark: &str) -> Box<Command> {
    Command::response(code, Opaque(0), Header::None).with_remark(remark)
}

fn stored(queue_id: i32) -> Box<Command> {
    let msg_id = "0A00020100002A9F0000000000000000".into();
    ok(Header::Sent(SentHeader { msg_id, queue_id, queue_offset: 5, transaction_id: None }))
}

/// Topic T on two masters, two queues each; brokers store.
fn two_masters(addr: Addr, command: &Command) -> Option<Box<Command>> {
    match (command.code, &command.header) {
        (request::GET_ROUTEINTO_BY_TOPIC, Header::Route(topic)) if *topic == "T" => {
            Some(route(&[("a", BROKER_A), ("b", BROKER_B)], 2))
        }
        (request::GET_ROUTEINTO_BY_TOPIC, _) => Some(code(response::TOPIC_NOT_EXIST, "no route")),
        (request::SEND_MESSAGE_V2, Header::Send(header)) => {
            assert!(addr.port == 10909, "sends use the VIP port");
            Some(stored(header.queue_id))
        }
        _ => Some(ok(Header::None)),
    }
}

/// A broker with one queue of T and the group's retry queue; pulls are answered by `pull`.
fn one_queue(
    mut pull: impl FnMut(&str, i64) -> Option<Box<Command>>,
) -> impl FnMut(Addr, &Command) -> Option<Box<Command>> {
    move |_, command| match (command.code, &command.header) {
        (request::GET_ROUTEINTO_BY_TOPIC, Header::Route(topic)) if *topic == "T" || topic.starts_with("%RETRY%") => {
            Some(route(&[("a", BROKER_A)], 1))
        }
        (request::GET_ROUTEINTO_BY_TOPIC, _) => Some(code(response::TOPIC_NOT_EXIST, "no route")),
        (request::GET_CONSUMER_LIST_BY_GROUP, _) => {
            Some(ok(Header::None).with_body(ConsumerIdList(vec!["10.0.4.1@8".into()]).encode()))
        }
        (request::QUERY_CONSUMER_OFFSET, _) => Some(ok(Header::Offset(3))),
        (request::PULL_MESSAGE, Header::Pull(header)) => pull(&header.topic, header.queue_offset),
        _ => Some(ok(Header::None)),
    }
}

fn pulled(code: i32, next: i64, messages: &[(i64, &str)]) -> Box<Command> {
    let mut answer = pulled_of(next, messages, 5);
    answer.code = code;
    answer
}

/// Messages of so many bytes.
fn pulled_of(next: i64, messages: &[(i64, &str)], size: usize) -> Box<Command> {
    let text = match size {
        5 => Bytes::from_static(b"hello"),
        _ => Bytes::from(vec![b'x'; size]),
    };
    let header = PulledHeader { suggest_which_broker_id: 0, next_begin_offset: next, min_offset: 0, max_offset: next };
    let mut body = Vec::new();
    for (offset, tag) in messages {
        let mut properties = Properties::new();
        properties.put("TAGS", *tag);
        properties.put("UNIQ_KEY", "K");
        body.extend_from_slice(&record::encode(&StoredMessage {
            message: Message { topic: "T".into(), flag: 0, properties, body: text.clone() },
            broker: None,
            queue_id: 0,
            store_size: 0,
            queue_offset: QueueOffset(*offset),
            sys_flag: 0,
            born_timestamp: Millis(0),
            born_host: Host::default(),
            store_timestamp: Millis(0),
            store_host: Host::default(),
            commit_log_offset: PhysicalOffset(*offset * 100),
            body_crc: 0,
            reconsume_times: 0,
            prepared_transaction_offset: 0,
        }));
    }
    Command::response(response::SUCCESS, Opaque(0), Header::Pulled(header)).with_body(Bytes::from(body))
}

struct Zero;

impl Choice for Zero {
    fn below(&mut self, _: Stream, _: u64) -> u64 {
        0
    }
}

/// A client has no disk.
struct NoDisk;

impl Disk for NoDisk {
    fn open(&mut self, _: &str, _: u64) -> Result<FileId, DiskError> {
        Err(DiskError::Denied)
    }

    fn bytes(&mut self, _: FileId, _: std::ops::Range<u64>) -> &[u8] {
        &[]
    }

    fn write(&mut self, _: FileId, _: u64, _: &[u8]) {}

    fn write_through(&mut self, _: FileId, _: u64, _: &[u8]) -> Result<(), DiskError> {
        Err(DiskError::Denied)
    }

    fn put(&mut self, _: &str, _: &[u8]) -> Result<(), DiskError> {
        Err(DiskError::Denied)
    }

    fn get(&mut self, _: &str) -> Result<Bytes, DiskError> {
        Err(DiskError::NotFound)
    }

    fn rename(&mut self, _: &str, _: &str) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }

    fn remove(&mut self, _: &str) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }

    fn list(&mut self, _: &str) -> Vec<FileInfo> {
        Vec::new()
    }

    fn lock(&mut self, _: &str) -> Result<(), DiskError> {
        Err(DiskError::Denied)
    }

    fn space(&mut self) -> Usage {
        Usage { used: 0, total: 1 }
    }

    fn memory(&self) -> u64 {
        1
    }

    fn stalled(&self) -> u64 {
        0
    }
}
