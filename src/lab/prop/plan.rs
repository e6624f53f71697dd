//! A plan: a scenario a person can read, with every number decided.

use std::collections::BTreeSet;
use std::fmt;

use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::{load, plan};

/// The line that says how far a plan's faults go; a comment to whoever runs the scenario without a property.
const BEYOND: &str = "# faults beyond what is promised";

/// What a property is tried on.
#[derive(Clone, PartialEq)]
pub struct Plan {
    text: String,
    decided: plan::Plan,
    within: bool,
}

/// Why a text is no plan: every problem with its place.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct PlanError(String);

impl Plan {
    /// Reads a plan as it was written into a folder of regressions, or any scenario.
    ///
    /// Errors: the text is no scenario.
    pub fn parse(name: &str, text: &str) -> Result<Plan, PlanError> {
        let scenario =
            load(name, text.as_bytes(), &Overrides::default()).map_err(|report| PlanError(report.to_string()))?;
        let within = !text.lines().any(|line| line == BEYOND);
        Ok(Plan { text: text.to_owned(), decided: scenario.plan, within })
    }

    /// The scenario, as `mqlab run` reads it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same with every number decided.
    pub fn decided(&self) -> &plan::Plan {
        &self.decided
    }

    /// Whether its faults take nothing away on which a promise rests. Beyond, only honesty is owed.
    pub fn is_within(&self) -> bool {
        self.within
    }

    /// Another text with faults that go as far as this one's; nothing if it is no scenario.
    pub(super) fn with(&self, text: &str) -> Option<Plan> {
        let text = if self.within { text.to_owned() } else { Plan::beyond(text) };
        Plan::parse("smaller.plan.toml", &text).ok()
    }

    /// The groups that consume.
    pub(super) fn groups(&self) -> BTreeSet<&str> {
        let clients = self.decided.nodes.iter().filter_map(|node| match &node.kind {
            plan::NodeKind::Client(client) => Some(client),
            _ => None,
        });
        clients.flat_map(|client| &client.consumers).map(|consumer| consumer.group.as_str()).collect()
    }

    /// Marks a text as one whose faults know no bounds.
    pub(super) fn beyond(text: &str) -> String {
        format!("{BEYOND}\n{text}")
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
