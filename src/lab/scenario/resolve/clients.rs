//! Client processes with their producers and consumers, and what their applications do.

use bytes::Bytes;
use toml::Spanned;

use super::cluster::address;
use super::{Resolver, clip, head, place};
use crate::lab::fault::episode::Trigger;
use crate::lab::scenario::plan::{ClientPlan, ConsumerPlan, DiskPlan, NodeKind, NodePlan, ProducerPlan};
use crate::lab::scenario::script::{ConsumerScript, DecideScript, OnScript, ProducerScript, SendScript, Text};
use crate::lab::scenario::selector;
use crate::lab::scenario::table::Table;
use crate::lab::workload::ops::{
    CheckAct, DecideRule, Decider, ListenRule, Listener, LocalAct, PlannedSend, Reply, Select, Sender, Way,
};
use crate::mq::app::{MessageSelector, Ordered, OrderlyStatus};
use crate::mq::message::property::{Properties, names};
use crate::mq::message::{Message, MessageQueue, Name};
use crate::mq::time::{Span, Time};

/// What the clients of a script come to.
type Clients = (Vec<NodePlan>, Vec<Sender>, Vec<Listener>, Vec<Decider>);

/// No plan sends more messages.
const SENDS_MAX: usize = 1_000_000;
/// Clients boot when brokers have had time to register.
const CLIENT_START: Trigger = Trigger::At(Time(100_000_000));
/// Upstream's `maxMessageSize` of a producer.
const BODY_MAX: i64 = 4 << 20;
/// The highest delay level that can be asked for; a broker clamps what lies above its own highest.
const DELAY_LEVEL_MAX: i64 = 127;

