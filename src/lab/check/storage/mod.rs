//! G60 to G67: what lies on a disk, judged from its files alone.
//!
//! Every checker is a function of files read by the oracle, so that one disk image can be judged without the run that left it.
//! An empty list says that nothing was broken. What the files cannot tell (where a recovery cut the log, how far dispatch
//! has come) is told by whoever knows, in [`Seen`].
//!
//! | guarantee | function | what is compared |
//! |---|---|---|
//! | G60 log | [`well_formed`] | the log with itself |
//! | G61 queues | [`queues_agree`] | every unit with its record, every record with its unit |
//! | G62 index | [`index_recalls`] | every entry with its record, every key with its entry |
//! | G63 recovery | [`recovered`], [`idempotent`], [`loses_nothing`] | a store before and after a boot |
//! | G64 checkpoint | [`checkpoint_is_safe`] | its times with what is stable |
//! | G65 replica | [`replica_is_prefix`] | two stores |
//! | G67 retention | [`retention_is_safe`] | a store before and after a clean-up |

use std::collections::BTreeMap;

use crate::lab::check::Guarantee;
use crate::lab::check::storage::boot::Image;
use crate::lab::locale::Phrase;
use crate::lab::oracle::Files;
use crate::lab::oracle::layout::QueueName;
use crate::lab::oracle::record::Flaw;

mod boot;

mod checkpoint;

mod index;

mod log;

mod pass;

mod queues;

mod replica;

mod retention;

mod told;

/// A place where a store breaks a guarantee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// Which guarantee.
    pub guarantee: Guarantee,
    /// Which part of it.
    pub clause: &'static str,
    /// The file, relative to the store.
    pub file: String,
    /// The first byte of it in that file.
    pub offset: u64,
    /// What was found, and what should be there.
    pub sentence: Phrase,
}

/// Something worth saying of a store that breaks nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What kind of thing: `left over`, `behind`, `expired`, `superseded`, `not indexed`, `time`.
    pub kind: &'static str,
    /// The file, relative to the store.
    pub file: String,
    /// The first byte of it in that file.
    pub offset: u64,
    /// In a sentence.
    pub sentence: Phrase,
}

/// A store as a checker sees it: its files, and what is known besides.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The files.
    pub files: &'a dyn Files,
    /// Where the log ends.
    pub end: LogEnd,
    /// Every record below has its queue unit and index entries; `None`: those who are behind have units that just end earlier.
    pub dispatched_to: Option<u64>,
    /// How far each queue goes, if its broker was asked: units behind are left over and not looked at, those in front are the
    /// queue's own. Where this is `None` a queue goes as far as its last unit that leads to its own record.
    pub queue_ends: Option<&'a BTreeMap<QueueName, i64>>,
}

impl<'a> Seen<'a> {
    /// Files of which nothing else is known.
    pub fn of(files: &'a dyn Files) -> Seen<'a> {
        Seen { files, end: LogEnd::default(), dispatched_to: None, queue_ends: None }
    }
}

/// Where the log ends.
///
/// A recovery that cuts the log moves positions and leaves the bytes: behind the end may lie whole records that are not in
/// the log any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogEnd {
    /// There, says who wrote it. Up to it everything must be a record or a blank; behind it nothing is looked at.
    At(u64),
    /// No recovery ever cut it and no clock was set: it ends where nothing follows that names its own place.
    NeverCut,
    /// A recovery may have cut it: it ends where the first record is not whole.
    #[default]
    MayBeCut,
    /// Nobody knows, and somebody asks: what looks as if it had been a record of the log is told of.
    Unknown,
}

/// A store at the moment of a crash.
#[derive(Clone, Copy)]
pub struct Crash<'a> {
    /// What a process would have read in that moment.
    pub cached: Seen<'a>,
    /// What had reached the disk for certain: the least that a power loss can leave.
    pub stable: &'a dyn Files,
}

/// What a clean-up went by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// The broker's clock at the clean-up, ms.
    pub now: i64,
    /// `fileReservedTime`, ms.
    pub reserved: i64,
    /// It was the hour for it, or the disk above its first mark, or somebody asked: files past their time may go.
    pub due: bool,
    /// The disk was above the mark of forced cleaning: files may go at any age.
    pub forced: bool,
}

/// What one look at a whole store found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// What is broken, at most [`BREACHES_MAX`] of it.
    pub breaches: Vec<Breach>,
    /// How much more is broken.
    pub unlisted: u64,
    /// What is worth saying.
    pub notes: Vec<Note>,
    /// What was looked at.
    pub counts: Counts,
}

/// What was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Where the log begins.
    pub begin: u64,
    /// Where it ends.
    pub end: u64,
    /// Whole records.
    pub records: u64,
    /// Units of queues that lead to their own record.
    pub units: u64,
    /// Entries of the index that lead to a record of their key.
    pub entries: u64,
}

/// No more breaches of one store are listed.
pub const BREACHES_MAX: usize = 1_000;

