//! The folder: what names a process sees, which of them no power loss can take, and the operations between the two.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::lab::fault::disk::Personality;
use crate::mq::disk::FileId;
use crate::mq::message::Name;
use crate::mq::time::{Millis, Span, Time};

/// What stands behind a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    Mapped(FileId),
    Small(SmallFile),
}

/// A small file, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SmallFile {
    pub(super) bytes: Bytes,
    pub(super) modified: Millis,
    /// The number of the put that wrote it.
    pub(super) put: u64,
}

/// An operation on the folder that a power loss can take.
#[derive(Clone, Debug)]
pub(super) struct NameOp {
    /// Counted over the disk's whole life.
    number: u64,
    at: Time,
    /// How many stores were made before it.
    pub(super) stores: u64,
    pub(super) change: Change,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// An empty mapped file.
    Create {
        name: Name,
        file: FileId,
    },
    /// A mapped file's length.
    Extend {
        file: FileId,
        len: u64,
    },
    /// A small file's entry; its content is written later.
    Put {
        name: Name,
        small: SmallFile,
    },
    Rename {
        from: Name,
        to: Name,
    },
    Remove {
        name: Name,
    },
}

/// Entries by name, and the lengths of mapped files.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    pub(super) entries: BTreeMap<Name, Entry>,
    pub(super) lens: BTreeMap<FileId, u64>,
}

/// The folder twice, and what lies between.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// What a process sees.
    pub(super) seen: Folder,
    /// What no power loss takes.
    safe: Folder,
    /// From the safe folder to the seen one, oldest first.
    ops: Vec<NameOp>,
    /// Puts whose content is not written yet, with their times.
    unwritten: BTreeMap<u64, Time>,
    puts: u64,
    next: u64,
}

/// What has been waiting for so long has been written back by the kernel: pages and names expire after 30 s, and the
/// flusher looks every 5 s. Mapped pages do not profit: a store that nobody flushed may be lost whenever.
const WRITTEN_BACK_AFTER: Span = Span::from_secs(35);
/// With so many operations waiting, the old ones are looked through.
const OPS_MANY: usize = 64;

impl Folder {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Create { name, file } => {
                self.entries.insert(name.clone(), Entry::Mapped(*file));
                self.lens.insert(*file, 0);
            }
            Change::Extend { file, len } => {
                self.lens.insert(*file, *len);
            }
            Change::Put { name, small } => {
                self.entries.insert(name.clone(), Entry::Small(small.clone()));
            }
            Change::Rename { from, to } => {
                if let Some(entry) = self.entries.remove(from) {
                    self.entries.insert(to.clone(), entry);
                }
            }
            Change::Remove { name } => {
                self.entries.remove(name);
            }
        }
    }

    /// The length of a mapped file.
    pub(super) fn len_of(&self, file: FileId) -> u64 {
        self.lens.get(&file).copied().unwrap_or(0)
    }
}

