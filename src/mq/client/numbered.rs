//! What is under way, by its number: requests, calls, listeners.

use std::collections::VecDeque;

/// Values by a number that is handed out in ascending order.
///
/// A new one goes to the back, one of the oldest leaves: a sorted deque beats a tree, and keeps its room while it is empty.
/// Both ends are taken without moving anything.
#[derive(Clone, Debug)]
pub(crate) struct Numbered<N, V> {
    entries: VecDeque<(N, V)>,
}

impl<N, V> Default for Numbered<N, V> {
    fn default() -> Numbered<N, V> {
        Numbered { entries: VecDeque::new() }
    }
}

impl<N: Ord + Copy, V> Numbered<N, V> {
    /// Puts a value under a number and returns what stood there.
    pub(crate) fn insert(&mut self, number: N, value: V) -> Option<V> {
        match self.find(number) {
            Ok(at) => Some(std::mem::replace(&mut self.entries[at].1, value)),
            Err(at) if at == self.entries.len() => {
                self.entries.push_back((number, value));
                None
            }
            Err(at) => {
                self.entries.insert(at, (number, value));
                None
            }
        }
    }

    /// Takes the value of a number out.
    pub(crate) fn remove(&mut self, number: N) -> Option<V> {
        if self.entries.front()?.0 == number {
            return self.entries.pop_front().map(|(_, value)| value);
        }
        let at = self.find(number).ok()?;
        self.entries.remove(at).map(|(_, value)| value)
    }

    /// Takes out every value that `wanted` names, in order of their numbers.
    pub(crate) fn take_if(&mut self, wanted: impl Fn(&V) -> bool) -> Vec<V> {
        let mut taken = Vec::new();
        for _ in 0..self.entries.len() {
            let (number, value) = self.entries.pop_front().expect("counted before");
            match wanted(&value) {
                true => taken.push(value),
                false => self.entries.push_back((number, value)),
            }
        }
        taken
    }

    /// All values, in order of their numbers.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// All values, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    fn find(&self, number: N) -> Result<usize, usize> {
        match self.entries.back() {
            Some((last, _)) if *last < number => Err(self.entries.len()),
            _ => self.entries.binary_search_by_key(&number, |(number, _)| *number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_order_whatever_comes_and_goes() {
        let mut table = Numbered::default();
        for number in [3, 5, 9, 4, i32::MIN] {
            assert_eq!(table.insert(number, number), None);
        }
        assert_eq!(table.insert(5, 50), Some(5));
        assert_eq!(table.remove(4), Some(4));
        assert_eq!(table.remove(4), None);
        assert_eq!(table.values().copied().collect::<Vec<_>>(), [i32::MIN, 3, 50, 9]);
        assert_eq!(table.take_if(|value| *value > 3), [50, 9]);
        assert_eq!(table.values().copied().collect::<Vec<_>>(), [i32::MIN, 3]);
    }
}
