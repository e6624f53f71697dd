//! Overlays: what lies over pristine bytes, as masks that are folded over a page by exclusive or.
//!
//! A mask that is *shown* changes what a process reads: the kernel read the page from the device anew. One that is not lies
//! on the device only, behind a page cache that knows better, and is shown by the next power loss. Folding makes masks of
//! several faults independent: taking one away leaves the others as they are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::lab::sim::disk::names::Entry;
use crate::lab::trace::image::{FileImage, PAGE, Page};
use crate::mq::disk::FileId;
use crate::mq::message::Name;

/// Every overlay of a disk.
#[derive(Clone, Debug, Default)]
pub(in crate::lab::sim::disk) struct Overlays {
    masks: BTreeMap<(FileId, u64), Vec<Mask>>,
    flips: Vec<Flip>,
    bad: Vec<Bad>,
    cuts: Vec<Cut>,
}

#[derive(Clone, Debug)]
struct Mask {
    /// The fault that takes it along when it heals; `None` stays.
    owner: Option<u32>,
    shown: bool,
    bits: Box<[u8; PAGE]>,
}

/// A flipped bit in a small file, until that is written anew.
#[derive(Clone, Debug)]
struct Flip {
    owner: u32,
    name: Name,
    put: u64,
    at: usize,
    bits: u8,
}

/// Bytes that cannot be read.
#[derive(Clone, Debug)]
struct Bad {
    owner: u32,
    name: Name,
    range: Range<u64>,
}

/// A file that ends early: a mapped one, or a small one until that is written anew.
#[derive(Clone, Debug)]
struct Cut {
    owner: u32,
    entry: Entry,
    name: Name,
    len: u64,
}

impl Overlays {
    pub(super) fn is_empty(&self) -> bool {
        self.masks.is_empty() && self.flips.is_empty() && self.bad.is_empty() && self.cuts.is_empty()
    }

    /// A fault heals: its overlays go.
    pub(super) fn lift(&mut self, owner: u32) {
        self.keep_masks(|mask| mask.owner != Some(owner));
        self.flips.retain(|flip| flip.owner != owner);
        self.bad.retain(|bad| bad.owner != owner);
        self.cuts.retain(|cut| cut.owner != owner);
    }

    fn keep_masks(&mut self, keep: impl Fn(&Mask) -> bool) {
        for masks in self.masks.values_mut() {
            masks.retain(&keep);
        }
        self.masks.retain(|_, masks| !masks.is_empty());
    }

    /// Lays a mask over a page; one that changes nothing is not laid.
    pub(super) fn lay(&mut self, owner: Option<u32>, (file, page): (FileId, u64), shown: bool, bits: Box<[u8; PAGE]>) {
        if bits.iter().any(|byte| *byte != 0) {
            self.masks.entry((file, page)).or_default().push(Mask { owner, shown, bits });
        }
    }

    /// Flips bits of a small file.
    pub(super) fn flip(&mut self, owner: u32, name: Name, put: u64, at: usize, bits: u8) {
        self.flips.push(Flip { owner, name, put, at, bits });
    }

    /// Makes bytes unreadable.
    pub(super) fn spoil(&mut self, owner: u32, name: Name, range: Range<u64>) {
        self.bad.push(Bad { owner, name, range });
    }

    /// Lets a file end early.
    pub(super) fn cut(&mut self, owner: u32, name: Name, entry: Entry, len: u64) {
        self.cuts.push(Cut { owner, entry, name, len });
    }

    /// Folds what a process sees over a part of a page that it reads: `from` is its first byte in the page.
    pub(super) fn show(&self, file: FileId, page: u64, from: usize, out: &mut [u8]) {
        self.fold(file, page, from, out, |mask| mask.shown);
    }

    /// Folds what lies on the device over a page.
    pub(super) fn fold_device(&self, file: FileId, page: u64, out: &mut [u8]) {
        self.fold(file, page, 0, out, |_| true);
    }

    fn fold(&self, file: FileId, page: u64, from: usize, out: &mut [u8], which: impl Fn(&Mask) -> bool) {
        for mask in self.masks.get(&(file, page)).into_iter().flatten().filter(|mask| which(mask)) {
            for (byte, bits) in out.iter_mut().zip(&mask.bits[from..]) {
                *byte ^= bits;
            }
        }
    }

    /// A process stores into a page: what it writes it reads. A bad part that is written whole is good again.
    pub(super) fn stored(&mut self, file: FileId, name: &str, at: u64, len: u64) {
        for page in at / PAGE as u64..=(at + len.max(1) - 1) / PAGE as u64 {
            let Some(masks) = self.masks.get_mut(&(file, page)) else { continue };
            let first = page * PAGE as u64;
            let from = at.max(first) - first;
            let to = (at + len).min(first + PAGE as u64) - first;
            for mask in masks.iter_mut().filter(|mask| mask.shown) {
                mask.bits[from as usize..to as usize].fill(0);
            }
        }
        self.bad.retain(|bad| bad.name != name || bad.range.start < at || at + len < bad.range.end);
    }

