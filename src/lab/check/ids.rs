//! Messages by number: where the history meets a unique key it asks for its number, once, and checkers keep what they know of
//! each message in vectors.
//!
//! Everything else is hashed with the same seed in every process and walked in the order in which it was put in, so that the
//! hasher shows nowhere.

use std::num::NonZeroU32;

use foldhash::fast::FixedState;
use indexmap::{IndexMap, IndexSet};

use crate::mq::message::Name;

/// With the same seed in every process.
type Fixed = FixedState;
/// Something for each of other things than messages.
pub(super) type By<K, V> = IndexMap<K, V, Fixed>;
/// Other things than messages.
pub(super) type Seen<K> = IndexSet<K, Fixed>;

/// A message among all of a run that have a unique key, in the order in which the history met them, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(NonZeroU32);

impl Id {
    fn of(place: usize) -> Id {
        Id(NonZeroU32::MIN.saturating_add(place as u32))
    }

    fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The numbers that were given.
#[derive(Debug, Default)]
pub(super) struct Numbers(IndexSet<Name, Fixed>);

impl Numbers {
    /// The number of a unique key, which it has from here on.
    pub(super) fn give(&mut self, key: &str, name: impl FnOnce() -> Name) -> Id {
        Id::of(self.0.get_index_of(key).unwrap_or_else(|| self.0.insert_full(name()).0))
    }

    /// The number of a unique key, if it was met.
    pub(super) fn get(&self, key: &str) -> Option<Id> {
        self.0.get_index_of(key).map(Id::of)
    }

    /// A message's unique key.
    pub(super) fn key(&self, id: Id) -> &str {
        &self.0[id.place()]
    }
}

/// Some messages.
#[derive(Debug, Default)]
pub(super) struct Ids(Vec<u64>);

impl Ids {
    /// Puts one in; whether it was not there.
    pub(super) fn insert(&mut self, id: Id) -> bool {
        let (word, bit) = (id.place() / 64, 1 << (id.place() % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    pub(super) fn contains(&self, id: Id) -> bool {
        self.0.get(id.place() / 64).is_some_and(|word| word >> (id.place() % 64) & 1 == 1)
    }
}

impl FromIterator<Id> for Ids {
    fn from_iter<I: IntoIterator<Item = Id>>(all: I) -> Ids {
        let mut ids = Ids::default();
        for id in all {
            ids.insert(id);
        }
        ids
    }
}

/// Something for each message that has it.
#[derive(Debug)]
pub(super) struct ById<V>(Vec<Option<V>>);

impl<V> Default for ById<V> {
    fn default() -> ById<V> {
        ById(Vec::new())
    }
}

impl<V> ById<V> {
    pub(super) fn get(&self, id: Id) -> Option<&V> {
        self.0.get(id.place())?.as_ref()
    }

    /// What a message has, or shall have from here on.
    pub(super) fn of(&mut self, id: Id) -> &mut Option<V> {
        let place = id.place();
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        &mut self.0[place]
    }
}

impl<V> FromIterator<(Id, V)> for ById<V> {
    fn from_iter<I: IntoIterator<Item = (Id, V)>>(all: I) -> ById<V> {
        let mut by_id = ById::default();
        all.into_iter().for_each(|(id, value)| *by_id.of(id) = Some(value));
        by_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_number_wherever_it_is_met() {
        let mut numbers = Numbers::default();
        let ids = ["b", "a", "b", "c", "a"].map(|key| numbers.give(key, || key.into()));
        assert_eq!(ids.map(Id::place), [0, 1, 0, 2, 1]);
        assert_eq!((numbers.get("c"), numbers.get("d")), (Some(ids[3]), None));
        assert_eq!(numbers.key(ids[1]), "a");
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_a_table_what_was_last() {
        let some: Ids = [3, 200, 64, 3].into_iter().map(Id::of).collect();
        let held: Vec<usize> = (0..300).filter(|id| some.contains(Id::of(*id))).collect();
        assert_eq!(held, [3, 64, 200]);
        let all = [(7, 'a'), (2, 'b'), (7, 'c')].map(|(id, value)| (Id::of(id), value));
        let mut by_id: ById<char> = all.into_iter().collect();
        assert_eq!([2, 7, 8].map(|id| by_id.get(Id::of(id)).copied()), [Some('b'), Some('c'), None]);
        *by_id.of(Id::of(0)) = Some('d');
        assert_eq!(by_id.get(Id::of(0)), Some(&'d'));
    }
}