/// G60, G61 and G62 in one walk over the log; `progress` is told of bytes as they are done, of [`work`] in all.
pub fn verify(store: Seen<'_>, progress: &mut dyn FnMut(u64)) -> Verified {
    pass::verify(store, progress)
}

/// How many bytes [`verify`] will have looked at.
pub fn work(files: &dyn Files) -> u64 {
    pass::work(files)
}

/// What is wrong with bytes that are no whole record, in English and Chinese.
pub fn wrong(flaw: Flaw) -> (String, String) {
    log::wrong(flaw)
}

fn only(store: Seen<'_>, guarantee: Guarantee) -> Vec<Breach> {
    let mut breaches = verify(store, &mut |_| {}).breaches;
    breaches.retain(|breach| breach.guarantee == guarantee);
    breaches
}

/// G60: from its first byte to its end the log is records and blanks without a gap.
///
/// Clauses: `record` (length, magic, body, parts), `blank`, `gap` (a file is missing or has another length), `position` (a
/// record names another place); unless a cut may have begun the numbers anew, `queue offset` (not one more than the queue's
/// last); and where [`LogEnd::NeverCut`] says that no clock was set, `time` (stored before the record in front of it).
pub fn well_formed(store: Seen<'_>) -> Vec<Breach> {
    only(store, G60)
}

/// G61: every unit of every queue is the index of its record, and every record that belongs into a queue has its unit.
///
/// Clauses: `unit` (points at no record, or at another's), `hole` (neither a unit nor empty), `missing` (a record without
/// its unit), `gap` (a file is missing or has another length), `extension`.
pub fn queues_agree(store: Seen<'_>) -> Vec<Breach> {
    only(store, G61)
}

/// G62: every key of every indexed record is found.
///
/// Clauses: `entry` (its record has no such key, or there is none), `chain` (an entry cannot be reached from its slot),
/// `header`, `missing` (a key without an entry).
pub fn index_recalls(store: Seen<'_>) -> Vec<Breach> {
    only(store, G62)
}

/// G63: what a boot after a crash leaves is a prefix of the log that was, and holds every record that was stable.
///
/// Clauses: `prefix`, `lost`.
pub fn recovered(crash: Crash<'_>, booted: Seen<'_>) -> Vec<Breach> {
    boot::recovered(&Image::of(crash.cached), crash.stable, &Image::of(booted))
}

/// G63: a later image of the same disk still holds every record that was stable at the crash. Clause: `lost`.
pub fn keeps_stable(crash: Crash<'_>, later: Seen<'_>) -> Vec<Breach> {
    boot::keeps_stable(&Image::of(crash.cached), crash.stable, &Image::of(later))
}

/// G63: a second recovery leaves what the first one left: log and queues. Index entries may repeat.
///
/// Clauses: `log end`, `log`, `queue`.
pub fn idempotent(once: Seen<'_>, twice: Seen<'_>) -> Vec<Breach> {
    boot::idempotent(&Image::of(once), &Image::of(twice))
}

/// G63: a clean stop and the boot after it lose nothing of log and queues.
///
/// Clauses: `log end`, `log`, `queue`.
pub fn loses_nothing(stopped: Seen<'_>, booted: Seen<'_>) -> Vec<Breach> {
    boot::loses_nothing(&Image::of(stopped), &Image::of(booted))
}

/// G64: the checkpoint that is stable is not ahead of what it speaks for.
///
/// Clauses: `time` (its times, less three seconds, are later than the last record with a stable unit, in
/// the order of store times), `start` (a recovery
/// that begins where it says would miss a record without a stable unit).
pub fn checkpoint_is_safe(stable: Seen<'_>) -> Vec<Breach> {
    checkpoint::is_safe(stable)
}

/// Where the log ends.
pub fn log_end(store: Seen<'_>) -> u64 {
    Image::of(store).end
}

/// G65: where master and slave both have a byte of the log it is the same, and the slave is not ahead.
///
/// Clauses: `bytes`, `ahead`.
pub fn replica_is_prefix(master: Seen<'_>, slave: Seen<'_>) -> Vec<Breach> {
    replica::is_prefix(&Image::of(master), &Image::of(slave))
}

/// G67: only what may go has gone, the oldest first, and never what is still in use.
///
/// Clauses: `order` (a file is gone while an older one is there), `active` (the file being written is gone), `age` (a file
/// is gone before its time), `queue` and `index` (a file is gone that leads to a record which is still there).
pub fn retention_is_safe(before: Seen<'_>, after: Seen<'_>, rule: &Retention) -> Vec<Breach> {
    retention::is_safe(&Image::of(before), &Image::of(after), rule)
}

const G60: Guarantee = Guarantee(60);
const G61: Guarantee = Guarantee(61);
const G62: Guarantee = Guarantee(62);
const G63: Guarantee = Guarantee(63);
const G64: Guarantee = Guarantee(64);
const G65: Guarantee = Guarantee(65);
const G67: Guarantee = Guarantee(67);
