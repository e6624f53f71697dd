//! Pull loops, and how much a push consumer takes in hand.

use toml::Spanned;

use super::{Resolver, clip, head};
use crate::lab::scenario::plan::{LimitsPlan, NodeKind, NodePlan, PullConsumerPlan};
use crate::lab::scenario::puller::{LimitsScript, PullerScript};
use crate::lab::scenario::table::Table;
use crate::lab::workload::ops::{How, Keep, Puller};
use crate::mq::app::MessageModel;
use crate::mq::app::pull::{NEXT_DELAY, PULL_THREADS};
use crate::mq::message::{Name, Topic};
use crate::mq::time::Span;

const HOWS: [(&str, How); 3] = [("block", How::Block), ("pull", How::Pull), ("schedule", How::Scheduled)];

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
            if let NodeKind::Client(client) = &mut clients[at].kind {
                let known = client.pull_consumers.iter_mut().find(|known| known.group == consumer.group);
                match known {
                    None => client.pull_consumers.push(consumer),
                    Some(known) if known.model != consumer.model => {
                        let message = format!("the pull consumer `{}` has another model already", consumer.group);
                        self.wrong("contradiction", Some(head(puller.span())), message, "say one `model` for a group");
                    }
                    Some(known) => {
                        let new = consumer.registered.into_iter().filter(|topic| !known.registered.contains(topic));
                        let new: Vec<Topic> = new.collect();
                        known.registered.extend(new);
                    }
                }
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
        let mut registered: Vec<Topic> =
            registered.map(|topic| self.legal(&Some(topic.clone()), "topic", topic.span())).collect();
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
        let how = self.word(&table.how, "how", &HOWS);
        let is_scheduled = how == How::Scheduled;
        self.only_of_its_way(puller, is_scheduled);
        let models = [("clustering", MessageModel::Clustering), ("broadcasting", MessageModel::Broadcasting)];
        let model = self.word(&table.model, "model", &models);
        let failing = self.word(&table.on_fail, "on_fail", &[("forget", 0), ("send-back", 1), ("throw", 2)]);
        let rest = if is_scheduled { NEXT_DELAY } else { Span::from_secs(1) };
        let keeps = [("memory", Keep::Memory), ("ledger", Keep::Ledger), ("broker", Keep::Broker)];
        let plan = Puller {
            node,
            group: group.clone(),
            topic,
            tags,
            batch: self.number(&table.batch, 32, 1..=1_024, "batch") as i32,
            how,
            model,
            threads: self.number(&table.threads, PULL_THREADS, 1..=1_024, "threads") as usize,
            start: self.span(&table.wait, Span::ZERO),
            pause: self.span(&table.pause, rest),
            rounds: table.rounds.as_ref().map(|_| self.number(&table.rounds, 1, 1..=1_000_000, "rounds") as u64),
            keep: self.word(&table.keep, "keep", &keeps),
            takes_min,
            takes_max,
            fails: table.fail.iter().map(|key| Name::from(key.get_ref().as_str())).collect(),
            gives_back: failing == 1,
            throws: failing == 2,
        };
        if is_scheduled && !registered.contains(&plan.topic) {
            registered.push(plan.topic.clone());
        }
        (plan, PullConsumerPlan { group, model, registered })
    }

    /// Keys that one way of pulling has and the other has not.
    fn only_of_its_way(&mut self, puller: &Spanned<Table<PullerScript>>, is_scheduled: bool) {
        let table = puller.get_ref();
        let throws = table.on_fail.as_ref().is_some_and(|text| text.get_ref() == "throw");
        let keys: &[(&str, bool)] = match is_scheduled {
            true => {
                &[("wait", table.wait.is_some()), ("rounds", table.rounds.is_some()), ("keep", table.keep.is_some())]
            }
            false => &[("threads", table.threads.is_some()), ("on_fail = \"throw\"", throws)],
        };
        for (key, _) in keys.iter().filter(|(_, is_given)| *is_given) {
            let (message, help) = match is_scheduled {
                true => (format!("a schedule has no `{key}`"), "leave it out, or write `how = \"pull\"`"),
                false => (format!("only a schedule has `{key}`"), "leave it out, or write `how = \"schedule\"`"),
            };
            self.wrong("contradiction", Some(head(puller.span())), message, help);
        }
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
