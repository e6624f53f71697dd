//! What applications ask of their push consumers while these run.

use toml::Spanned;

use super::{Resolver, head};
use crate::lab::scenario::script::{SteerScript, Text};
use crate::lab::scenario::table::Table;
use crate::lab::workload::ops::Steered;
use crate::mq::app::MessageSelector;
use crate::mq::app::steer::Steering;
use crate::mq::message::Name;
use crate::mq::time::Span;

/// The method that is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Suspend,
    Resume,
    Subscribe,
    Unsubscribe,
}

impl Resolver<'_> {
    /// The calls of every consumer that has some. Its name and group were looked at with the clients.
    pub(super) fn steered(&mut self) -> Vec<Steered> {
        let script = self.script;
        let name = |text: &Text| Name::from(text.get_ref().as_str());
        let mut all = Vec::new();
        for table in script.consumer.iter().map(Spanned::get_ref).filter(|table| !table.call.is_empty()) {
            let node = table.process.as_ref().or(table.name.as_ref()).map(name);
            let (Some(node), Some(group)) = (node, table.group.as_ref().map(name)) else { continue };
            let calls = table.call.iter().map(|call| self.steering(call)).collect();
            all.push(Steered { node, group, calls });
        }
        all
    }

    fn steering(&mut self, call: &Spanned<Table<SteerScript>>) -> (Span, Steering) {
        let table = call.get_ref();
        let methods = [
            ("suspend", Method::Suspend),
            ("resume", Method::Resume),
            ("subscribe", Method::Subscribe),
            ("unsubscribe", Method::Unsubscribe),
        ];
        let method = self.word(&table.method, "method", &methods);
        let wait = self.span(&table.wait, Span::ZERO);
        let names_topic = matches!(method, Method::Subscribe | Method::Unsubscribe);
        if table.topic.is_some() != names_topic || (table.what.is_some() && method != Method::Subscribe) {
            let help = "`subscribe` takes `topic` and `what`, `unsubscribe` takes `topic`, the others take nothing";
            let message = "this call has other keys than its method".to_owned();
            self.wrong("contradiction", Some(head(call.span())), message, help);
        }
        let topic = match &table.topic {
            Some(topic) => self.legal(&Some(topic.clone()), "topic", topic.span()),
            None => Name::from("?"),
        };
        let selector = table.what.as_ref().map_or(MessageSelector::from("*"), |what| what.get_ref().0.clone());
        let steering = match method {
            Method::Suspend => Steering::Suspend,
            Method::Resume => Steering::Resume,
            Method::Subscribe => Steering::Subscribe { topic, selector },
            Method::Unsubscribe => Steering::Unsubscribe { topic },
        };
        (wait, steering)
    }
}
