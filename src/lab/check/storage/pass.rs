//! One walk over the log with everything that hangs on it.

use crate::lab::check::storage::index::Index;
use crate::lab::check::storage::log::{self, Followers};
use crate::lab::check::storage::queues::Queues;
use crate::lab::check::storage::told::Told;
use crate::lab::check::storage::{Counts, Seen, Verified};
use crate::lab::oracle::Files;
use crate::lab::oracle::layout::Layout;
use crate::lab::oracle::record::Record;

struct Pass<'a> {
    queues: Queues<'a>,
    index: Index<'a>,
}

impl Followers for Pass<'_> {
    fn record(&mut self, record: &Record<'_>, told: &mut Told) {
        let marks = record.marks();
        self.queues.record(record, &marks, told);
        self.index.record(record, &marks, told);
    }

    fn skipped(&mut self) {
        self.queues.skipped();
    }

    fn is_replaced(&mut self, record: &Record<'_>) -> bool {
        self.queues.is_replaced(record)
    }
}

pub(super) fn verify(store: Seen<'_>, progress: &mut dyn FnMut(u64)) -> Verified {
    let layout = Layout::of(store.files);
    let mut told = Told::default();
    let mut pass = Pass { queues: Queues::of(store, &layout, &mut told), index: Index::of(store, &layout) };
    let extent = log::judge(store, &layout, &mut pass, &mut told, progress);
    pass.queues.finish(extent.end, &mut told, progress);
    pass.index.finish(extent.end, &mut told, progress);
    let (units, entries) = (pass.queues.own, pass.index.own);
    let counts = Counts { begin: extent.begin, end: extent.end, records: extent.records, units, entries };
    Verified { breaches: told.breaches, unlisted: told.unlisted, notes: told.notes, counts }
}

pub(super) fn work(files: &dyn Files) -> u64 {
    let layout = Layout::of(files);
    let queues = layout.queues.values().flatten();
    layout.log.iter().chain(queues).chain(&layout.index).map(|segment| segment.len).sum()
}