impl Resolver<'_> {
    pub(super) fn clients(&mut self, servers: &[NodePlan]) -> Clients {
        let script = self.script;
        let (mut nodes, mut senders, mut listeners, mut deciders): Clients = Default::default();
        for producer in &script.producer {
            let table = producer.get_ref();
            let Some(at) = self.process(&mut nodes, servers, (&table.name, &table.process), &table.start) else {
                continue;
            };
            let (plan, timeout) = self.producer(table, producer.span());
            let group = plan.group.clone();
            self.add(&mut nodes[at], |client| client.producers.push(plan));
            let node = nodes[at].name.clone();
            for row in &table.send {
                let total = senders.iter().map(|sender: &Sender| sender.sends.len()).sum();
                let sends = self.sends(row, (&table.name, senders.len()), timeout, total);
                let start = self.span(&row.get_ref().wait, Span::ZERO);
                let way = self.way(row.get_ref());
                let select = self.select_of(row.get_ref());
                let batch = self.batch_of(row.get_ref());
                senders.push(Sender { node: node.clone(), group: group.clone(), way, batch, select, start, sends });
            }
            let rules = table.on.iter().map(|rule| self.decide_rule(rule)).collect();
            deciders.push(Decider { node, group, rules });
        }
        for consumer in &script.consumer {
            let table = consumer.get_ref();
            let Some(at) = self.process(&mut nodes, servers, (&table.name, &table.process), &table.start) else {
                continue;
            };
            let plan = self.consumer(table, consumer.span());
            let rules = table.on.iter().map(|rule| self.rule(rule, plan.orderly)).collect();
            let (node, group, is_ordered) = (nodes[at].name.clone(), plan.group.clone(), plan.orderly);
            listeners.push(Listener { node, group, is_ordered, rules });
            let twin = table.client_id_of.as_ref().map(|other| self.client_twin(other));
            self.add(&mut nodes[at], |client| {
                client.consumers.push(plan);
                client.client_id_of = twin.or(client.client_id_of.take());
            });
        }
        (nodes, senders, listeners, deciders)
    }

    /// The client process whose id another one says that it has.
    fn client_twin(&mut self, other: &Text) -> Name {
        let node = self.node(other);
        if self.nodes.contains(&node) && (self.is_broker(&node) || node.starts_with("ns-")) {
            let message = format!("\"{node}\" is a server and has no client id");
            self.wrong("wrong_value", Some(other.span()), message, "name a client process");
        }
        node
    }

    /// The node of a producer or consumer: made at its first mention.
    pub(super) fn process(
        &mut self,
        nodes: &mut Vec<NodePlan>,
        servers: &[NodePlan],
        (name, process): (&Option<Text>, &Option<Text>),
        start: &Option<Text>,
    ) -> Option<usize> {
        let given = process.as_ref().or(name.as_ref())?;
        let node = Name::from(given.get_ref().as_str());
        if servers.iter().any(|server| server.name == node) {
            if process.is_some() {
                let message = format!("`{node}` is a server, no client process");
                self.wrong("duplicate_name", Some(given.span()), message, "give the process another name");
            }
            return None;
        }
        let boot = self.moment(start, CLIENT_START);
        if let Some(at) = nodes.iter().position(|known| known.name == node) {
            if start.is_some() && nodes[at].boot != boot {
                let message = format!("the process `{node}` has another start already");
                self.wrong("contradiction", place(start), message, "say `start` once for a process");
            }
            return Some(at);
        }
        if nodes.len() == 200 {
            self.wrong(
                "out_of_range",
                Some(given.span()),
                "there are at most 200 client processes".into(),
                "share some",
            );
            return None;
        }
        let (producers, consumers, pull_consumers) = Default::default();
        let (nameservers, client_id_of) = (self.nameservers(), None);
        let client = ClientPlan { nameservers, client_id_of, producers, consumers, pull_consumers };
        let kind = NodeKind::Client(Box::new(client));
        nodes.push(NodePlan { name: node, ip: address(3, nodes.len() + 1), disk: DiskPlan::default(), boot, kind });
        Some(nodes.len() - 1)
    }

    fn add(&mut self, node: &mut NodePlan, add: impl FnOnce(&mut ClientPlan)) {
        if let NodeKind::Client(client) = &mut node.kind {
            add(client);
        }
    }

    /// A producer's settings; the timeout that its sends have if they say nothing is its own.
    fn producer(&mut self, table: &ProducerScript, at: std::ops::Range<usize>) -> (ProducerPlan, Span) {
        let group = self.legal(&table.group, "group", at);
        let send_timeout = self.span(&table.timeout, Span::from_secs(3));
        let mut retries = self.number(&table.retries, 2, 0..=100, "retries");
        for row in &table.send {
            let own = self.number(&row.get_ref().retries, retries, 0..=100, "retries");
            if own != retries && table.retries.is_some() {
                let message = "retries are the producer's, and it says another number".to_owned();
                self.wrong("contradiction", place(&row.get_ref().retries), message, "say `retries` once");
            }
            retries = own;
        }
        let latency_fault = table.latency_fault.unwrap_or(false);
        let retry_not_ok = table.retry_another_broker.unwrap_or(false);
        let is_half = |row: &Spanned<Table<SendScript>>| {
            row.get_ref().mode.as_ref().is_some_and(|mode| mode.get_ref() == "transaction")
        };
        let transactional = !table.on.is_empty() || table.send.iter().any(is_half);
        let retries = retries as u32;
        (ProducerPlan { group, send_timeout, retries, latency_fault, retry_not_ok, transactional }, send_timeout)
    }

    fn sends(
        &mut self,
        row: &Spanned<Table<SendScript>>,
        (name, place_of_row): (&Option<Text>, usize),
        own_timeout: Span,
        before: usize,
    ) -> Vec<PlannedSend> {
        let table = row.get_ref();
        let topic = self.legal(&table.topic, "topic", row.span());
        let mut count = self.number(&table.count, 1, 1..=SENDS_MAX as i64, "count") as usize;
        if before + count > SENDS_MAX {
            let message = format!("the plan would send more than {SENDS_MAX} messages");
            self.wrong("out_of_range", place(&table.count), message, "send fewer");
            count = 0;
        }
        let every = self.span(&table.every, Span::ZERO);
        let timeout = self.span(&table.timeout, own_timeout);
        let timeout = (timeout != own_timeout).then_some(timeout);
        let size = self.number(&table.size, 0, 0..=BODY_MAX, "size") as usize;
        let delay_level = self.number(&table.delay_level, 0, 0..=DELAY_LEVEL_MAX, "delay_level");
        let immunity = self.immunity(&table.immunity);
        let [key, tag, body] = [(&table.key, "key"), (&table.tag, "tag"), (&table.body, "body")]
            .map(|(text, field)| text.as_ref().map(|text| (self.template(text), field)));
        self.properties(table);
        let producer = name.as_ref().map_or("?", |name| name.get_ref().as_str());
        let path = format!("{}/{producer}/{place_of_row}", self.seed);
        let write = |template: &Option<(Template, &str)>, n: usize| {
            template.as_ref().map(|(template, field)| template.write(n, &format!("{path}/{field}/{n}")))
        };
        let message = |n: usize| {
            let mut properties = Properties::new();
            let key = write(&key, n);
            let tag = write(&tag, n);
            let body = write(&body, n).or_else(|| key.clone()).unwrap_or_else(|| format!("message {n}"));
            tag.into_iter().for_each(|tag| drop(properties.put(names::TAGS, tag)));
            key.into_iter().for_each(|key| drop(properties.put(names::KEYS, key)));
            properties.put(names::WAIT, if table.wait_store.unwrap_or(true) { "true" } else { "false" });
            if let Some(seconds) = immunity {
                properties.put(names::CHECK_IMMUNITY_TIME_IN_SECONDS, seconds.to_string());
            }
            if delay_level > 0 {
                properties.put(names::DELAY, delay_level.to_string());
            }
            for (name, value) in &table.properties {
                properties.put(name.get_ref().as_str(), value.get_ref().as_str());
            }
            let mut body = body.into_bytes();
            body.resize(body.len().max(size), b'.');
            Message { topic: topic.clone(), flag: 0, properties, body: Bytes::from(body) }
        };
        (1..=count)
            .map(|n| PlannedSend { due: Span(every.0.saturating_mul(n as u64 - 1)), message: message(n), timeout })
            .collect()
    }

    /// User properties must not be RocketMQ's own.
    fn properties(&mut self, table: &SendScript) {
        for (name, value) in &table.properties {
            let text = name.get_ref().as_str();
            let own = [
                names::KEYS,
                names::TAGS,
                names::WAIT,
                names::DELAY,
                names::RETRY_TOPIC,
                names::REAL_TOPIC,
                names::REAL_QID,
                names::TRAN_MSG,
                names::PGROUP,
                names::MIN_OFFSET,
                names::MAX_OFFSET,
                names::UNIQ_KEY,
                names::RECONSUME_TIME,
            ];
            if own.contains(&text) {
                let message = format!("The Property<{text}> is used by system, input another please");
                self.wrong(
                    "bad_name",
                    Some(name.span()),
                    message,
                    "`key`, `tag`, `wait_store` and `delay_level` set the usual ones",
                );
            } else if text.trim().is_empty() || value.get_ref().trim().is_empty() {
                let message = "The name or value of property can not be null or blank string!".to_owned();
                self.wrong("wrong_value", Some(name.span()), message, "leave it out");
            }
        }
    }

    /// How a row is sent.
    fn way(&mut self, table: &SendScript) -> Way {
        let queues = self.number(&table.queues, 4, 1..=1_024, "queues") as i32;
        let words = [
            ("sync", Way::Sync),
            ("async", Way::Async),
            ("oneway", Way::Oneway),
            ("transaction", Way::Transaction),
            ("create-topic", Way::CreateTopic { queues }),
        ];
        let way = self.word(&table.mode, "mode", &words);
        match (way, &table.queues, &table.key) {
            (Way::CreateTopic { .. }, _, None) => {
                let help = "write `key = \"broker-a\"`: a topic whose route names the brokers";
                self.wrong("missing", place(&table.mode), "a topic is created where its `key` lives".into(), help);
            }
            (Way::CreateTopic { .. }, ..) | (_, None, _) => {}
            (_, Some(queues), _) => {
                let message = "only `mode = \"create-topic\"` says how many queues there are".to_owned();
                self.wrong("contradiction", Some(queues.span()), message, "leave `queues` out");
            }
        }
        way
    }

    /// How many messages of a row go out in one call.
    fn batch_of(&mut self, table: &SendScript) -> usize {
        let batch = self.number(&table.batch, 1, 1..=10_000, "batch") as usize;
        let is_plain = table.select.is_none() && table.mode.as_ref().is_none_or(|mode| mode.get_ref() == "sync");
        if 1 < batch && !is_plain {
            let message = "a batch waits for its result and goes round the queues".to_owned();
            self.wrong("contradiction", place(&table.batch), message, "leave `mode` and `select` out");
        }
        batch
    }

    /// Who chooses the queues of a row.
    fn select_of(&mut self, table: &SendScript) -> Select {
        let Some(select) = &table.select else { return Select::RoundRobin };
        if table.mode.as_ref().is_some_and(|mode| mode.get_ref() == "transaction") && select.get_ref() != "round-robin"
        {
            let message = "a transaction chooses its queue itself".to_owned();
            self.wrong("contradiction", Some(select.span()), message, "leave `select` out");
        }
        if select.get_ref().starts_with("queue:") {
            return self.queue_of(table).map_or(Select::RoundRobin, Select::Queue);
        }
        let words = [
            ("round-robin", Select::RoundRobin),
            ("hash:key", Select::HashKey),
            ("modulo:key", Select::ModuloKey),
            ("random", Select::Random),
            ("machine-room", Select::MachineRoom),
        ];
        let found = self.word(&table.select, "select", &words);
        if matches!(found, Select::HashKey | Select::ModuloKey) && table.key.is_none() {
            let message = "a queue is chosen by the key, and there is none".to_owned();
            self.wrong("missing", Some(select.span()), message, "write `key = \"order-{n%10}\"`");
        }
        let is_number = |key: &Text| {
            let inside = key.get_ref().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            inside.is_some_and(|inside| inside.starts_with('n')) || key.get_ref().parse::<i32>().is_ok()
        };
        if found == Select::ModuloKey && table.key.as_ref().is_some_and(|key| !is_number(key)) {
            let message = "`modulo:key` needs a key that is a number".to_owned();
            self.wrong("wrong_value", place(&table.key), message, "write `key = \"{n%10}\"`, or select by `hash:key`");
        }
        found
    }

    /// The queue that a row names: `queue:2` of the only broker, or `queue:broker-a/2`.
    fn queue_of(&mut self, table: &SendScript) -> Option<MessageQueue> {
        let select = table.select.as_ref()?;
        let named = select.get_ref().strip_prefix("queue:")?;
        let brokers: Vec<&str> = self
            .script
            .broker
            .iter()
            .filter_map(|broker| Some(broker.get_ref().name.as_ref()?.get_ref().as_str()))
            .collect();
        let (broker, number) = match (named.split_once('/'), &brokers[..]) {
            (Some((broker, number)), _) => (broker, number),
            (None, [only]) => (*only, named),
            (None, _) => ("", named),
        };
        let queue_id = number.parse::<i32>().ok().filter(|id| 0 <= *id);
        let (Some(queue_id), true) = (queue_id, brokers.contains(&broker)) else {
            let message = format!("`{}` names no queue", clip(select.get_ref()));
            let help = "write `queue:2`, or with several brokers `queue:broker-a/2`";
            self.wrong("wrong_value", Some(select.span()), message, help);
            return None;
        };
        let topic = table.topic.as_ref().map(|topic| Name::from(topic.get_ref().as_str())).unwrap_or_default();
        Some(MessageQueue { topic, broker: broker.into(), queue_id })
    }

    /// How many whole seconds a half message is left in peace.
    fn immunity(&mut self, given: &Option<Text>) -> Option<u64> {
        given.as_ref()?;
        let span = self.span(given, Span::ZERO);
        if !span.0.is_multiple_of(Span::from_secs(1).0) {
            let message = "the property counts whole seconds".to_owned();
            self.wrong("wrong_value", place(given), message, "e.g. `immunity = \"30s\"`");
        }
        Some(span.0 / Span::from_secs(1).0)
    }

    fn decide_rule(&mut self, rule: &Spanned<Table<DecideScript>>) -> DecideRule {
        let table = rule.get_ref();
        let local = [
            ("commit", LocalAct::Commit),
            ("rollback", LocalAct::Rollback),
            ("unknown", LocalAct::Unknown),
            ("throw", LocalAct::Throw),
            ("null", LocalAct::Null),
            ("crash", LocalAct::Crash),
        ];
        let check = [
            ("ledger", CheckAct::Ledger),
            ("memory", CheckAct::Memory),
            ("commit", CheckAct::Commit),
            ("rollback", CheckAct::Rollback),
            ("unknown", CheckAct::Unknown),
            ("throw", CheckAct::Throw),
            ("null", CheckAct::Null),
            ("silent", CheckAct::Silent),
        ];
        let local = self.word(&table.local, "local", &local);
        let checks = table.check.iter().map(|one| self.word(&Some(one.clone()), "check", &check)).collect();
        let (takes_min, takes_max) = self.spans(&table.takes, (Span::ZERO, Span::ZERO));
        let name = |text: &Option<Text>| text.as_ref().map(|text| Name::from(text.get_ref().as_str()));
        let (topic, key) = (name(&table.matches.topic), name(&table.matches.key));
        DecideRule { topic, key, local, checks, takes_min, takes_max }
    }

    fn consumer(&mut self, table: &ConsumerScript, at: std::ops::Range<usize>) -> ConsumerPlan {
        let group = self.legal(&table.group, "group", at.clone());
        if table.subscribe.is_empty() {
            let help = "write `subscribe = { orders = \"*\" }`";
            self.wrong("missing", Some(head(at)), "this consumer subscribes to nothing".into(), help);
        }
        let mut subscriptions = Vec::new();
        for (topic, given) in &table.subscribe {
            let topic = self.legal(&Some(topic.clone()), "topic", topic.span());
            let selector = &given.get_ref().0;
            match selector {
                MessageSelector::Tags(text) if *text != "*" && text.split("||").any(|tag| tag.trim().is_empty()) => {
                    let message = format!("`{}` is no tag expression", clip(text));
                    let help = "`*`, or tags joined by `||`: \"pay || done\"";
                    self.wrong("wrong_value", Some(given.span()), message, help);
                }
                MessageSelector::Sql(text) if text.trim().is_empty() => {
                    let help = "a condition over properties: { sql = \"age >= 18\" }";
                    self.wrong("wrong_value", Some(given.span()), "this condition is empty".to_owned(), help);
                }
                MessageSelector::Sql(text) => self.notes.extend(selector::note(&topic, text)),
                MessageSelector::Tags(_) => {}
            }
            subscriptions.push((topic, selector.clone()));
        }
        ConsumerPlan {
            group,
            subscriptions,
            threads: self.number(&table.threads, 20, 1..=1_000, "threads") as u32,
            batch_max: self.number(&table.batch, 1, 1..=1_024, "batch") as u32,
            pull_batch: self.number(&table.pull_batch, 32, 1..=1_024, "pull_batch") as u32,
            model: self.model(table),
            from: self.consume_from(table),
            strategy: self.strategy(table),
            max_reconsume: self.number(&table.max_reconsume, -1, -1..=1_000_000, "max_reconsume") as i32,
            orderly: self.word(&table.mode, "mode", &[("concurrent", false), ("orderly", true)]),
            suspend: self.span(&table.suspend, Span::from_secs(1)),
            limits: self.limits(&table.limits),
        }
    }

    fn rule(&mut self, rule: &Spanned<Table<OnScript>>, is_ordered: bool) -> ListenRule {
        let table = rule.get_ref();
        let auto_commit = table.auto_commit.as_ref().is_none_or(|auto| *auto.get_ref());
        let suspend_millis = match &table.suspend {
            Some(_) => self.span(&table.suspend, Span::ZERO).as_millis() as i64,
            None => -1,
        };
        let ordered = |status| Reply::Ordered(Ordered { status, auto_commit, suspend_millis });
        let (ok, fail) = match is_ordered {
            true => (ordered(OrderlyStatus::Success), ordered(OrderlyStatus::Suspend)),
            false => self.concurrent_replies(table),
        };
        self.only_ordered(table, is_ordered);
        let words = [
            ("ok", ok),
            ("fail", fail),
            ("suspend", fail),
            ("commit", ordered(OrderlyStatus::Commit)),
            ("rollback", ordered(OrderlyStatus::Rollback)),
            ("throw", Reply::Throw),
            ("null", Reply::Null),
            ("timeout", Reply::Timeout),
            ("crash", Reply::Crash),
        ];
        if table.reply.is_empty() {
            let help = "write `reply = [\"ok\"]`";
            self.wrong("missing", Some(head(rule.span())), "this rule has no reply".into(), help);
        }
        let replies = table.reply.iter().map(|reply| self.word(&Some(reply.clone()), "reply", &words)).collect();
        let (takes_min, takes_max) = self.spans(&table.takes, (Span::ZERO, Span::ZERO));
        let name = |text: &Option<Text>| text.as_ref().map(|text| Name::from(text.get_ref().as_str()));
        ListenRule { topic: name(&table.matches.topic), key: name(&table.matches.key), replies, takes_min, takes_max }
    }

    /// What `ok` and `fail` come to where a concurrent listener's context says more.
    fn concurrent_replies(&mut self, table: &OnScript) -> (Reply, Reply) {
        let ok = match &table.ack_index {
            Some(_) => Reply::OkTo(self.number(&table.ack_index, -1, -1..=1_023, "ack_index") as i32),
            None => Reply::Ok,
        };
        let fail = match &table.delay_level {
            Some(_) => Reply::FailAt(self.number(&table.delay_level, 0, -1..=1_000, "delay_level") as i32),
            None => Reply::Fail,
        };
        (ok, fail)
    }

    /// What only an ordered listener can say, and what it cannot.
    fn only_ordered(&mut self, table: &OnScript, is_ordered: bool) {
        let mut found: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        found.extend(table.auto_commit.as_ref().map(|auto| (auto.span(), "auto_commit".to_owned())));
        found.extend(table.suspend.as_ref().map(|suspend| (suspend.span(), "suspend".to_owned())));
        let is_its = |reply: &&Text| ["suspend", "commit", "rollback"].contains(&reply.get_ref().as_str());
        found.extend(table.reply.iter().filter(is_its).map(|reply| (reply.span(), reply.get_ref().clone())));
        for (at, what) in found.into_iter().filter(|_| !is_ordered) {
            let message = format!("only an ordered listener knows `{what}`");
            self.wrong("contradiction", Some(at), message, "write `mode = \"orderly\"`, or reply `ok` or `fail`");
        }
        let level = table.delay_level.as_ref().map(|level| (level.span(), "delay_level"));
        let index = table.ack_index.as_ref().map(|index| (index.span(), "ack_index"));
        for (at, what) in level.into_iter().chain(index).filter(|_| is_ordered) {
            let message = format!("only a concurrent listener knows `{what}`");
            self.wrong("contradiction", Some(at), message, "leave it out, or write `mode = \"concurrent\"`");
        }
    }

    /// A text with `{n}` and `{pick:a,b}`.
    fn template(&mut self, text: &Text) -> Template {
        let mut parts = Vec::new();
        let mut rest = text.get_ref().as_str();
        while let Some(open) = rest.find('{') {
            parts.push(Part::Text(rest[..open].to_owned()));
            let Some(len) = rest[open..].find('}') else {
                let message = format!("`{}` is not closed", clip(&rest[open..]));
                self.wrong("wrong_value", Some(text.span()), message, "write `{n}` or `{pick:a,b,c}`");
                return Template { parts };
            };
            parts.push(self.placeholder(&rest[open + 1..open + len], text));
            rest = &rest[open + len + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Template { parts }
    }

    /// What stands between braces.
    fn placeholder(&mut self, inside: &str, text: &Text) -> Part {
        if inside == "n" {
            return Part::Number(usize::MAX);
        }
        let help = "`{n}` is the message's number, `{n%10}` what is left of it, `{pick:a,b,c}` draws one";
        let modulus = inside.strip_prefix('n').and_then(|rest| rest.trim_start().strip_prefix('%'));
        if let Some(modulus) = modulus.and_then(|digits| digits.trim().parse::<usize>().ok()).filter(|found| 0 < *found)
        {
            return Part::Number(modulus);
        }
        let Some(list) = inside.strip_prefix("pick:") else {
            self.wrong("wrong_value", Some(text.span()), format!("`{{{}}}` stands for nothing", clip(inside)), help);
            return Part::Number(usize::MAX);
        };
        let choices: Vec<String> = list.split(',').map(|one| one.trim().to_owned()).collect();
        if choices.iter().any(String::is_empty) {
            let message = format!("`{{{}}}` has an empty choice", clip(inside));
            self.wrong("wrong_value", Some(text.span()), message, help);
        }
        Part::Pick(choices)
    }
}

/// A text that is written anew for each message.
struct Template {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    /// The message's number by this modulus.
    Number(usize),
    Pick(Vec<String>),
}

impl Template {
    /// The text of message `n`; draws are decided by their path alone, so that one more message shifts no other.
    fn write(&self, n: usize, path: &str) -> String {
        let mut out = String::new();
        for (number, part) in self.parts.iter().enumerate() {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Number(modulus) => out.push_str(&(n % modulus).to_string()),
                Part::Pick(choices) => {
                    let hash = blake3::hash(format!("{path}/{number}").as_bytes());
                    let mut word = [0; 8];
                    word.copy_from_slice(&hash.as_bytes()[..8]);
                    out.push_str(&choices[(u64::from_le_bytes(word) % choices.len() as u64) as usize]);
                }
            }
        }
        out
    }
}
