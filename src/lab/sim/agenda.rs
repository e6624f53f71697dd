//! What happens next: a heap ordered by (time, tie, sequence), so that nothing is left to the heap's own taste.
//!
//! An entry carries no content, only where the content lies: a frame in flight lives in a slab, a timer in its machine.
//! A plain binary heap beats a wheel at the sizes of a cluster (tens of entries pending).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::mq::time::Time;

/// The pending entries of one world.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    heap: BinaryHeap<Entry>,
    /// How many entries were ever filed; the next one's number.
    filed: u64,
}

/// One pending entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// When, in true time.
    pub at: Time,
    /// The tie in the highest 16 bits, the number below.
    order: u64,
    /// What.
    pub item: Item,
}

/// What comes up, by where it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item {
    /// Something on a connection: an index into the flights.
    Flight(u32),
    /// A node's timer.
    Timer {
        /// The node.
        node: u16,
        /// Its place among the node's timers.
        slot: u32,
    },
    /// A flush is due: an index into the flushes under way.
    Flush(u32),
    /// Something of the lab or an application: an index into the errands.
    Errand(u32),
}

/// Entries are numbered in 48 bits: more than any run can file.
const FILED_MAX: u64 = 1 << 48;

impl Agenda {
    /// Files an entry behind all others of its moment.
    #[inline]
    pub fn file(&mut self, at: Time, item: Item) {
        self.file_tied(at, 0, item);
    }

    /// Files an entry that comes after those of a lower tie at the same moment, and before those of a higher one.
    #[inline]
    pub fn file_tied(&mut self, at: Time, tie: u16, item: Item) {
        assert!(self.filed < FILED_MAX, "entries are numbered in 48 bits");
        let order = u64::from(tie) << 48 | self.filed;
        self.filed += 1;
        self.heap.push(Entry { at, order, item });
    }

    /// Takes out the next entry, unless it lies after `until`.
    #[inline]
    pub fn next(&mut self, until: Time) -> Option<Entry> {
        if until < self.heap.peek()?.at {
            return None;
        }
        self.heap.pop()
    }

    /// When the next entry comes up.
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// How many entries are pending.
    pub fn pending(&self) -> usize {
        self.heap.len()
    }

    /// How many entries were ever filed.
    pub fn filed(&self) -> u64 {
        self.filed
    }
}

impl Entry {
    /// Time and order in one number: one comparison instead of two, the second of which no processor foresees.
    #[inline]
    fn key(&self) -> u128 {
        u128::from(self.at.0) << 64 | u128::from(self.order)
    }
}

/// The heap gives its greatest first: the earliest entry is the greatest.
impl Ord for Entry {
    #[inline]
    fn cmp(&self, other: &Entry) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Entry {
    #[inline]
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

const _: () = assert!(size_of::<Entry>() <= 32, "an entry is moved at every level of the heap");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_by_time_then_tie_then_in_the_order_of_filing() {
        let mut agenda = Agenda::default();
        agenda.file(Time(20), Item::Flight(0));
        agenda.file_tied(Time(10), 7, Item::Flight(1));
        agenda.file(Time(10), Item::Flight(2));
        agenda.file_tied(Time(10), 7, Item::Flight(3));
        agenda.file(Time(30), Item::Flight(4));
        let mut order = Vec::new();
        while let Some(entry) = agenda.next(Time(20)) {
            order.push((entry.at.0, entry.item));
        }
        let expected = [(10, 2), (10, 1), (10, 3), (20, 0)].map(|(at, index)| (at, Item::Flight(index)));
        assert_eq!(order, expected);
        assert_eq!(agenda.next_at(), Some(Time(30)));
        assert_eq!((agenda.pending(), agenda.filed()), (1, 5));
    }
}
