//! Plans made by hand, for tests that need a cluster and no scenario file.

use mqlab::lab::fault::episode::{Episode, FaultKind, Keep, Trigger};
use mqlab::lab::scenario::plan::{
    BrokerPlan, ClientPlan, ConsumerPlan, DiskPlan, LimitsPlan, Network, NodeKind, NodePlan, Plan, ProducerPlan,
    TopicPlan,
};
use mqlab::lab::workload::ops::{Listener, PlannedSend, Select, Sender, Way};
use mqlab::mq::app::{ConsumeFrom, MessageModel};
use mqlab::mq::client::consumer::allocate::Strategy;
use mqlab::mq::message::property::{Properties, names};
use mqlab::mq::message::{Message, Name};
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::Role;
use mqlab::mq::time::{Millis, Span, Time};

fn node(name: &str, ip: [u8; 4], kind: NodeKind) -> NodePlan {
    NodePlan {
        name: name.into(),
        ip: u32::from_be_bytes(ip),
        disk: DiskPlan::default(),
        boot: Trigger::At(Time::ZERO),
        kind,
    }
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
        topics: vec![TopicPlan { topic: "orders".into(), queues: 4 }],
        properties: Vec::new(),
    }))
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

fn sends(count: u64, every: Span) -> Vec<PlannedSend> {
    let send = |number: u64| {
        let mut properties = Properties::new();
        properties.put(names::KEYS, format!("order-{}", number + 1));
        properties.put(names::TAGS, "pay");
        properties.put(names::WAIT, "true");
        let body = format!("order {} of the shop", number + 1).into_bytes().into();
        let message = Message { topic: "orders".into(), flag: 0, properties, body };
        PlannedSend { due: Span(every.0 * number), message, timeout: None }
    };
    (0..count).map(send).collect()
}

/// One nameserver, one broker, a shop that sends `count` orders from 1 s on, a group of one that consumes them.
pub fn shop(seed: u64, count: u64, every: Span) -> Plan {
    let producer = ProducerPlan {
        group: "shop-producers".into(),
        send_timeout: Span::from_secs(3),
        retries: 2,
        latency_fault: false,
        retry_not_ok: false,
        transactional: false,
    };
    let consumer = ConsumerPlan {
        group: "billing".into(),
        subscriptions: vec![("orders".into(), "*".into())],
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
    Plan {
        scenario: "by-hand".into(),
        seed,
        until: Time(30_000_000_000),
        start: Millis(1_541_865_600_000),
        profile: Profile::FAITHFUL,
        order_message_enable: false,
        network: Network { latency_min: Span::from_millis(1), latency_max: Span::from_millis(4) },
        nodes: vec![
            node("ns-1", [10, 0, 1, 1], NodeKind::Nameserver),
            node("broker-a", [10, 0, 2, 1], broker()),
            node("shop", [10, 0, 3, 1], client(vec![producer], vec![])),
            node("billing-1", [10, 0, 3, 2], client(vec![], vec![consumer])),
        ],
        senders: vec![Sender {
            node: "shop".into(),
            group: "shop-producers".into(),
            way: Way::Sync,
            batch: 1,
            select: Select::RoundRobin,
            start: Span::from_secs(1),
            sends: sends(count, every),
        }],
        listeners: vec![Listener {
            node: "billing-1".into(),
            group: "billing".into(),
            is_ordered: false,
            rules: Vec::new(),
        }],
        operators: Vec::new(),
        pullers: Vec::new(),
        steered: Vec::new(),
        deciders: Vec::new(),
        episodes: Vec::new(),
        expects: Vec::new(),
    }
}

/// A fault at a moment.
pub fn episode(name: &str, at_ms: u64, kind: FaultKind) -> Episode {
    Episode { name: name.into(), trigger: Trigger::At(Time(at_ms * 1_000_000)), lasts: None, kind }
}

/// The broker dies at a moment, of a kill or without power, and boots again later.
pub fn outage(plan: &mut Plan, at_ms: u64, back_ms: u64, has_power: bool) {
    let node = Name::from("broker-a");
    let kind = match has_power {
        true => FaultKind::Kill { node: node.clone() },
        false => FaultKind::PowerLoss { node: node.clone(), keep: Keep::LoseAllUnsynced },
    };
    plan.episodes.push(episode("outage", at_ms, kind));
    plan.episodes.push(episode("return", back_ms, FaultKind::Restart { node }));
}
