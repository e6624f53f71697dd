//! Disk faults: each verb with its files, its moment among the operations, and its numbers.

use std::ops::Range;

use toml::Spanned;

use super::{Resolver, clip, place};
use crate::lab::fault::device::{Access, Chance, Field, FileSystem, Files, FullShows, Occurs, Opening, Role, Wrong};
use crate::lab::fault::episode::FaultKind;
use crate::lab::scenario::device::{CallScript, FlipScript, MisdirectedScript, NthScript};
use crate::lab::scenario::fault::FaultScript;
use crate::lab::scenario::script::Text;
use crate::mq::message::Name;
use crate::mq::time::Span;

/// What a table of a fault becomes, and where it stands.
type Kinds = Vec<(Range<usize>, FaultKind)>;

/// The verbs of this file, for those that name none.
pub(super) const VERBS: &str = "disk-full, io-error, map-error, sync-error, slow-sync, slow-disk, hung-disk, bit-flip, \
                                read-flip, misdirected, lost-write, bad-sector, truncate, stale-page, refuse";

/// A device's size if a full one does not say it.
const CAPACITY: i64 = 256 << 20;
/// No disk is longer.
const BYTES_MAX: i64 = 1 << 50;
/// A hang that does not say how long it lasts.
const HANG: Span = Span::from_secs(10);
/// One byte in so many is read wrong, if a fault does not say it.
const READ_FLIP_OUT_OF: u64 = 1_000_000;

