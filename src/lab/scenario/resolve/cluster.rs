//! Nameservers, brokers and their topics.

use std::net::Ipv4Addr;

use toml::Spanned;

use super::{Resolver, head};
use crate::lab::fault::disk::Personality;
use crate::lab::fault::episode::Trigger;
use crate::lab::scenario::plan::{BrokerPlan, DiskPlan, NodeKind, NodePlan, TopicPlan};
use crate::lab::scenario::script::{BrokerScript, DiskScript, Text};
use crate::lab::scenario::table::Table;
use crate::mq::message::{Name, Topic};
use crate::mq::store::config::Role;
use crate::mq::time::{Span, Time};

/// Upstream's `listenPort` of a broker.
const BROKER_PORT: u16 = 10_911;
/// Bytes of a consume queue's unit.
const UNIT: i64 = 20;

/// `10.0.<kind>.<n>`, counted from 1 in the order of declaration.
pub(super) fn address(kind: u8, number: usize) -> u32 {
    u32::from_be_bytes([10, 0, kind, 0]) + number as u32
}

impl Resolver<'_> {
    /// The names of the nameservers.
    pub(super) fn nameservers(&self) -> Vec<Name> {
        self.nodes.iter().filter(|name| name.starts_with("ns-")).cloned().collect()
    }

    /// Nameservers first, then brokers.
    pub(super) fn servers(&mut self) -> Vec<NodePlan> {
        let script = self.script;
        let count = script.cluster.nameserver.as_ref().map_or(1, |count| *count.get_ref()).clamp(1, 16) as usize;
        let mut nodes: Vec<NodePlan> = (1..=count)
            .map(|number| NodePlan {
                name: Name::from(format!("ns-{number}")),
                ip: address(1, number),
                disk: DiskPlan::default(),
                boot: Trigger::At(Time::ZERO),
                kind: NodeKind::Nameserver,
            })
            .collect();
        if script.broker.is_empty() {
            let help = "add [[broker]] with `name = \"broker-a\"`";
            self.wrong("missing", None, "the cluster has no broker".into(), help);
        }
        if script.broker.len() > 200 {
            let at = script.broker[200].span();
            self.wrong("out_of_range", Some(head(at)), "a cluster has at most 200 brokers".into(), "leave some out");
        }
        let topics = self.topics();
        for (number, broker) in script.broker.iter().enumerate().take(200) {
            let name = broker.get_ref().name.as_ref().map_or("?", |name| name.get_ref());
            // A slave learns its topics from its master, unless one is made on it by name.
            let is_here = |on: &Option<Vec<Name>>| match on {
                Some(on) => on.iter().any(|one| *one == name),
                None => broker.get_ref().of.is_none(),
            };
            let mine = topics.iter().filter(|(_, on)| is_here(on)).map(|(topic, _)| topic.clone()).collect();
            let node = self.broker(broker, address(2, number + 1), mine, &nodes);
            nodes.push(node);
        }
        nodes
    }

    fn broker(
        &mut self,
        table: &Spanned<Table<BrokerScript>>,
        ip: u32,
        topics: Vec<TopicPlan>,
        before: &[NodePlan],
    ) -> NodePlan {
        let broker = table.get_ref();
        let name = Name::from(broker.name.as_ref().map_or("?", |name| name.get_ref().as_str()));
        let mut own = self.broker_properties(&name, &broker.properties);
        let roles = [("async-master", Role::AsyncMaster), ("sync-master", Role::SyncMaster), ("slave", Role::Slave)];
        let role = match &broker.role {
            Some(_) => self.word(&broker.role, "role", &roles),
            None if broker.of.is_some() => Role::Slave,
            None => own.config.store.role,
        };
        let master = self.master_of(table, role, before);
        let broker_id = self.broker_id(broker, (role, own.config.broker_id), (master, before));
        if let Some(master) = master {
            // Their logs are cut into files in the same places, or they could not be the same.
            own.config.cluster = master.cluster.clone();
            own.config.store.commit_log_file_size = master.commit_log_file_size;
            own.config.store.consume_queue_file_size = master.consume_queue_file_size;
        }
        let cluster = match &broker.cluster {
            Some(_) => self.legal(&broker.cluster, "cluster", 0..0),
            None => own.config.cluster.clone(),
        };
        let store = &own.config.store;
        let (log, queue) = (store.commit_log_file_size as i64, store.consume_queue_file_size as i64);
        let plan = BrokerPlan {
            cluster,
            broker_name: match &broker.broker {
                Some(_) => self.legal(&broker.broker, "broker", table.span()),
                None => master.map_or(&name, |master| &master.broker_name).clone(),
            },
            broker_id,
            broker_ip1: self.announced(&broker.announce, ip),
            listen_port: BROKER_PORT,
            nameservers: self.nameservers(),
            role,
            sync_flush: match &broker.flush {
                Some(_) => self.word(&broker.flush, "flush", &[("async", false), ("sync", true)]),
                None => store.sync_flush,
            },
            flush_interval: self.positive(&broker.flush_interval, store.flush_interval),
            flush_least_pages: self.number(
                &broker.flush_least_pages,
                store.flush_least_pages,
                0..=1 << 20,
                "flush_least_pages",
            ) as u64,
            flush_thorough_interval: self.positive(&broker.flush_thorough_interval, store.flush_thorough_interval),
            commit_log_file_size: self.number(
                &broker.commit_log_file_size,
                log,
                4_096..=i64::from(i32::MAX),
                "commit_log_file_size",
            ) as u64,
            // Upstream rounds up to whole units.
            consume_queue_file_size: (self.number(
                &broker.consume_queue_file_size,
                queue,
                UNIT..=1 << 30,
                "consume_queue_file_size",
            ) as u64)
                .next_multiple_of(UNIT as u64),
            auto_create_topic: broker.auto_create_topic.unwrap_or(own.config.auto_create_topic_enable),
            topics,
            properties: own.pairs,
            profile: broker.profile.as_ref().map(|_| self.word(&broker.profile, "profile", &super::PROFILES)),
        };
        let boot = self.moment(&broker.start, Trigger::At(Time::ZERO));
        let disk = self.disk(&broker.disk);
        NodePlan { name, ip, disk, boot, kind: NodeKind::Broker(Box::new(plan)) }
    }

    /// The master whose slave a broker is; it stands before its slaves.
    fn master_of<'b>(
        &mut self,
        table: &Spanned<Table<BrokerScript>>,
        role: Role,
        before: &'b [NodePlan],
    ) -> Option<&'b BrokerPlan> {
        let masters = before.iter().filter_map(|node| match &node.kind {
            NodeKind::Broker(plan) if plan.role != Role::Slave => Some((&node.name, &**plan)),
            _ => None,
        });
        let masters: Vec<(&Name, &BrokerPlan)> = masters.collect();
        match (&table.get_ref().of, role) {
            (None, Role::Slave) if table.get_ref().broker.is_some() => None,
            (None, Role::Slave) => {
                let at = table.get_ref().role.as_ref().map_or_else(|| head(table.span()), Spanned::span);
                self.wrong(
                    "missing",
                    Some(at),
                    "the slave has no master".into(),
                    "write `of = \"broker-a\"`, or a `broker` that nobody is called",
                );
                None
            }
            (None, _) => None,
            (Some(of), Role::Slave) => {
                let found = masters.iter().find(|(name, _)| **name == of.get_ref().as_str());
                if found.is_none() {
                    let names: Vec<Name> = masters.iter().map(|(name, _)| (*name).clone()).collect();
                    self.unknown("broker", "Masters above it", of, &names);
                }
                found.map(|(_, plan)| *plan)
            }
            (Some(of), _) => {
                let help = "write `role = \"slave\"`, or leave `of` out";
                self.wrong("contradiction", Some(of.span()), "only a slave is somebody's".into(), help);
                None
            }
        }
    }

    /// `brokerId`: 0 for a master, from 1 for a slave, each once.
    fn broker_id(
        &mut self,
        broker: &BrokerScript,
        (role, of_file): (Role, i64),
        (master, before): (Option<&BrokerPlan>, &[NodePlan]),
    ) -> i64 {
        if role != Role::Slave {
            if let Some(id) = &broker.id {
                let message = "a master's id is 0, whatever is written".to_owned();
                self.wrong("contradiction", Some(id.span()), message, "leave `id` out");
            }
            return 0;
        }
        let is_its = |plan: &BrokerPlan| master.is_some_and(|master| master.broker_name == plan.broker_name);
        let taken = before.iter().filter_map(|node| match &node.kind {
            NodeKind::Broker(plan) if is_its(plan) => Some(plan.broker_id),
            _ => None,
        });
        let taken: Vec<i64> = taken.collect();
        let free = (1..).find(|id| !taken.contains(id)).expect("there are more numbers than brokers");
        let own = if of_file > 0 { of_file } else { free };
        let id = self.number(&broker.id, own, 1..=1 << 20, "id");
        if taken.contains(&id) {
            let at = broker.id.as_ref().map(Spanned::span).or(broker.of.as_ref().map(Spanned::span));
            let message = format!("this master has a slave {id} already");
            self.wrong("duplicate_name", at, message, &format!("write `id = {free}`"));
        }
        id
    }

    fn positive(&mut self, given: &Option<Text>, default: Span) -> Span {
        let span = self.span(given, default);
        if span < Span::from_millis(1) {
            let at = given.as_ref().map(Spanned::span);
            let message = format!("an interval of {span} is shorter than upstream can wait");
            self.wrong("out_of_range", at, message, "at least 1ms");
        }
        span
    }

    fn announced(&mut self, given: &Option<Text>, ip: u32) -> u32 {
        let Some(text) = given else { return ip };
        match text.get_ref().parse::<Ipv4Addr>() {
            Ok(address) => u32::from(address),
            Err(_) => {
                let message = format!("\"{}\" is not an IPv4 address", super::clip(text.get_ref()));
                self.wrong("wrong_value", Some(text.span()), message, "e.g. \"172.17.0.1\"");
                ip
            }
        }
    }

    fn disk(&mut self, disk: &DiskScript) -> DiskPlan {
        let default = DiskPlan::default();
        if let Some(write) = &disk.write {
            let message = "stores take no time here yet".to_owned();
            self.wrong("unsupported", Some(write.span()), message, "leave `write` out; `fsync` has a price");
        }
        let (fsync_min, fsync_max) = self.spans(&disk.fsync, (default.fsync_min, default.fsync_max));
        let bytes = 1 << 20..=1 << 50;
        DiskPlan {
            fsync_min,
            fsync_max,
            capacity: self.number(&disk.capacity, default.capacity as i64, bytes.clone(), "capacity") as u64,
            memory: self.number(&disk.memory, default.memory as i64, bytes, "memory") as u64,
            torn_writes: disk.torn_writes.unwrap_or(default.torn_writes),
            personality: self.word(&disk.personality, "personality", &Personality::ALL),
        }
    }

    /// Topics with the brokers that have them; `None` is every broker.
    fn topics(&mut self) -> Vec<(TopicPlan, Option<Vec<Name>>)> {
        let script = self.script;
        let brokers: Vec<Name> = script
            .broker
            .iter()
            .filter_map(|broker| broker.get_ref().name.as_ref())
            .map(|name| Name::from(name.get_ref().as_str()))
            .collect();
        let mut topics: Vec<(TopicPlan, Option<Vec<Name>>)> = Vec::new();
        for topic in &script.topic {
            let table = topic.get_ref();
            let name: Topic = self.legal(&table.name, "name", topic.span());
            if topics.iter().any(|(other, _)| other.topic == name) {
                let at = table.name.as_ref().map(Spanned::span);
                let help = "list all its brokers in `on`, or leave `on` out for all";
                self.wrong("duplicate_name", at, format!("the topic `{name}` stands here twice"), help);
            }
            let queues = self.number(&table.queues, 4, 1..=1_024, "queues") as i32;
            let mut on = None;
            for broker in table.on.iter().flatten() {
                if !brokers.iter().any(|known| *known == broker.get_ref().as_str()) {
                    self.unknown("broker", "Brokers", broker, &brokers);
                }
                on.get_or_insert_with(Vec::new).push(Name::from(broker.get_ref().as_str()));
            }
            if table.on.as_ref().is_some_and(Vec::is_empty) {
                let help = "name a broker, or leave `on` out for all";
                self.wrong("wrong_value", Some(head(topic.span())), "`on` names no broker".into(), help);
            }
            topics.push((TopicPlan { topic: name, queues }, on));
        }
        topics
    }
}
