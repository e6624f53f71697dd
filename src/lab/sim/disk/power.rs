//! The persistence adversary: what a power loss can take, and what is left when it has chosen.
//!
//! At risk is everything since it was last made durable: of each dirty page every store, of the folder every operation, of
//! small files the content. A choice says of each what survives: of a page a version (the first so many of its stores),
//! torn at a sector if the device was at work on it; of the folder a subset; of a small file all, a part or nothing. A choice
//! is made legal for the disk's personality by adding what cannot be missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::lab::fault::disk::Personality;
use crate::lab::sim::disk::file::{SimFile, ZEROS};
use crate::lab::sim::disk::names::{Change, Entry, Folder, Names};
use crate::lab::sim::disk::{PowerLoss, SimDisk, keep};
use crate::lab::trace::image::{PAGE, Page};
use crate::mq::disk::FileId;
use crate::mq::message::Name;

/// Bytes that a device writes whole or not at all.
pub const SECTOR: usize = 512;
/// Sectors of a page.
pub const SECTORS: u8 = (PAGE / SECTOR) as u8;

/// What a power loss can take, in a fixed order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AtRisk {
    /// Dirty pages, by file and page.
    pub pages: Vec<PageAtRisk>,
    /// Operations on the folder, oldest first.
    pub names: Vec<NameAtRisk>,
    /// Small files whose content was not written yet, by their put.
    pub contents: Vec<ContentAtRisk>,
    /// Stores before this number have been committed by a flush, on a disk of personality `strict`.
    committed: u64,
}

/// A dirty page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageAtRisk {
    id: FileId,
    /// The file.
    pub file: Name,
    /// Which page of it.
    pub page: u64,
    /// Its stores since it was last clean, oldest first.
    pub stores: Vec<StoreAtRisk>,
}

/// One store into a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreAtRisk {
    /// Its number among the disk's stores.
    pub number: u64,
    /// First byte in the page.
    pub from: u16,
    /// How many bytes.
    pub len: u16,
}

/// An operation on the folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameAtRisk {
    /// How many of the disk's stores were made before it.
    pub stores: u64,
    /// `create`, `extend`, `put`, `rename`, `remove`.
    pub what: &'static str,
    /// The put, if it is one.
    pub put: Option<u64>,
}

/// A small file's content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContentAtRisk {
    /// The put that wrote it.
    pub put: u64,
    /// Under which name.
    pub file: Name,
    /// Its length.
    pub len: usize,
}

/// What survives; in the order of an [`AtRisk`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Survivors {
    /// Of each page.
    pub pages: Vec<PageFate>,
    /// Whether each operation does.
    pub names: Vec<bool>,
    /// Of each content.
    pub contents: Vec<ContentFate>,
}

/// What survives of a page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PageFate {
    /// The first so many of its stores.
    pub stores: u32,
    /// Of that version the first so many sectors; the rest is what was stable.
    pub sectors: u8,
}

/// What survives of a small file's content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ContentFate {
    /// All of it.
    Whole,
    /// The first half, in whole sectors.
    Short,
    /// Nothing: an empty file.
    Empty,
    /// Its length; the bytes are zeros. On a disk of personality `writeback` or `reordering`; elsewhere the same as
    /// [`Empty`](ContentFate::Empty).
    Zeros,
}

impl PageFate {
    /// Nothing new survives.
    pub const LOST: PageFate = PageFate { stores: 0, sectors: SECTORS };

    fn is_lost(self) -> bool {
        self.stores == 0 || self.sectors == 0
    }
}

impl AtRisk {
    /// The choice in which everything survives.
    pub fn all(&self) -> Survivors {
        Survivors {
            pages: self.pages.iter().map(PageAtRisk::newest).collect(),
            names: vec![true; self.names.len()],
            contents: vec![ContentFate::Whole; self.contents.len()],
        }
    }

    /// The choice in which nothing survives.
    pub fn none(&self) -> Survivors {
        Survivors {
            pages: vec![PageFate::LOST; self.pages.len()],
            names: vec![false; self.names.len()],
            contents: vec![ContentFate::Empty; self.contents.len()],
        }
    }