impl Resolver<'_> {
    pub(super) fn devices(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(full) = &table.disk_full {
            let script = full.get_ref();
            let capacity = self.number(&script.capacity, CAPACITY, 0..=BYTES_MAX, "capacity") as u64;
            let shows = script.shows.as_ref().map(|_| self.word(&script.shows, "shows", &FullShows::ALL));
            self.device(kinds, full.span(), (&script.node, &script.file), Wrong::Full { capacity, shows });
        }
        if let Some(error) = &table.io_error {
            let (on, occurs) = self.call(error.get_ref(), &ACCESSES);
            let script = error.get_ref();
            self.device(kinds, error.span(), (&script.node, &script.file), Wrong::CallFails { on, occurs });
        }
        if let Some(error) = &table.map_error {
            let (on, occurs) = self.call(error.get_ref(), &MAPPED);
            let script = error.get_ref();
            self.device(kinds, error.span(), (&script.node, &script.file), Wrong::MapFails { on, occurs });
        }
        if let Some(refuse) = &table.refuse {
            let (on, occurs) = self.call(refuse.get_ref(), &OPENINGS);
            let script = refuse.get_ref();
            self.device(kinds, refuse.span(), (&script.node, &script.file), Wrong::Refused { on, occurs });
        }
        self.syncs(table, kinds);
        self.flips(table, kinds);
        self.pages(table, kinds);
    }

    fn syncs(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(error) = &table.sync_error {
            let script = error.get_ref();
            let sticky = script.sticky.unwrap_or(false);
            let occurs = self.occurs((&script.nth, &script.odds), sticky, Chance::Nth(1));
            let system = self.word(&script.personality, "personality", &FileSystem::ALL);
            self.device(kinds, error.span(), (&script.node, &script.file), Wrong::SyncFails { occurs, system });
        }
        if let Some(slow) = &table.slow_sync {
            let script = slow.get_ref();
            let (min, max) = self.spans(&script.by, (Span::from_secs(1), Span::from_secs(1)));
            let occurs = self.occurs((&script.nth, &script.odds), false, Chance::Always);
            self.device(kinds, slow.span(), (&script.node, &script.file), Wrong::SlowSync { min, max, occurs });
        }
        if let Some(slow) = &table.slow_disk {
            let script = slow.get_ref();
            let times = self.number(&script.times, 100, 2..=100_000, "times") as u64;
            self.device(kinds, slow.span(), (&script.node, &script.file), Wrong::Slow { times });
        }
        if let Some(hung) = &table.hung_disk {
            let script = hung.get_ref();
            self.device(kinds, hung.span(), (&script.node, &script.file), Wrong::Hung { at_most: HANG });
        }
    }

    fn flips(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(flip) = &table.bit_flip {
            let wrong = self.flip(flip.get_ref());
            self.device(kinds, flip.span(), (&flip.get_ref().node, &flip.get_ref().file), wrong);
        }
        if let Some(flip) = &table.read_flip {
            let script: &NthScript = flip.get_ref();
            let nth = script.nth.as_ref().map(|_| self.number(&script.nth, 1, 1..=i64::MAX, "nth") as u64);
            self.either(&script.nth, &script.odds);
            let out_of = self.one_in(&script.odds).unwrap_or(READ_FLIP_OUT_OF);
            self.device(kinds, flip.span(), (&script.node, &script.file), Wrong::ReadFlip { nth, out_of });
        }
    }

    fn pages(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(lost) = &table.lost_write {
            let script = lost.get_ref();
            let occurs = self.occurs((&script.nth, &script.odds), false, Chance::Nth(1));
            self.device(kinds, lost.span(), (&script.node, &script.file), Wrong::LostWrite { occurs });
        }
        if let Some(misled) = &table.misdirected {
            let wrong = self.misdirected(misled.get_ref());
            self.device(kinds, misled.span(), (&misled.get_ref().node, &misled.get_ref().file), wrong);
        }
        if let Some(sector) = &table.bad_sector {
            let script = sector.get_ref();
            let at = script.offset.as_ref().map(|_| self.number(&script.offset, 0, 0..=BYTES_MAX, "offset") as u64);
            let len = self.number(&script.len, 4_096, 512..=65_536, "len") as u64;
            self.device(kinds, sector.span(), (&script.node, &script.file), Wrong::BadSector { at, len });
        }
        if let Some(cut) = &table.truncate {
            let script = cut.get_ref();
            let to = self.number(&script.to, 0, 0..=BYTES_MAX, "to") as u64;
            self.device(kinds, cut.span(), (&script.node, &script.file), Wrong::Cut { to });
        }
        if let Some(stale) = &table.stale_page {
            let script = stale.get_ref();
            let stores = script.stores.as_ref().map(|_| self.number(&script.stores, 1, 1..=1 << 20, "stores") as u64);
            self.device(kinds, stale.span(), (&script.node, &script.file), Wrong::StalePage { stores });
        }
    }

    fn device(&mut self, kinds: &mut Kinds, at: Range<usize>, (node, file): (&Text, &Option<Text>), wrong: Wrong) {
        let files = self.files(file, &wrong);
        let node = self.with_disk(node);
        kinds.push((at, FaultKind::Disk { node, files, wrong }));
    }

    /// A node that has a disk, or `*` for all.
    pub(super) fn with_disk(&mut self, name: &Text) -> Name {
        let node = self.target(name);
        let script = self.script;
        let brokers = script.broker.iter().filter_map(|broker| broker.get_ref().name.as_ref());
        let brokers: Vec<&str> = brokers.map(|name| name.get_ref().as_str()).collect();
        if self.nodes.contains(&node) && !brokers.contains(&node.as_str()) {
            let message = format!("\"{node}\" keeps nothing on a disk");
            let help = format!("brokers do: {}", brokers.join(", "));
            self.wrong("no_disk", Some(name.span()), message, &help);
        }
        node
    }

    /// The files of a fault. A bit of a field can only be flipped where that field is.
    fn files(&mut self, given: &Option<Text>, wrong: &Wrong) -> Files {
        let role = match wrong {
            Wrong::BitFlip { field, out_of: None, .. } => field.role(),
            _ => None,
        };
        let Some(text) = given else { return role.map_or(Files::ANY, Files::of) };
        let files = match Files::parse(text.get_ref()) {
            Ok(files) => files,
            Err(help) => {
                let message = format!("no files are called \"{}\"", clip(text.get_ref()));
                self.wrong("unknown_file", Some(text.span()), message, &help);
                return Files::ANY;
            }
        };
        match role {
            Some(role) if files == Files::ANY => Files::of(role),
            Some(role) if files.role != role => {
                let name = Role::ALL[role as usize].0;
                let message = format!("\"{files}\" has no such field");
                self.wrong("contradiction", Some(text.span()), message, &format!("it is a field of \"{name}\""));
                files
            }
            _ => files,
        }
    }

    fn call<T: Copy>(&mut self, script: &CallScript, words: &[(&str, T)]) -> (T, Occurs) {
        let on = self.word(&script.on, "on", words);
        (on, self.occurs((&script.nth, &script.odds), script.sticky.unwrap_or(false), Chance::Nth(1)))
    }

    fn flip(&mut self, script: &FlipScript) -> Wrong {
        let field = self.word(&script.field, "field", &Field::ALL);
        let out_of = self.one_in(&script.odds);
        if let (Some(_), Some(other)) = (out_of, script.field.as_ref().map(Spanned::span).or(place(&script.nth))) {
            let message = "with odds for each byte there is no one field".to_owned();
            self.wrong("contradiction", Some(other), message, "leave `odds` out, or `field` and `nth`");
        }
        let nth = script.nth.as_ref().map(|_| self.number(&script.nth, 1, 1..=i64::MAX, "nth") as u64);
        Wrong::BitFlip { field, nth, out_of }
    }

    fn misdirected(&mut self, script: &MisdirectedScript) -> Wrong {
        let on = self.word(&script.on, "on", &ACCESSES);
        let occurs = self.occurs((&script.nth, &script.odds), false, Chance::Nth(1));
        let sibling = script.sibling.as_ref().is_some_and(|sibling| *sibling.get_ref());
        let by = self.number(&script.pages, if sibling { 0 } else { 1 }, -1_000..=1_000, "pages");
        if by == 0 && !sibling {
            let message = "a page that goes 0 pages further goes to its place".to_owned();
            self.wrong("wrong_value", place(&script.pages), message, "write `pages = 1`, or `sibling = true`");
        }
        Wrong::Misdirected { on, occurs, by, sibling }
    }

    /// At which operations: the `nth`, or each with `odds`.
    fn occurs(&mut self, (nth, odds): (&Option<Spanned<i64>>, &Option<Text>), sticky: bool, default: Chance) -> Occurs {
        self.either(nth, odds);
        let chance = match (nth, odds) {
            (Some(_), _) => Chance::Nth(self.number(nth, 1, 1..=i64::MAX, "nth") as u64),
            (None, Some(_)) => self.odds(odds).map_or(default, |(times, out_of)| Chance::Odds { times, out_of }),
            (None, None) => default,
        };
        Occurs { chance, sticky }
    }

    pub(super) fn either(&mut self, nth: &Option<Spanned<i64>>, odds: &Option<Text>) {
        if let (Some(_), Some(odds)) = (nth, odds) {
            let message = "a fault strikes at the `nth` operation or by `odds`".to_owned();
            self.wrong("contradiction", Some(odds.span()), message, "leave one of the two out");
        }
    }

    /// `1 in 20`.
    pub(super) fn odds(&mut self, given: &Option<Text>) -> Option<(u64, u64)> {
        let text = given.as_ref()?;
        let read = |text: &str| {
            let (times, out_of) = text.split_once(" in ")?;
            let (times, out_of): (u64, u64) = (times.trim().parse().ok()?, out_of.trim().parse().ok()?);
            (0 < times && times <= out_of).then_some((times, out_of))
        };
        let odds = read(text.get_ref());
        if odds.is_none() {
            let message = format!("\"{}\" are no odds", clip(text.get_ref()));
            self.wrong("wrong_value", Some(text.span()), message, "write `1 in 20`");
        }
        odds
    }

    /// `1 in 1000000`, where each byte is asked.
    fn one_in(&mut self, given: &Option<Text>) -> Option<u64> {
        let (times, out_of) = self.odds(given)?;
        if times != 1 || out_of < 2 {
            let at = given.as_ref().map(Spanned::span);
            let message = "of bytes one in so many is struck".to_owned();
            self.wrong("wrong_value", at, message, "write `1 in 1000000`");
        }
        Some(out_of.max(2))
    }
}

/// The default first.
const ACCESSES: [(&str, Access); 2] = [("write", Access::Write), ("read", Access::Read)];
/// The default first.
const MAPPED: [(&str, Access); 2] = [("load", Access::Read), ("store", Access::Write)];
/// The default first.
const OPENINGS: [(&str, Opening); 3] = [("open", Opening::Open), ("map", Opening::Map), ("lock", Opening::Lock)];