    /// The device has taken a page whole, or its first `to` bytes: what lay there unseen is gone.
    pub(super) fn written(&mut self, file: FileId, page: u64, to: usize) {
        let Some(masks) = self.masks.get_mut(&(file, page)) else { return };
        for mask in masks.iter_mut().filter(|mask| !mask.shown) {
            mask.bits[..to].fill(0);
        }
        masks.retain(|mask| mask.bits.iter().any(|byte| *byte != 0));
        if masks.is_empty() {
            self.masks.remove(&(file, page));
        }
    }

    /// The page cache is gone: what lies on the device is what is read.
    pub(in crate::lab::sim::disk) fn expose(&mut self) {
        for mask in self.masks.values_mut().flatten() {
            mask.shown = true;
        }
    }

    /// The first byte of a range that cannot be read.
    pub(super) fn unreadable(&self, name: &str, range: &Range<u64>) -> Option<u64> {
        let hits = self.bad.iter().filter(|bad| bad.name == name);
        hits.filter(|bad| bad.range.start < range.end && range.start < bad.range.end)
            .map(|bad| bad.range.start.max(range.start))
            .min()
    }

    /// Whether a range holds every unreadable part that it meets whole.
    pub(super) fn covers(&self, name: &str, range: &Range<u64>) -> bool {
        let meets = |bad: &&Bad| bad.name == name && bad.range.start < range.end && range.start < bad.range.end;
        self.bad.iter().filter(meets).all(|bad| range.start <= bad.range.start && bad.range.end <= range.end)
    }

    /// Where a file ends that ends early.
    pub(super) fn end_of(&self, name: &str, entry: &Entry) -> Option<u64> {
        let is_it = |cut: &Cut| {
            cut.name == name
                && match (&cut.entry, entry) {
                    (Entry::Mapped(cut), Entry::Mapped(id)) => cut == id,
                    (Entry::Small(cut), Entry::Small(small)) => cut.put == small.put,
                    _ => false,
                }
        };
        self.cuts.iter().filter(|cut| is_it(cut)).map(|cut| cut.len).min()
    }

    /// A file that ended early is made longer: what lay behind its end is gone, and zeros are there instead.
    pub(super) fn regrow(&mut self, file: FileId, contents: &[(u64, Page)]) {
        let (gone, kept) =
            std::mem::take(&mut self.cuts).into_iter().partition::<Vec<Cut>, _>(|cut| cut.entry == Entry::Mapped(file));
        self.cuts = kept;
        let Some(cut) = gone.first() else { return };
        for (page, content) in contents {
            let mut seen = **content;
            self.show(file, *page, 0, &mut seen);
            self.lay(Some(cut.owner), (file, *page), true, Box::new(seen));
        }
    }

    /// A small file as it is read.
    pub(super) fn small(&self, name: &str, put: u64, bytes: &Bytes, end: Option<u64>) -> Bytes {
        let end = end.map_or(bytes.len(), |end| bytes.len().min(end as usize));
        let mut seen = bytes.slice(..end).to_vec();
        for flip in self.flips.iter().filter(|flip| flip.put == put && flip.name == name) {
            if let Some(byte) = seen.get_mut(flip.at) {
                *byte ^= flip.bits;
            }
        }
        Bytes::from(seen)
    }

    /// Lays everything over one file of an image: of the device, or of what a process reads.
    pub(in crate::lab::sim::disk) fn paint(&self, name: &str, entry: &Entry, image: &mut FileImage, device: bool) {
        let end = self.end_of(name, entry);
        match entry {
            Entry::Small(small) => {
                let bytes = self.small(name, small.put, &Bytes::from(image.read(0..image.len)), end);
                *image = super::super::small_image(&bytes);
            }
            Entry::Mapped(id) => {
                for (number, masks) in self.masks.range((*id, 0)..=(*id, u64::MAX)) {
                    if number.1 * PAGE as u64 >= image.len || !masks.iter().any(|mask| mask.shown || device) {
                        continue;
                    }
                    let page = image.pages.entry(number.1).or_insert_with(|| Arc::new([0; PAGE]));
                    self.fold(*id, number.1, 0, &mut Arc::make_mut(page)[..], |mask| mask.shown || device);
                }
                if let Some(end) = end {
                    image.len = image.len.min(end);
                    image.pages.retain(|page, _| page * (PAGE as u64) < end);
                }
            }
        }
    }
}
