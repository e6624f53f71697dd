//! Who boots what: the one place where a plan's node becomes a process of the system.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lab::fault::episode::FaultKind;
use crate::lab::scenario::plan::{BrokerPlan, ClientPlan, NodeKind, NodePlan, Plan};
use crate::lab::sim::disk::SimDisk;
use crate::lab::sim::link::Roads;
use crate::lab::sim::machine::{Action, Applications, Boot, BootApps, DiskSetup, Ledger, MachineSetup};
use crate::lab::sim::record::WireTap;
use crate::lab::sim::world::Setup;
use crate::lab::trace::log::Role;
use crate::lab::workload::apps::{AppAction, Apps};
use crate::lab::workload::ops::{Decider, Listener, Sender};
use crate::mq::app::{AdminCall, MessageModel, Return};
use crate::mq::broker::properties::Places;
use crate::mq::broker::properties::text::Pair;
use crate::mq::broker::{Broker, BrokerConfig, topic};
use crate::mq::client::Client;
use crate::mq::client::config::{ClientConfig, ConsumerConfig, ProducerConfig, PullConfig};
use crate::mq::client::consumer::local::readable;
use crate::mq::message::Name;
use crate::mq::namesrv::{Namesrv, NamesrvConfig, kv_config};
use crate::mq::node::{Addr, Event, Node, Timer, TimerKey};
use crate::mq::store::config::StoreConfig;
use crate::mq::time::Time;
use crate::mq::wire::code::{name_of_request, name_of_response, request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

/// Upstream's `listenPort` of a nameserver.
pub const NAMESERVER_PORT: u16 = 9_876;

/// What a plan says of a world.
pub fn setup(plan: &Plan) -> Setup {
    let mut setup = empty(plan);
    for node in &plan.nodes {
        setup.add_machine(machine(plan, node), node.boot.clone());
    }
    setup
}

/// What a plan says of a world, without its machines.
pub(crate) fn empty(plan: &Plan) -> Setup {
    let mut setup = Setup::new(plan.seed);
    setup.scenario = plan.scenario.clone();
    setup.start = plan.start;
    setup.until = plan.until;
    setup.roads =
        Roads { latency_min: plan.network.latency_min, latency_max: plan.network.latency_max, ..Roads::default() };
    setup.episodes = plan.episodes.as_slice().into();
    setup.reboots = reboots(plan);
    setup.profile = Name::from(plan.profile.name());
    // What a broker tells a sender is judged as it leaves, and who asks for a lock waits from then on; at level `full` all
    // frames are kept.
    let leaving = |command: &Command| matches!(command.header, Header::Sent(_)) || asks_for_locks(command);
    setup.tap = Some(WireTap { leaving, arriving: is_judged, label });
    setup
}

/// How brokers boot whose settings a fault changes, by the fault's place.
fn reboots(plan: &Plan) -> BTreeMap<u32, Boot> {
    let mut reboots = BTreeMap::new();
    for (number, episode) in (0..).zip(&plan.episodes) {
        let FaultKind::Reconfigure { node, changes } = &episode.kind else { continue };
        let Some(node) = plan.nodes.iter().find(|other| other.name == *node) else { continue };
        if let NodeKind::Broker(broker) = &node.kind {
            let mut config = broker_config(plan, node, broker);
            let pair =
                |(line, (key, value)): (usize, &(Name, Name))| Pair { line, key: key.clone(), value: value.clone() };
            let pairs: Vec<Pair> = (1..).zip(changes).map(pair).collect();
            config.apply(&pairs, Places::Given).expect("a fault's settings have been looked through");
            reboots.insert(number, broker_boot(config));
        }
    }
    reboots
}

fn broker_boot(config: BrokerConfig) -> Boot {
    Arc::new(move |step| match Broker::boot(config.clone(), step) {
        Ok(broker) => Ok(Box::new(broker) as Box<dyn Node>),
        Err(error) => Err(Name::from(error.to_string())),
    })
}

/// What checkers read at level `history`: where groups stand, where they read, when they are told to read elsewhere, that a
/// pull was refused, who asked for which lock and had it, and how a transaction is said to have ended.
fn is_judged(command: &Command) -> bool {
    match command.is_response() {
        false => {
            asks_for_locks(command)
                || matches!(
                    command.code,
                    request::UPDATE_CONSUMER_OFFSET
                        | request::PULL_MESSAGE
                        | request::UNLOCK_BATCH_MQ
                        | request::END_TRANSACTION
                )
        }
        true => match command.code {
            response::PULL_OFFSET_MOVED | response::SUBSCRIPTION_NOT_EXIST | response::SUBSCRIPTION_NOT_LATEST => true,
            response::SUCCESS => command.body.as_ref().is_some_and(|body| body.starts_with(LOCKED)),
            _ => false,
        },
    }
}

fn asks_for_locks(command: &Command) -> bool {
    !command.is_response() && command.code == request::LOCK_BATCH_MQ
}

/// So begins the answer to who asks for locks: `LockBatchResponseBody`.
const LOCKED: &[u8] = b"{\"lockOKMQSet\"";

/// A command's name in a trace.
fn label(command: &Command) -> &'static str {
    match command.is_response() {
        false => name_of_request(command.code),
        true => name_of_response(command.code),
    }
}

