//! The article's four shapes, for a hunt that is to stay within one of them.
//!
//! A draft of a shape is the draft of its seed with other servers: traffic, faults and speeds come from the same streams.

use serde::{Deserialize, Serialize};

use crate::lab::explore::swarm::cluster::{Cluster, Master};

/// Which servers every draft has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Shape {
    /// One master.
    #[serde(rename = "single")]
    Single,
    /// Two masters without slaves.
    #[serde(rename = "2m-noslave")]
    Masters,
    /// Two masters with a slave each, replicated behind the answer.
    #[serde(rename = "2m-2s-async")]
    PairsAsync,
    /// Two masters with a slave each, replicated before the answer.
    #[serde(rename = "2m-2s-sync")]
    PairsSync,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 4] = [Shape::Single, Shape::Masters, Shape::PairsAsync, Shape::PairsSync];

    /// As it is asked for; the folders of `conf` of the release are named so.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Single => "single",
            Shape::Masters => "2m-noslave",
            Shape::PairsAsync => "2m-2s-async",
            Shape::PairsSync => "2m-2s-sync",
        }
    }
}

impl Cluster {
    /// The cluster with the servers of a shape; a master that the draft does not have is like its first one.
    pub(super) fn shaped(mut self, shape: Option<Shape>) -> Cluster {
        let Some(shape) = shape else { return self };
        let names: &[&str] = if shape == Shape::Single { &["broker-a"] } else { &["broker-a", "broker-b"] };
        let has_slave = matches!(shape, Shape::PairsAsync | Shape::PairsSync);
        let master = |(at, name): (usize, &&str)| {
            let mut master: Master = self.masters.get(at).unwrap_or(&self.masters[0]).clone();
            master.name = (*name).to_owned();
            master.slave = has_slave.then(|| format!("{name}-s"));
            master.sync_master = shape == Shape::PairsSync;
            master
        };
        self.masters = names.iter().enumerate().map(master).collect();
        self
    }
}
