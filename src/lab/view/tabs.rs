//! The six views by their names, each as data and as lines.

use serde::Serialize;
use serde_json::Value;

use crate::lab::locale::{Lang, Words, views};
use crate::lab::view::checks::{self, Checks};
use crate::lab::view::cluster::{self, Cluster};
use crate::lab::view::messages::{self, Messages};
use crate::lab::view::queues::{self, Queues};
use crate::lab::view::scene::Scene;
use crate::lab::view::sheet::Sheet;
use crate::lab::view::storage::{self, Storage};
use crate::lab::view::transactions::{self, Transactions};

/// One of the six.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tab {
    /// The nodes, and what happened between them.
    #[default]
    Cluster,
    /// How far each message has come.
    Messages,
    /// How far groups have got.
    Queues,
    /// Records and bytes.
    Storage,
    /// Half messages and what became of them.
    Transactions,
    /// Expectations, and what shows them.
    Checks,
}

/// A view's data.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// View 1.
    Cluster(Cluster),
    /// View 2.
    Messages(Messages),
    /// View 3.
    Queues(Queues),
    /// View 4.
    Storage(Box<Storage>),
    /// View 5.
    Transactions(Transactions),
    /// View 6.
    Checks(Checks),
}

impl Tab {
    /// All of them, with the keys that open them.
    pub const ALL: [(char, Tab); 6] = [
        ('1', Tab::Cluster),
        ('2', Tab::Messages),
        ('3', Tab::Queues),
        ('4', Tab::Storage),
        ('5', Tab::Transactions),
        ('6', Tab::Checks),
    ];

    /// Its name, as it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Tab::Cluster => "cluster",
            Tab::Messages => "messages",
            Tab::Queues => "queues",
            Tab::Storage => "storage",
            Tab::Transactions => "transactions",
            Tab::Checks => "checks",
        }
    }

    /// What it is called.
    pub fn title(self) -> Words {
        match self {
            Tab::Cluster => views::CLUSTER,
            Tab::Messages => views::MESSAGES,
            Tab::Queues => views::QUEUES,
            Tab::Storage => views::STORAGE,
            Tab::Transactions => views::TRANSACTIONS,
            Tab::Checks => views::CHECKS,
        }
    }

    /// How many panes it has.
    pub fn panes(self) -> usize {
        if self == Tab::Transactions { 4 } else { 3 }
    }

    /// What it shows of a scene.
    pub fn data(self, scene: &Scene<'_>) -> Data {
        match self {
            Tab::Cluster => Data::Cluster(cluster::of(scene)),
            Tab::Messages => Data::Messages(messages::of(scene)),
            Tab::Transactions => Data::Transactions(transactions::of(scene)),
            Tab::Checks => Data::Checks(checks::of(scene)),
            Tab::Queues => Data::Queues(queues::of(scene)),
            Tab::Storage => Data::Storage(Box::new(storage::of(scene))),
        }
    }
}

impl Data {
    /// As panes of lines.
    pub fn sheet(&self, lang: Lang) -> Sheet {
        match self {
            Data::Cluster(cluster) => cluster.sheet(lang),
            Data::Messages(messages) => messages.sheet(lang),
            Data::Transactions(transactions) => transactions.sheet(lang),
            Data::Checks(checks) => checks.sheet(lang),
            Data::Queues(queues) => queues.sheet(lang),
            Data::Storage(storage) => storage.sheet(lang),
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