/// One machine of a plan.
pub(crate) fn machine(plan: &Plan, node: &NodePlan) -> MachineSetup {
    let (role, ports) = match &node.kind {
        NodeKind::Nameserver => (Role::Nameserver, vec![NAMESERVER_PORT]),
        // The port itself, the VIP channel's, and the replication port.
        NodeKind::Broker(broker) => {
            let port = broker.listen_port;
            (Role::Broker, vec![port, port.saturating_sub(2), port.saturating_add(1)])
        }
        NodeKind::Client(_) => (Role::Client, Vec::new()),
    };
    MachineSetup {
        name: node.name.clone(),
        role,
        ip: node.ip,
        ports,
        boot: process(plan, node),
        apps: applications(plan, node),
        disk: disk(plan, node),
    }
}

/// A boot of a node made by hand: a fork of it, woken once.
pub(crate) fn by_hand(node: Box<dyn Node>) -> Boot {
    let pristine = Pristine(std::sync::Mutex::new(node));
    Arc::new(move |step| {
        let mut process = pristine.fork();
        process.on(Event::Fired { timer: TimerKey::of(Timer::Toy) }, step);
        Ok(process)
    })
}

/// A node is `Send` and need not be `Sync`: forks of it are taken one at a time.
struct Pristine(std::sync::Mutex<Box<dyn Node>>);

impl Pristine {
    fn fork(&self) -> Box<dyn Node> {
        match self.0.lock() {
            Ok(node) => node.fork(),
            Err(poisoned) => poisoned.into_inner().fork(),
        }
    }
}

/// The disk of a node of the plan: a broker has one, a client that keeps its offsets itself, and a nameserver that operators give
/// something to keep.
fn disk(plan: &Plan, node: &NodePlan) -> Option<DiskSetup> {
    let setup = node.disk.clone();
    let (fsync_min, fsync_max) = (setup.fsync_min, setup.fsync_max);
    let keeps_files =
        match &node.kind {
            NodeKind::Nameserver => plan.operators.iter().flat_map(|operator| &operator.calls).any(|(_, call)| {
                matches!(call, AdminCall::OrderConf { .. } | AdminCall::UpdateTopic { order: true, .. })
            }),
            NodeKind::Broker(_) => true,
            NodeKind::Client(client) => {
                let pushed = client.consumers.iter().map(|consumer| consumer.model);
                let mut models = pushed.chain(client.pull_consumers.iter().map(|consumer| consumer.model));
                models.any(|model| model == MessageModel::Broadcasting)
            }
        };
    keeps_files.then(|| DiskSetup { fsync_min, fsync_max, make: Arc::new(move || Box::new(SimDisk::new(&setup))) })
}

