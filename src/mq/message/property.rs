//! Properties: names, and the `\x01 \x02` text in which they travel and are stored.

use crate::mq::message::Name;

/// Property names. Source: `MessageConst`.
pub mod names {
    /// Blank-separated keys, indexed.
    pub const KEYS: &str = "KEYS";
    /// One tag.
    pub const TAGS: &str = "TAGS";
    /// Whether the producer waits for the store; absent is true.
    pub const WAIT: &str = "WAIT";
    /// The delay level.
    pub const DELAY: &str = "DELAY";
    /// The message id that the producer's client made.
    pub const UNIQ_KEY: &str = "UNIQ_KEY";
}

/// A message's properties, in the iteration order of the Java `HashMap` that upstream keeps them in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Properties {
    entries: Vec<(Name, Name)>,
}

impl Properties {
    /// No properties.
    pub fn new() -> Properties {
        Properties::default()
    }

    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&Name> {
        self.entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Sets `name` to `value` and returns what stood there.
    pub fn put(&mut self, name: impl Into<Name>, value: impl Into<Name>) -> Option<Name> {
        let (name, value) = (name.into(), value.into());
        match self.entries.iter_mut().find(|(key, _)| *key == name) {
            Some((_, slot)) => Some(std::mem::replace(slot, value)),
            None => {
                self.entries.push((name, value));
                None
            }
        }
    }

    /// Removes `name` and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Name> {
        let at = self.entries.iter().position(|(key, _)| key == name)?;
        Some(self.entries.remove(at).1)
    }

    /// All pairs, in Java's order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Name)> {
        self.entries.iter().map(|(name, value)| (name, value))
    }
}
