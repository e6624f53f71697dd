//! A broker's settings as RocketMQ's own files write them: `mqbroker -c broker-a.properties`.
//!
//! Upstream calls each setter whose name is a key, and passes over everything else without a word: a misspelt key, a number
//! with a blank behind it, a file's path that no setter takes. Here each of these is a [`Remark`].
//!
//! Source: `BrokerStartup.createBrokerController`, `MixAll.properties2Object`.

use crate::mq::broker::BrokerConfig;
use crate::mq::broker::properties::table::{Effect, KEYS, Key, Kind};
use crate::mq::broker::properties::text::Pair;
use crate::mq::message::Name;
use crate::mq::store::config::Role;

pub mod table;

pub mod text;

/// Something about a pair that who wrote it should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// The pair's line.
    pub line: usize,
    /// Its key.
    pub key: Name,
    /// What there is to know.
    pub about: About,
}

/// See [`Remark`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    /// 4.3.2 has no such setting.
    Unknown,
    /// 4.3.2 has it, and here it does nothing; why.
    Ignored(&'static str),
    /// Upstream cannot read the value and keeps its default.
    Unreadable {
        /// The value.
        value: Name,
        /// What it would have to be.
        wanted: &'static str,
    },
    /// Upstream reads the value otherwise than it looks.
    Misread {
        /// The value.
        value: Name,
        /// What upstream takes it for.
        taken_for: Name,
    },
    /// The key stands again further down, and that one counts.
    Again {
        /// On which line.
        line: usize,
    },
}

/// A slave without a number. Source: `BrokerStartup.createBrokerController`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Slave's brokerId must be > 0")]
pub struct NoSlaveId;

/// Whose addresses a broker has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Places {
    /// The file's.
    File,
    /// Somebody else gives them: the laboratory's network is its own.
    Given,
}

impl BrokerConfig {
    /// Takes over what a file says. Gives the remarks in the order of its lines.
    ///
    /// Errors: [`NoSlaveId`], as upstream exits then.
    pub fn apply(&mut self, pairs: &[Pair], places: Places) -> Result<Vec<Remark>, NoSlaveId> {
        let mut remarks = Vec::new();
        for (number, pair) in pairs.iter().enumerate() {
            let again = pairs[number + 1..].iter().find(|other| other.key == pair.key);
            let about = match (again, key(&pair.key)) {
                (Some(again), _) => Some(About::Again { line: again.line }),
                (None, None) => Some(About::Unknown),
                (None, Some(key)) => self.apply_one(key, &pair.value, places),
            };
            remarks.extend(about.map(|about| Remark { line: pair.line, key: pair.key.clone(), about }));
        }
        match self.store.role {
            Role::AsyncMaster | Role::SyncMaster => self.broker_id = 0,
            Role::Slave if self.broker_id <= 0 => return Err(NoSlaveId),
            Role::Slave => {}
        }
        Ok(remarks)
    }

    fn apply_one(&mut self, key: &Key, text: &Name, places: Places) -> Option<About> {
        let unreadable = |wanted| Some(About::Unreadable { value: text.clone(), wanted });
        let Some(value) = key.kind.read(text) else { return unreadable(key.kind.wanted()) };
        let set = match key.effect {
            Effect::Not(why) => return Some(About::Ignored(why)),
            Effect::Place(_) if places == Places::Given => return Some(About::Ignored(GIVEN)),
            Effect::Place(set) | Effect::Set(set) => set,
        };
        if let Err(wanted) = set(self, &value) {
            return unreadable(wanted);
        }
        let is_misread = key.kind == Kind::Bool && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false");
        is_misread.then(|| About::Misread { value: text.clone(), taken_for: value.to_string().into() })
    }
}

/// The setting of that name.
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Every name, in the order of the classes.
pub fn names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name)
}

const GIVEN: &str = "the laboratory gives each broker its address and its nameservers";