/// The process of a node of the plan.
fn process(plan: &Plan, node: &NodePlan) -> Boot {
    match &node.kind {
        NodeKind::Nameserver => {
            let addr = Addr { ip: node.ip, port: NAMESERVER_PORT };
            let (profile, order_message_enable) = (plan.profile.clone(), plan.order_message_enable);
            let config = NamesrvConfig { addr, order_message_enable, profile };
            Arc::new(move |step| match kv_config::readable(step.disk) {
                Ok(()) => Ok(Box::new(Namesrv::boot(config.clone(), step)) as Box<dyn Node>),
                Err(error) => Err(Name::from(error.to_string())),
            })
        }
        NodeKind::Broker(broker) => broker_boot(broker_config(plan, node, broker)),
        NodeKind::Client(client) => {
            let config = client_config(plan, node, client);
            Arc::new(move |step| match readable(&config, step.disk) {
                Ok(()) => Ok(Box::new(Client::boot(config.clone(), step)) as Box<dyn Node>),
                Err(error) => Err(Name::from(error.to_string())),
            })
        }
    }
}

/// Where the nameservers of these names listen.
fn nameservers(plan: &Plan, names: &[Name]) -> Vec<Addr> {
    let found = names.iter().filter_map(|name| plan.nodes.iter().find(|node| node.name == *name));
    found.map(|node| Addr { ip: node.ip, port: NAMESERVER_PORT }).collect()
}

/// A broker's settings as a plan says them.
pub(crate) fn broker_config(plan: &Plan, node: &NodePlan, broker: &BrokerPlan) -> BrokerConfig {
    let addr = Addr { ip: node.ip, port: broker.listen_port };
    let read_write = topic::PERM_READ | topic::PERM_WRITE;
    let mut config = BrokerConfig::new(broker.broker_name.clone(), addr);
    config.apply(&broker.properties, Places::Given).expect("a plan's properties have been looked through");
    let store = StoreConfig {
        commit_log_file_size: broker.commit_log_file_size,
        consume_queue_file_size: broker.consume_queue_file_size,
        sync_flush: broker.sync_flush,
        role: broker.role,
        flush_interval: broker.flush_interval,
        flush_least_pages: broker.flush_least_pages as i64,
        flush_thorough_interval: broker.flush_thorough_interval,
        ..config.store
    };
    BrokerConfig {
        cluster: broker.cluster.clone(),
        broker_id: broker.broker_id,
        broker_ip1: broker.broker_ip1,
        nameservers: nameservers(plan, &broker.nameservers),
        auto_create_topic_enable: broker.auto_create_topic,
        topics: broker
            .topics
            .iter()
            .map(|preset| topic::config(preset.topic.clone(), preset.queues, read_write))
            .collect(),
        profile: broker.profile.clone().unwrap_or_else(|| plan.profile.clone()),
        store,
        ..config
    }
}

fn client_config(plan: &Plan, node: &NodePlan, client: &ClientPlan) -> ClientConfig {
    let place = plan.nodes.iter().position(|other| other.name == node.name).unwrap_or(0);
    let nameservers = nameservers(plan, &client.nameservers);
    let mut config = ClientConfig::new(node.name.clone(), node.ip, FIRST_PID + place as u16, nameservers);
    let twin = client.client_id_of.as_ref().and_then(|name| plan.nodes.iter().position(|other| other.name == *name));
    config.says = twin.map(|place| (plan.nodes[place].ip, FIRST_PID + place as u16));
    config.profile = plan.profile.clone();
    config.producers = client
        .producers
        .iter()
        .map(|producer| ProducerConfig {
            send_msg_timeout: producer.send_timeout,
            retry_times_when_send_failed: producer.retries,
            retry_another_broker_when_not_store_ok: producer.retry_not_ok,
            send_latency_fault_enable: producer.latency_fault,
            transactional: producer.transactional,
            ..ProducerConfig::new(producer.group.clone())
        })
        .collect();
    config.consumers = client
        .consumers
        .iter()
        .map(|consumer| ConsumerConfig {
            subscriptions: consumer.subscriptions.clone(),
            message_model: consumer.model,
            consume_from: consumer.from,
            strategy: consumer.strategy.clone(),
            consume_thread_min: consumer.threads as usize,
            consume_message_batch_max_size: consumer.batch_max as usize,
            pull_batch_size: consumer.pull_batch as i32,
            max_reconsume_times: consumer.max_reconsume,
            consume_orderly: consumer.orderly,
            suspend_current_queue_time: consumer.suspend,
            pull_threshold_for_queue: consumer.limits.queue,
            pull_threshold_size_for_queue: consumer.limits.queue_mib,
            pull_threshold_for_topic: consumer.limits.topic,
            pull_threshold_size_for_topic: consumer.limits.topic_mib,
            consume_concurrently_max_span: consumer.limits.span,
            ..ConsumerConfig::new(consumer.group.clone())
        })
        .collect();
    config.consumers.extend(client.pull_consumers.iter().map(|consumer| ConsumerConfig {
        subscriptions: consumer.registered.iter().map(|topic| (topic.clone(), "*".into())).collect(),
        message_model: consumer.model,
        pull: Some(PullConfig { has_queue_listener: true, ..PullConfig::default() }),
        ..ConsumerConfig::pull(consumer.group.clone())
    }));
    config
}