impl Names {
    /// What a process finds under a name.
    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.seen.entries.get(name)
    }

    /// Does something to the folder as seen.
    pub(super) fn change(&mut self, now: Time, stores: u64, change: Change) {
        if OPS_MANY <= self.ops.len() {
            self.write_back(now);
        }
        self.seen.apply(&change);
        self.ops.push(NameOp { number: self.next, at: now, stores, change });
        self.next += 1;
    }

    /// Writes a small file.
    pub(super) fn put(&mut self, now: Time, stores: u64, name: Name, bytes: Bytes, modified: Millis) {
        if OPS_MANY <= self.unwritten.len() {
            self.write_back(now);
        }
        self.puts += 1;
        let put = self.puts;
        if !bytes.is_empty() {
            self.unwritten.insert(put, now);
        }
        self.change(now, stores, Change::Put { name, small: SmallFile { bytes, modified, put } });
    }

    /// The operations that a power loss can take, oldest first.
    pub(super) fn ops(&self) -> &[NameOp] {
        &self.ops
    }

    /// This moment, for [`Names::commit`].
    pub(super) fn mark(&self) -> u64 {
        self.next
    }

    /// Puts whose content a power loss can take.
    pub(super) fn unwritten(&self) -> impl Iterator<Item = u64> {
        self.unwritten.keys().copied()
    }

    /// What has waited long enough is written back.
    pub(super) fn write_back(&mut self, now: Time) {
        let old = |at: Time| WRITTEN_BACK_AFTER <= now.since(at);
        let count = self.ops.iter().take_while(|op| old(op.at)).count();
        self.commit_first(count);
        self.unwritten.retain(|_, at| !old(*at));
    }

    /// A flush of `file` returned that was asked for at `mark`: what it commits is safe.
    pub(super) fn commit(&mut self, personality: Personality, file: FileId, mark: u64) {
        let before = |op: &NameOp| op.number < mark;
        if personality != Personality::Reordering {
            let count = self.ops.iter().take_while(|op| before(op)).count();
            return self.commit_first(count);
        }
        let mut chosen: Vec<bool> = self.ops.iter().map(|op| before(op) && op.change.is_of(file)).collect();
        self.close_over_names(&mut chosen);
        let ops = std::mem::take(&mut self.ops);
        for (op, chosen) in ops.into_iter().zip(chosen) {
            if chosen {
                self.safe.apply(&op.change);
            } else {
                self.ops.push(op);
            }
        }
    }

    fn commit_first(&mut self, count: usize) {
        for op in self.ops.drain(..count) {
            self.safe.apply(&op.change);
        }
    }

    /// Adds to a choice of operations those before them that touch the same names or files.
    pub(super) fn close_over_names(&self, chosen: &mut [bool]) {
        for later in (0..self.ops.len()).rev().filter(|later| chosen[*later]).collect::<Vec<_>>() {
            self.choose_with_earlier(later, chosen);
        }
    }

    fn choose_with_earlier(&self, later: usize, chosen: &mut [bool]) {
        chosen[later] = true;
        let mut subjects: BTreeSet<Subject<'_>> = self.ops[later].change.subjects().into_iter().flatten().collect();
        for earlier in (0..later).rev() {
            let touched = self.ops[earlier].change.subjects();
            if touched.iter().flatten().any(|subject| subjects.contains(subject)) {
                chosen[earlier] = true;
                subjects.extend(touched.into_iter().flatten());
            }
        }
    }

    /// The folder after a power loss that these operations survived.
    pub(super) fn survived_by(&self, chosen: &[bool]) -> Folder {
        let mut folder = self.safe.clone();
        for (op, _) in self.ops.iter().zip(chosen).filter(|(_, chosen)| **chosen) {
            folder.apply(&op.change);
        }
        folder
    }

    /// What a power loss left: seen and safe are the same.
    pub(super) fn settle(&mut self, folder: Folder) {
        self.safe = folder.clone();
        self.seen = folder;
        self.ops.clear();
        self.unwritten.clear();
    }

    /// Files that nobody sees and no power loss can bring back.
    pub(super) fn is_lost(&self, file: FileId) -> bool {
        let has = |folder: &Folder| folder.entries.values().any(|entry| *entry == Entry::Mapped(file));
        let pending = self.ops.iter().any(|op| matches!(op.change, Change::Create { file: made, .. } if made == file));
        !pending && !has(&self.seen) && !has(&self.safe)
    }
}

/// What an operation touches.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Subject<'a> {
    Name(&'a str),
    File(FileId),
}

impl Change {
    fn subjects(&self) -> [Option<Subject<'_>>; 2] {
        match self {
            Change::Create { name, file } => [Some(Subject::Name(name)), Some(Subject::File(*file))],
            Change::Extend { file, .. } => [Some(Subject::File(*file)), None],
            Change::Put { name, .. } | Change::Remove { name } => [Some(Subject::Name(name)), None],
            Change::Rename { from, to } => [Some(Subject::Name(from)), Some(Subject::Name(to))],
        }
    }

    fn is_of(&self, wanted: FileId) -> bool {
        matches!(self, Change::Create { file, .. } | Change::Extend { file, .. } if *file == wanted)
    }
}
