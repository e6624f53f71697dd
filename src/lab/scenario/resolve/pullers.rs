//! Pull loops, and how much a push consumer takes in hand.

use toml::Spanned;

use super::{Resolver, clip, head};
use crate::lab::scenario::plan::{LimitsPlan, NodeKind, NodePlan, PullConsumerPlan};
use crate::lab::scenario::puller::{LimitsScript, PullerScript};
use crate::lab::scenario::table::Table;
use crate::lab::workload::ops::{Keep, Puller};
use crate::mq::message::Name;
use crate::mq::time::Span;

impl Resolver<'_> {
    /// The pull loops of a script; processes of their own come behind all nodes there are.
    pub(super) fn pullers(&mut self, nodes: &mut Vec<NodePlan>) -> Vec<Puller> {
        let script = self.script;
        let mut pullers = Vec::new();
        let is_client = |node: &NodePlan| matches!(node.kind, NodeKind::Client(_));
        let (mut clients, servers): (Vec<NodePlan>, Vec<NodePlan>) = nodes.drain(..).partition(is_client);
        for puller in &script.puller {
            let table = puller.get_ref();
            let Some(at) = self.process(&mut clients, &servers, (&table.name, &table.process), &table.start) else {
                continue;
            };
            let (plan, consumer) = self.puller(puller, clients[at].name.clone());
            if let NodeKind::Client(client) = &mut clients[at].kind
                && client.pull_consumers.iter().all(|known| known.group != consumer.group)
            {
                client.pull_consumers.push(consumer);
            }
            pullers.push(plan);
        }
        nodes.extend(servers);
        nodes.extend(clients);
        pullers
    }

    fn puller(&mut self, puller: &Spanned<Table<PullerScript>>, node: Name) -> (Puller, PullConsumerPlan) {
        let table = puller.get_ref();
        let group = self.legal(&table.group, "group", puller.span());
        let topic = self.legal(&table.topic, "topic", puller.span());
        let registered = table.register.iter().flatten();
        let registered = registered.map(|topic| self.legal(&Some(topic.clone()), "topic", topic.span())).collect();
        let tags = table.tags.as_ref().map(|tags| Name::from(tags.get_ref().as_str()));
        if let Some(text) = &table.tags
            && *text.get_ref() != "*"
            && text.get_ref().split("||").any(|tag| tag.trim().is_empty())
        {
            let message = format!("`{}` is no tag expression", clip(text.get_ref()));
            let help = "`*`, or tags joined by `||`: \"pay || done\"";
            self.wrong("wrong_value", Some(text.span()), message, help);
        }
        if table.on_fail.is_some() && table.fail.is_empty() {
            let message = "nothing fails here".to_owned();
            self.wrong("contradiction", Some(head(puller.span())), message, "write `fail = [\"order-3\"]`");
        }
        let (takes_min, takes_max) = self.spans(&table.takes, (Span::ZERO, Span::ZERO));
        let keeps = [("memory", Keep::Memory), ("ledger", Keep::Ledger), ("broker", Keep::Broker)];
        let plan = Puller {
            node,
            group: group.clone(),
            topic,
            tags,
            batch: self.number(&table.batch, 32, 1..=1_024, "batch") as i32,
            blocks: self.word(&table.how, "how", &[("block", true), ("pull", false)]),
            start: self.span(&table.wait, Span::ZERO),
            pause: self.span(&table.pause, Span::from_secs(1)),
            rounds: table.rounds.as_ref().map(|_| self.number(&table.rounds, 1, 1..=1_000_000, "rounds") as u64),
            keep: self.word(&table.keep, "keep", &keeps),
            takes_min,
            takes_max,
            fails: table.fail.iter().map(|key| Name::from(key.get_ref().as_str())).collect(),
            gives_back: self.word(&table.on_fail, "on_fail", &[("forget", false), ("send-back", true)]),
        };
        (plan, PullConsumerPlan { group, registered })
    }

    /// How much a push consumer takes in hand. Source: `DefaultMQPushConsumerImpl.checkConfig`.
    pub(super) fn limits(&mut self, table: &Table<LimitsScript>) -> LimitsPlan {
        let own = LimitsPlan::default();
        LimitsPlan {
            queue: self.number(&table.queue, own.queue, 1..=65_535, "queue"),
            queue_mib: self.number(&table.queue_mib, own.queue_mib, 1..=1_024, "queue_mib"),
            topic: self.number(&table.topic, own.topic, 1..=6_553_500, "topic"),
            topic_mib: self.number(&table.topic_mib, own.topic_mib, 1..=102_400, "topic_mib"),
            span: self.number(&table.span, own.span, 1..=65_535, "span"),
        }
    }
}
