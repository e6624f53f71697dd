//! Operators, and what they ask for.

use toml::Spanned;

use super::sharing::moment;
use super::{Resolver, clip, place};
use crate::lab::scenario::operator::ResetScript;
use crate::lab::scenario::plan::{NodeKind, NodePlan};
use crate::lab::scenario::script::Text;
use crate::lab::scenario::table::Table;
use crate::lab::workload::ops::Operator;
use crate::mq::app::AdminCall;
use crate::mq::time::Span;

impl Resolver<'_> {
    /// The operators of a script; processes of their own come behind all nodes there are.
    pub(super) fn operators(&mut self, nodes: &mut Vec<NodePlan>) -> Vec<Operator> {
        let script = self.script;
        let mut operators = Vec::new();
        let is_client = |node: &NodePlan| matches!(node.kind, NodeKind::Client(_));
        let (mut clients, servers): (Vec<NodePlan>, Vec<NodePlan>) = nodes.drain(..).partition(is_client);
        for operator in &script.operator {
            let table = operator.get_ref();
            let Some(at) = self.process(&mut clients, &servers, (&table.name, &table.process), &table.start) else {
                continue;
            };
            let calls = table.reset.iter().map(|reset| self.reset(reset)).collect();
            operators.push(Operator { node: clients[at].name.clone(), calls });
        }
        nodes.extend(servers);
        nodes.extend(clients);
        operators
    }

    fn reset(&mut self, reset: &Spanned<Table<ResetScript>>) -> (Span, AdminCall) {
        let table = reset.get_ref();
        let group = self.legal(&table.group, "group", reset.span());
        let topic = self.legal(&table.topic, "topic", reset.span());
        let timestamp = self.reset_to(&table.to);
        let force = table.force.unwrap_or(true);
        (self.span(&table.wait, Span::ZERO), AdminCall::ResetOffset { group, topic, timestamp, force })
    }

    fn reset_to(&mut self, to: &Option<Text>) -> i64 {
        let help = "`now`, or year, month, day, hour, minute and second of UTC in one: \"20181110163000\"";
        let Some(text) = to else {
            self.wrong("missing", None, "this reset does not say where to".into(), help);
            return END;
        };
        if text.get_ref() == "now" {
            return END;
        }
        match moment(text.get_ref()) {
            Some(moment) => moment.0,
            None => {
                let message = format!("`{}` is no moment", clip(text.get_ref()));
                self.wrong("wrong_value", place(to), message, help);
                END
            }
        }
    }
}

/// The end of each queue. Source: `ResetOffsetByTimeCommand`.
const END: i64 = -1;
