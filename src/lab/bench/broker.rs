//! *broker*: the traffic of *mini* through the real nameserver, broker, store and clients.
//!
//! Four producers with one send in flight each, one topic of four queues, one group of four consumers that pull up to 32 and
//! are held when there is nothing; 100,000 messages of 128 bytes; latency 1 to 10 ms, one frame in a hundred stalled for
//! 200 ms; recorded at level `history`. Every message is sent with success and delivered: checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::lab::bench::ping::roads;
use crate::lab::bench::{Case, Load, Round};
use crate::lab::fault::episode::Trigger;
use crate::lab::scenario::plan::{
    BrokerPlan, ClientPlan, ConsumerPlan, DiskPlan, LimitsPlan, Network, NodeKind, NodePlan, Plan, ProducerPlan,
    TopicPlan,
};
use crate::lab::sim::boot;
use crate::lab::sim::dice::Odds;
use crate::lab::sim::machine::{Action, Applications};
use crate::lab::trace::record::Level;
use crate::mq::app::{Call, ConsumeFrom, ConsumeOutcome, MessageModel, OpId, Return, SendStatus};
use crate::mq::client::consumer::allocate::Strategy;
use crate::mq::message::property::{Properties, names};
use crate::mq::message::{Group, Message, Name};
use crate::mq::profile::Profile;
use crate::mq::store::config::Role;
use crate::mq::time::{Millis, Span, Time};

const MESSAGES: u64 = 100_000;
const PRODUCERS: u64 = 4;
const CONSUMERS: u64 = 4;
/// Steps between two looks at whether all is done. Short turns, as of a judge that reads along: what was recorded is read
/// and dropped while it is still in the processor's caches.
const BETWEEN_LOOKS: u64 = 128;

pub(crate) const CASE: Case =
    Case { name: "broker", unit: "messages", round, units: |round| round.messages, round_trip_asked_ns: None };

fn round() -> Round {
    let plan = plan();
    let mut setup = boot::empty(&plan);
    setup.level = Level::History;
    setup.roads = roads();
    setup.roads.stall = Odds::of(1, 100);
    setup.roads.stall_for = Span::from_millis(200);
    let counts = Counts::default();
    for node in &plan.nodes {
        let mut machine = boot::machine(&plan, node);
        if let NodeKind::Client(client) = &node.kind {
            let (counts, to_send) =
                (counts.clone(), if client.producers.is_empty() { 0 } else { MESSAGES / PRODUCERS });
            machine.apps = Some(Arc::new(move || Box::new(Traffic::new(to_send, counts.clone()))));
        }
        setup.add_machine(machine, node.boot.clone());
    }
    let mut world = setup.world();
    world.run(1_000);
    let (_, pending) = world.agenda_load();
    while counts.delivered.load(Ordering::Relaxed) < MESSAGES {
        assert!(world.run(world.at() + BETWEEN_LOOKS), "the run goes on until all is delivered");
        world.take_records();
    }
    assert!(world.panics().is_empty(), "no process panics: {:?}", world.panics());
    assert!(counts.stored.load(Ordering::Relaxed) == MESSAGES, "each message is sent with success");
    let (filed, _) = world.agenda_load();
    Round {
        events: world.at(),
        messages: MESSAGES,
        runs: 1,
        virtual_ns: world.now().0,
        digest: world.digest(),
        load: Load { filed, pending, heaps: 1 },
        round_trip_ns: None,
        judged_ns: None,
        world: Some(Box::new(world)),
    }
}

#[derive(Clone, Default)]
struct Counts {
    stored: Arc<AtomicU64>,
    delivered: Arc<AtomicU64>,
}

/// The application of one client: sends its share one by one, consumes at once.
#[derive(Clone)]
struct Traffic {
    sent: u64,
    to_send: u64,
    group: Group,
    message: Message,
    counts: Counts,
}

impl Traffic {
    fn new(to_send: u64, counts: Counts) -> Traffic {
        let mut properties = Properties::new();
        properties.put(names::WAIT, "true");
        let message = Message { topic: TOPIC.into(), flag: 0, properties, body: Bytes::from_static(&[b'x'; 128]) };
        Traffic { sent: 0, to_send, group: PRODUCER_GROUP.into(), message, counts }
    }

    fn send(&mut self, out: &mut Vec<Action>) {
        if self.sent == self.to_send {
            return;
        }
        let (group, message) = (self.group.clone(), self.message.clone());
        let call = Call::Send { op: OpId(self.sent), group, message, timeout: None };
        self.sent += 1;
        out.push(Action::Call(Box::new(call)));
    }
}

impl Applications for Traffic {
    fn boot(&mut self, now: Time, out: &mut Vec<Action>) {
        out.push(Action::Wake { at: now + Span::from_secs(35), token: 0 });
    }