    /// The choice in which everything up to a moment survives: before the store of this number, and before the operation
    /// of this place.
    pub fn until(&self, store: u64, op: usize) -> Survivors {
        let mut chosen = self.none();
        for (page, fate) in self.pages.iter().zip(&mut chosen.pages) {
            fate.stores = page.stores.partition_point(|at| at.number < store) as u32;
        }
        for (place, (name, survives)) in self.names.iter().zip(&mut chosen.names).enumerate() {
            *survives = place < op && name.stores <= store;
        }
        for (content, fate) in self.contents.iter().zip(&mut chosen.contents) {
            let op_of = self.names.iter().position(|name| name.put == Some(content.put));
            if op_of.is_none_or(|place| chosen.names[place]) {
                *fate = ContentFate::Whole;
            }
        }
        chosen
    }
}

impl AtRisk {
    /// A choice drawn at random: each page lost or one of its versions, perhaps torn; a number of names; each content by
    /// itself. `draw(n)` gives a number below `n`.
    pub fn drawn(&self, torn: bool, draw: &mut dyn FnMut(u64) -> u64) -> Survivors {
        keep::drawn(self, torn, draw)
    }

    /// Nothing is at risk.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.names.is_empty() && self.contents.is_empty()
    }
}

impl PageAtRisk {
    /// The whole page as it is now.
    pub fn newest(&self) -> PageFate {
        PageFate { stores: self.stores.len() as u32, sectors: SECTORS }
    }
}

impl SimDisk {
    /// What a power loss could take now.
    pub fn at_risk(&mut self) -> AtRisk {
        self.names.write_back(self.now);
        let mut pages: BTreeMap<(FileId, u64), PageAtRisk> = BTreeMap::new();
        let base = self.journal.base();
        for (number, file) in self.files.iter().enumerate() {
            let Some(file) = file else { continue };
            for slot in file.slots().iter().filter(|slot| slot.dirty) {
                let id = FileId(number as u32);
                let mut stores = Vec::new();
                if slot.clean < base {
                    // Older stores are not told apart any more: one version stands for them.
                    stores.push(StoreAtRisk { number: base - 1, from: 0, len: PAGE as u16 });
                }
                let risk = PageAtRisk { id, file: file.name().clone(), page: slot.page, stores };
                pages.insert((id, slot.page), risk);
            }
        }
        for (number, store) in self.journal.each() {
            let Some(page) = pages.get_mut(&(store.file, u64::from(store.page))) else { continue };
            let slot = self.file(store.file).and_then(|file| file.find(page.page)).expect("it is dirty");
            if slot.clean <= number {
                page.stores.push(StoreAtRisk { number, from: store.from, len: store.len });
            }
        }
        let names = self.names.ops().iter().map(|op| NameAtRisk {
            stores: op.stores,
            what: op.change.as_str(),
            put: op.change.put(),
        });
        let contents = self.names.unwritten().map(|(put, content)| ContentAtRisk {
            put,
            file: content.file.clone(),
            len: content.len,
        });
        AtRisk {
            pages: pages.into_values().collect(),
            names: names.collect(),
            contents: contents.collect(),
            committed: self.committed,
        }
    }

    /// The machine loses power, and `chosen`, made legal, is what survives. `risk` is what [`SimDisk::at_risk`] said.
    pub fn lose_power(&mut self, risk: &AtRisk, mut chosen: Survivors) -> PowerLoss {
        self.legalise(risk, &mut chosen);
        self.kill();
        let mut loss = PowerLoss::default();
        let mut pages: Vec<(FileId, u64, Page)> = Vec::with_capacity(risk.pages.len());
        for (page, fate) in risk.pages.iter().zip(&chosen.pages) {
            loss.count(page, *fate);
            pages.push((page.id, page.page, self.version(page, *fate)));
        }
        if self.faults.is_some() {
            let taken = risk.pages.iter().zip(&chosen.pages).filter(|(_, fate)| !fate.is_lost());
            self.device_took(taken.map(|(page, fate)| (page.id, page.page, usize::from(fate.sectors) * SECTOR)));
        }
        for (id, page, content) in pages {
            let file = self.files[id.0 as usize].as_mut().expect("at risk");
            Arc::make_mut(file).slot(page).settle(content);
        }
        let mut folder = self.names.survived_by(&chosen.names);
        let fates = risk.contents.iter().map(|content| content.put).zip(chosen.contents).collect();
        wither(&mut folder, &fates);
        self.resettle(folder);
        loss
    }

