//! A machine's disk at a moment, folded from what was stored and forced: what a process would read, and what would be left
//! without power.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::lab::oracle::Files;
use crate::lab::trace::image::{DiskImage, FileImage, PAGE, Page};
use crate::lab::trace::record::DiskEvent;
use crate::mq::message::Name;

/// One disk at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Disk {
    /// What a process on this machine would read.
    pub cached: DiskImage,
    /// What would be left without power: forced contents alone, of files whatever became of their names.
    pub stable: DiskImage,
    /// What flushes under way found when they were asked for.
    asked: BTreeMap<u64, (Name, Vec<(u64, Page)>)>,
}

impl Disk {
    /// Takes one event in.
    ///
    /// Differs: what a fault changes at rest shows with the next image, as does a disk that was replaced.
    pub fn fold(&mut self, event: &DiskEvent) {
        match event {
            DiskEvent::Stored { file, at, bytes, .. } => store(self.cached.files.entry(file.to_string()), *at, bytes),
            DiskEvent::Named { what, file, to, len } => self.name(what, file, to.as_ref(), *len),
            DiskEvent::FlushAsked { ticket, file, from, to } => {
                let pages = self.cached.files.get(file.as_str()).map_or_else(Vec::new, |own| {
                    let pages = own.pages.range(from / PAGE as u64..to.div_ceil(PAGE as u64));
                    pages.map(|(number, page)| (*number, page.clone())).collect()
                });
                self.asked.insert(*ticket, (file.clone(), pages));
            }
            DiskEvent::FlushDone { ticket } => {
                let Some((file, pages)) = self.asked.remove(ticket) else { return };
                let len = self.cached.files.get(file.as_str()).map_or(0, |own| own.len);
                let own = self.stable.files.entry(file.to_string()).or_default();
                own.len = own.len.max(len);
                own.pages.extend(pages);
            }
            DiskEvent::FlushFailed { ticket, .. } => drop(self.asked.remove(ticket)),
            DiskEvent::Wrong { .. } => {}
            DiskEvent::Image { cached, stable } => {
                (self.cached, self.stable) = (DiskImage::clone(cached), DiskImage::clone(stable));
            }
        }
    }

    /// A process is gone, and what it had asked for with it.
    pub fn end(&mut self) {
        self.asked.clear();
    }

    fn name(&mut self, what: &str, file: &str, to: Option<&Name>, len: u64) {
        match (what, to) {
            ("create", _) => self.cached.files.entry(file.to_owned()).or_default().len = len,
            ("rename", Some(to)) => {
                if let Some(own) = self.cached.files.remove(file) {
                    self.cached.files.insert(to.to_string(), own);
                }
                if let Some(own) = self.stable.files.remove(file) {
                    self.stable.files.insert(to.to_string(), own);
                }
            }
            ("remove", _) => drop((self.cached.files.remove(file), self.stable.files.remove(file))),
            _ => {}
        }
    }

    /// Up to where a file's beginning would be left without power, and how many of its pages would not be the same.
    pub fn forced(&self, path: &str, end: u64) -> (u64, usize) {
        let nothing = FileImage::default();
        let Some(cached) = self.cached.files.get(path) else { return (0, 0) };
        let stable = self.stable.files.get(path).unwrap_or(&nothing);
        let (mut forced, mut dirty) = (None, 0);
        for (number, page) in &cached.pages {
            let left = stable.pages.get(number);
            if left.is_some_and(|left| Arc::ptr_eq(left, page)) {
                continue;
            }
            let left = left.map_or(&ZEROS, |left| &**left);
            if let Some(at) = page.iter().zip(left).position(|(now, left)| now != left) {
                dirty += 1;
                forced.get_or_insert(number * PAGE as u64 + at as u64);
            }
        }
        (forced.unwrap_or(end).min(end), dirty)
    }
}

fn store(file: std::collections::btree_map::Entry<'_, String, FileImage>, at: u64, bytes: &[u8]) {
    let file = file.or_default();
    let end = at + bytes.len() as u64;
    file.len = file.len.max(end);
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let from = (at % PAGE as u64) as usize;
        let len = rest.len().min(PAGE - from);
        let page = file.pages.entry(at / PAGE as u64).or_insert_with(|| Arc::new([0; PAGE]));
        Arc::make_mut(page)[from..from + len].copy_from_slice(&rest[..len]);
        (at, rest) = (at + len as u64, &rest[len..]);
    }
}

impl Files for Disk {
    fn list(&self) -> Vec<(String, u64)> {
        self.cached.files.iter().map(|(path, file)| (path.clone(), file.len)).collect()
    }

    fn read(&self, path: &str, at: u64, len: usize) -> Cow<'_, [u8]> {
        let Some(file) = self.cached.files.get(path) else { return Cow::Borrowed(&[]) };
        Cow::Owned(file.read(at.min(file.len)..at.saturating_add(len as u64)))
    }

    fn written(&self, path: &str, range: Range<u64>) -> Vec<Range<u64>> {
        let Some(file) = self.cached.files.get(path).filter(|_| range.start < range.end) else { return Vec::new() };
        let pages = file.pages.range(range.start / PAGE as u64..=(range.end - 1) / PAGE as u64);
        let page = |number: &u64| (number * PAGE as u64).max(range.start)..((number + 1) * PAGE as u64).min(range.end);
        pages.map(|(number, _)| page(number)).collect()
    }
}

static ZEROS: [u8; PAGE] = [0; PAGE];

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn stored(at: u64, bytes: &[u8]) -> DiskEvent {
        let bytes = Bytes::copy_from_slice(bytes);
        DiskEvent::Stored { file: "f".into(), at, len: bytes.len() as u64, bytes }
    }

    #[test]
    fn what_is_stored_after_a_flush_was_asked_for_is_not_forced_by_it() {
        let mut disk = Disk::default();
        disk.fold(&stored(0, &[1; 5000]));
        disk.fold(&DiskEvent::FlushAsked { ticket: 1, file: "f".into(), from: 0, to: 5000 });
        disk.fold(&stored(5000, &[2; 10]));
        assert_eq!(disk.forced("f", 5010), (0, 2));
        disk.fold(&DiskEvent::FlushDone { ticket: 1 });
        assert_eq!(disk.forced("f", 5010), (5000, 1));
        assert_eq!(disk.read("f", 4999, 4)[..], [1, 2, 2, 2]);
    }

    #[test]
    fn a_renamed_file_keeps_what_it_holds_and_a_removed_one_is_gone() {
        let mut disk = Disk::default();
        disk.fold(&stored(0, b"text"));
        disk.fold(&DiskEvent::Named { what: "rename", file: "f".into(), to: Some("g".into()), len: 0 });
        assert_eq!((disk.read("f", 0, 4).len(), &disk.read("g", 0, 4)[..]), (0, &b"text"[..]));
        disk.fold(&DiskEvent::Named { what: "remove", file: "g".into(), to: None, len: 0 });
        assert!(disk.list().is_empty());
    }
}