    fn on_return(&mut self, _now: Time, answer: &Return, _draw: &mut dyn FnMut(u64) -> u64, out: &mut Vec<Action>) {
        match answer {
            Return::Sent { result, .. } => {
                self.counts.stored.fetch_add(u64::from(result.status == SendStatus::SendOk), Ordering::Relaxed);
                self.send(out);
            }
            Return::Listen { task, messages, .. } => {
                self.counts.delivered.fetch_add(messages.len() as u64, Ordering::Relaxed);
                let outcome = ConsumeOutcome::Success { ack_index: i32::MAX };
                out.push(Action::Call(Box::new(Call::Listened { task: *task, outcome })));
            }
            Return::Failed { error, .. } => panic!("a send failed: {}", error.text),
            Return::Done { .. }
            | Return::Administered { .. }
            | Return::Told { .. }
            | Return::QueuesChanged { .. }
            | Return::Execute { .. }
            | Return::Select { .. }
            | Return::Check { .. }
            | Return::SentInTransaction { .. } => {}
        }
    }

    fn on_wake(&mut self, _now: Time, _token: u64, out: &mut Vec<Action>) {
        self.send(out);
    }

    fn fork(&self) -> Box<dyn Applications> {
        Box::new(self.clone())
    }
}

const TOPIC: &str = "orders";
const PRODUCER_GROUP: &str = "shop-producers";

fn plan() -> Plan {
    let mut nodes = vec![node("ns-1", [10, 0, 1, 1], NodeKind::Nameserver), node("broker-a", [10, 0, 2, 1], broker())];
    for number in 1..=PRODUCERS {
        nodes.push(node(format!("producer-{number}"), [10, 0, 3, number as u8], producer()));
    }
    for number in 1..=CONSUMERS {
        nodes.push(node(format!("consumer-{number}"), [10, 0, 4, number as u8], consumer()));
    }
    Plan {
        scenario: "bench-broker".into(),
        seed: 1,
        until: Time::NEVER,
        start: Millis(1_541_865_600_000),
        profile: Profile::FAITHFUL,
        order_message_enable: false,
        network: Network { latency_min: Span::from_millis(1), latency_max: Span::from_millis(10) },
        nodes,
        senders: Vec::new(),
        listeners: Vec::new(),
        operators: Vec::new(),
        pullers: Vec::new(),
        steered: Vec::new(),
        deciders: Vec::new(),
        episodes: Vec::new(),
        expects: Vec::new(),
    }
}

fn node(name: impl Into<Name>, ip: [u8; 4], kind: NodeKind) -> NodePlan {
    let (fsync_min, fsync_max) = (Span::from_millis(2), Span::from_millis(9));
    let disk = DiskPlan { fsync_min, fsync_max, ..DiskPlan::default() };
    NodePlan { name: name.into(), ip: u32::from_be_bytes(ip), disk, boot: Trigger::At(Time::ZERO), kind }
}

fn broker() -> NodeKind {
    NodeKind::Broker(Box::new(BrokerPlan {
        profile: None,
        cluster: "DefaultCluster".into(),
        broker_name: "broker-a".into(),
        broker_id: 0,
        broker_ip1: u32::from_be_bytes([10, 0, 2, 1]),
        listen_port: 10_911,
        nameservers: vec!["ns-1".into()],
        role: Role::AsyncMaster,
        sync_flush: false,
        flush_interval: Span::from_millis(500),
        flush_least_pages: 4,
        flush_thorough_interval: Span::from_secs(10),
        commit_log_file_size: 1 << 30,
        consume_queue_file_size: 6_000_000,
        auto_create_topic: true,
        topics: vec![TopicPlan { topic: TOPIC.into(), queues: 4 }],
        properties: Vec::new(),
    }))
}

fn producer() -> NodeKind {
    let producer = ProducerPlan {
        group: PRODUCER_GROUP.into(),
        send_timeout: Span::from_secs(3),
        retries: 2,
        latency_fault: false,
        retry_not_ok: false,
        transactional: false,
    };
    client(vec![producer], Vec::new())
}

fn consumer() -> NodeKind {
    let consumer = ConsumerPlan {
        group: "billing".into(),
        subscriptions: vec![(TOPIC.into(), "*".into())],
        threads: 20,
        batch_max: 1,
        pull_batch: 32,
        model: MessageModel::Clustering,
        from: ConsumeFrom::First,
        strategy: Strategy::Averagely,
        max_reconsume: -1,
        orderly: false,
        suspend: Span::from_secs(1),
        limits: LimitsPlan::default(),
    };
    client(Vec::new(), vec![consumer])
}

fn client(producers: Vec<ProducerPlan>, consumers: Vec<ConsumerPlan>) -> NodeKind {
    NodeKind::Client(Box::new(ClientPlan {
        client_id_of: None,
        nameservers: vec!["ns-1".into()],
        producers,
        consumers,
        pull_consumers: Vec::new(),
    }))
}
