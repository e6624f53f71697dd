//! The tables of operators, as a person writes them.

use serde::Deserialize;
use toml::Spanned;

use crate::lab::scenario::script::Text;
use crate::lab::scenario::table::Table;

/// An operator at a terminal of its own.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorScript {
    /// Its name.
    pub name: Option<Text>,
    /// The process that it shares; one of its own, named like it, if left out.
    pub process: Option<Text>,
    /// When its process boots: a moment.
    pub start: Option<Text>,
    /// Groups that it moves.
    pub reset: Vec<Spanned<Table<ResetScript>>>,
}

/// `resetOffsetByTime`: a group is moved.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ResetScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The group.
    pub group: Option<Text>,
    /// The topic.
    pub topic: Option<Text>,
    /// `now`, the end of each queue; or a moment as `yyyyMMddHHmmss` of UTC.
    pub to: Option<Text>,
    /// Whether offsets may move forward, too.
    pub force: Option<bool>,
}