/// The applications of a client process of the plan.
fn applications(plan: &Plan, node: &NodePlan) -> Option<BootApps> {
    if !matches!(node.kind, NodeKind::Client(_)) {
        return None;
    }
    let senders = own(0, &plan.senders, |sender| sender.node == node.name);
    let senders: Vec<(usize, Arc<Sender>)> =
        senders.into_iter().map(|(place, sender)| (place, Arc::new(sender))).collect();
    let listeners: Vec<Listener> =
        plan.listeners.iter().filter(|listener| listener.node == node.name).cloned().collect();
    let deciders: Vec<Decider> = plan.deciders.iter().filter(|decider| decider.node == node.name).cloned().collect();
    let first = plan.senders.len();
    let operators = own(first, &plan.operators, |operator| operator.node == node.name);
    let first = first + plan.operators.len();
    let pullers = own(first, &plan.pullers, |puller| puller.node == node.name);
    let first = first + plan.pullers.len();
    let steered = own(first, &plan.steered, |steered| steered.node == node.name);
    Some(Arc::new(move || {
        let apps = Apps::new(senders.clone(), listeners.clone(), deciders.clone());
        let apps = apps.with_operators(operators.clone()).with_pullers(pullers.clone());
        Box::new(Planned(apps.with_steered(steered.clone())))
    }))
}

/// Those of a plan's lines that are a node's own, with their places behind all that come before.
fn own<T: Clone>(first: usize, all: &[T], is_own: impl Fn(&T) -> bool) -> Vec<(usize, T)> {
    let own = all.iter().enumerate().filter(|(_, one)| is_own(one));
    own.map(|(place, one)| (first + place, one.clone())).collect()
}

/// The plan's applications behind the simulator's face.
struct Planned(Apps);

impl Applications for Planned {
    fn recall(&mut self, ledger: &Ledger) {
        self.0.recall(ledger);
    }

    fn boot(&mut self, now: Time, out: &mut Vec<Action>) {
        let mut actions = Vec::new();
        self.0.boot(now, &mut actions);
        out.extend(actions.into_iter().map(action));
    }

    fn on_return(&mut self, now: Time, answer: &Return, draw: &mut dyn FnMut(u64) -> u64, out: &mut Vec<Action>) {
        let mut actions = Vec::new();
        self.0.on_return(now, answer, draw, &mut actions);
        out.extend(actions.into_iter().map(action));
    }

    fn on_wake(&mut self, now: Time, token: u64, out: &mut Vec<Action>) {
        let mut actions = Vec::new();
        self.0.on_wake(now, token, &mut actions);
        out.extend(actions.into_iter().map(action));
    }

    fn fork(&self) -> Box<dyn Applications> {
        Box::new(Planned(self.0.clone()))
    }
}

fn action(action: AppAction) -> Action {
    match action {
        AppAction::Call(call) => Action::Call(call),
        AppAction::Wake { at, token } => Action::Wake { at, token },
        AppAction::Note { key, value } => Action::Note { key, value },
        AppAction::Crash => Action::Crash,
    }
}

/// The process id of the plan's first node; the others count on.
const FIRST_PID: u16 = 1_000;
