//! Which file is what: the names of a store's files.
//!
//! A file of log or queue is named after the place of its first byte, so file names and lengths must add up; an index file
//! is named after the moment it was made. Sizes are configured and stand nowhere: they are taken from the files.

use std::collections::BTreeMap;

use crate::lab::oracle::Files;

/// A file named by a number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Segment {
    /// The number: the place of its first byte, or the moment it was made.
    pub start: u64,
    /// Its length.
    pub len: u64,
    /// Its path.
    pub path: String,
}

impl Segment {
    /// The place of the first byte behind it.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }
}

/// Topic and queue.
pub type QueueName = (String, i32);

/// A store's files, sorted into what they are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// The commit log's.
    pub log: Vec<Segment>,
    /// Each consume queue's.
    pub queues: BTreeMap<QueueName, Vec<Segment>>,
    /// Each consume queue's extensions.
    pub extensions: BTreeMap<QueueName, Vec<Segment>>,
    /// The index's, in the order they were made.
    pub index: Vec<Segment>,
    /// Files below `config`: path and length.
    pub config: Vec<(String, u64)>,
    /// The length of `checkpoint`, if there is one.
    pub checkpoint: Option<u64>,
    /// Whether `abort` is there: the broker runs, or did not stop cleanly.
    pub abort: bool,
    /// Whether `lock` is there.
    pub lock: bool,
    /// Everything else.
    pub strangers: Vec<String>,
}

impl Layout {
    /// Sorts files by their names.
    pub fn of(files: &dyn Files) -> Layout {
        let mut layout = Layout::default();
        for (path, len) in files.list() {
            layout.sort_in(path, len);
        }
        layout.log.sort();
        layout.index.sort();
        layout.queues.values_mut().chain(layout.extensions.values_mut()).for_each(|segments| segments.sort());
        layout
    }

    /// Whether there is anything that only a store has.
    pub fn is_store(&self) -> bool {
        !self.log.is_empty() || !self.queues.is_empty() || !self.index.is_empty() || self.checkpoint.is_some()
    }

    fn sort_in(&mut self, path: String, len: u64) {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["commitlog", name] if let Some(start) = place(name, len) => {
                self.log.push(Segment { start, len, path });
            }
            ["index", name] if let Some(start) = number(name, MOMENT_DIGITS) => {
                self.index.push(Segment { start, len, path });
            }
            [kind @ ("consumequeue" | "consumequeue_ext"), topic, queue, name] => {
                let (Ok(queue), Some(start)) = (queue.parse(), place(name, len)) else {
                    self.strangers.push(path);
                    return;
                };
                let queues = if kind == "consumequeue" { &mut self.queues } else { &mut self.extensions };
                let topic = topic.to_owned();
                queues.entry((topic, queue)).or_default().push(Segment { start, len, path });
            }
            ["config", ..] => self.config.push((path, len)),
            ["checkpoint"] => self.checkpoint = Some(len),
            ["abort"] => self.abort = true,
            ["lock"] => self.lock = true,
            _ => self.strangers.push(path),
        }
    }
}

/// The place of a file's first byte; its last one has a place, too.
fn place(name: &str, len: u64) -> Option<u64> {
    number(name, PLACE_DIGITS).filter(|start| start.checked_add(len).is_some_and(|end| end <= i64::MAX as u64))
}

fn number(name: &str, digits: usize) -> Option<u64> {
    (name.len() == digits && name.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.parse().ok())?
}

/// Digits of a name that is a place.
const PLACE_DIGITS: usize = 20;
/// Digits of a name that is a moment: `yyyyMMddHHmmssSSS`.
const MOMENT_DIGITS: usize = 17;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;

    #[test]
    fn files_are_sorted_by_their_names() {
        let names = [
            "commitlog/00000000000000008192",
            "commitlog/00000000000000000000",
            "commitlog/0000000000000000000x",
            "commitlog/18446744073709551615",
            "commitlog/09223372036854775800",
            "consumequeue/orders/3/00000000000000000000",
            "consumequeue/orders/three/00000000000000000000",
            "consumequeue_ext/orders/3/00000000000000000000",
            "index/20261122212550092",
            "config/topics.json",
            "checkpoint",
            "abort",
            "lock",
            "notes.txt",
        ];
        let folder = Folder(names.iter().map(|name| ((*name).to_owned(), vec![0; 10])).collect());
        let layout = Layout::of(&folder);
        assert_eq!(layout.log.iter().map(|segment| segment.start).collect::<Vec<_>>(), [0, 8192]);
        assert_eq!(layout.queues.keys().collect::<Vec<_>>(), [&("orders".to_owned(), 3)]);
        assert_eq!((layout.extensions.len(), layout.index.len(), layout.config.len()), (1, 1, 1));
        assert_eq!((layout.checkpoint, layout.abort, layout.lock), (Some(10), true, true));
        assert_eq!(layout.strangers.len(), 5);
    }
}