    /// Adds to a choice what cannot be missing from it.
    pub fn legalise(&self, risk: &AtRisk, chosen: &mut Survivors) {
        assert_eq!(chosen.names.len(), risk.names.len(), "a choice of what is at risk");
        let newest = risk.pages.iter().zip(&chosen.pages).filter(|(_, fate)| !fate.is_lost());
        let newest = newest.map(|(page, fate)| page.stores[fate.stores as usize - 1].number + 1).max().unwrap_or(0);
        let last_op = chosen.names.iter().rposition(|survives| *survives).map_or(0, |last| last + 1);
        match self.personality {
            Personality::Ordered => {
                let before_stores = risk.names.iter().take_while(|name| name.stores < newest).count();
                chosen.names[..last_op.max(before_stores)].fill(true);
            }
            Personality::Writeback => chosen.names[..last_op].fill(true),
            Personality::Reordering => self.names.close_over_names(&mut chosen.names),
            Personality::Strict => {
                let store = chosen.names[..last_op].len().checked_sub(1).map_or(0, |last| risk.names[last].stores);
                let store = store.max(newest).max(risk.committed);
                let before_stores = risk.names.iter().take_while(|name| name.stores < store).count();
                *chosen = risk.until(store, last_op.max(before_stores));
            }
        }
        if matches!(self.personality, Personality::Ordered | Personality::Strict) {
            for fate in &mut chosen.contents {
                *fate = if *fate == ContentFate::Zeros { ContentFate::Empty } else { *fate };
            }
        }
    }

    /// A page as it was after some of its stores, torn if so chosen.
    fn version(&self, page: &PageAtRisk, fate: PageFate) -> Page {
        let slot = self.file(page.id).and_then(|file| file.find(page.page)).expect("it is dirty");
        let stable = || slot.stable.clone().unwrap_or_else(|| Arc::new(ZEROS));
        if fate.is_lost() {
            return stable();
        }
        let mut version = Arc::clone(&slot.cached);
        for store in page.stores[fate.stores as usize..].iter().rev() {
            self.journal.take_back(store.number, &mut Arc::make_mut(&mut version)[..]);
        }
        if fate.sectors < SECTORS {
            let torn = usize::from(fate.sectors) * SECTOR;
            Arc::make_mut(&mut version)[torn..].copy_from_slice(&stable()[torn..]);
        }
        version
    }

    /// Begins anew with this folder: everything left is stable.
    fn resettle(&mut self, folder: Folder) {
        let mapped = folder.entries.iter().filter_map(|(name, entry)| match entry {
            Entry::Mapped(id) => Some((*id, name.clone())),
            Entry::Small(_) => None,
        });
        let mapped: BTreeMap<FileId, Name> = mapped.collect();
        for (number, file) in self.files.iter_mut().enumerate() {
            let id = FileId(number as u32);
            let (Some(name), Some(found)) = (mapped.get(&id), file.as_mut()) else {
                *file = None;
                continue;
            };
            let found = Arc::make_mut(found);
            let len = folder.len_of(id);
            if len < found.len {
                *found = SimFile::new(name.clone(), len, found.modified);
            }
            found.rename(name.clone());
            found.gone = false;
        }
        self.names.settle(folder);
        self.journal.clear();
    }
}

impl Names {
    /// The folder that would be left if nothing survived.
    pub(super) fn worst(&self) -> Folder {
        let mut folder = self.survived_by(&vec![false; self.ops().len()]);
        let fates = self.unwritten().map(|(put, _)| (put, ContentFate::Empty)).collect();
        wither(&mut folder, &fates);
        folder
    }
}

impl PowerLoss {
    fn count(&mut self, page: &PageAtRisk, fate: PageFate) {
        if fate.is_lost() {
            self.lost += 1;
        } else if fate == page.newest() {
            self.kept += 1;
        } else {
            self.torn += 1;
        }
    }
}

/// Lets the contents of small files have their fates.
fn wither(folder: &mut Folder, fates: &BTreeMap<u64, ContentFate>) {
    for entry in folder.entries.values_mut() {
        let Entry::Small(small) = entry else { continue };
        let Some(fate) = fates.get(&small.put) else { continue };
        let length = small.bytes.len();
        match fate {
            ContentFate::Whole => {}
            ContentFate::Short => small.bytes.truncate(length / 2 / SECTOR * SECTOR),
            ContentFate::Empty => small.bytes.clear(),
            ContentFate::Zeros => small.bytes = Bytes::from(vec![0; length]),
        }
    }
}

impl Change {
    fn as_str(&self) -> &'static str {
        match self {
            Change::Create { .. } => "create",
            Change::Extend { .. } => "extend",
            Change::Put { .. } => "put",
            Change::Rename { .. } => "rename",
            Change::Remove { .. } => "remove",
        }
    }

    fn put(&self) -> Option<u64> {
        match self {
            Change::Put { small, .. } => Some(small.put),
            _ => None,
        }
    }
}
