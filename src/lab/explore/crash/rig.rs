//! A store on a simulated disk, driven by hand, with a copy of the disk taken at every persistence operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lab::sim::disk::SimDisk;
use crate::lab::sim::storage::{DiskDeed, MachineDisk};
use crate::lab::trace::image::DiskImage;
use crate::mq::disk::Disk;
use crate::mq::profile::Profile;
use crate::mq::store::config::StoreConfig;
use crate::mq::store::outcome::{News, StoreError};
use crate::mq::store::{Clock, MessageStore, Service};
use crate::mq::time::{Span, Time};

/// A moment at which the machine may stop: before or after one persistence operation.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The disk in that moment.
    pub(super) disk: SimDisk,
    /// What was done last.
    pub(super) after: String,
    /// What the log was: in that moment, or, inside a recovery, when the store stopped before it.
    pub(super) before: Arc<Before>,
    /// The settings with which the store would be booted.
    pub(super) config: Arc<StoreConfig>,
    /// The machine's clock.
    pub(super) clock: Clock,
    /// What happened before that changes what is right.
    pub(super) past: Past,
}

/// What happened to a store that changes what may be asked of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Past {
    /// Somebody damaged the files: refusing to open them is right.
    pub(super) damaged: bool,
    /// The wall clock was set: store times do not rise along the log.
    pub(super) clock_set: bool,
}

/// A store's log when it stopped.
#[derive(Clone, Debug)]
pub(super) struct Before {
    /// What a process would have read.
    pub(super) cached: Arc<DiskImage>,
    /// What had certainly reached the disk.
    pub(super) stable: Arc<DiskImage>,
    /// Where the log ended.
    pub(super) end: u64,
}

/// A booted store and its machine.
pub(super) struct Rig {
    pub(super) store: MessageStore,
    pub(super) disk: SimDisk,
    pub(super) clock: Clock,
    pub(super) config: Arc<StoreConfig>,
    /// Forces are not answered for now.
    pub(super) held: bool,
    /// Tickets of forces asked for.
    forces: Vec<u64>,
    pub(super) recorder: Recorder,
}

/// What is noted while a store runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    /// The moments so far.
    pub(super) sites: Vec<Site>,
    /// Nothing is noted.
    silent: bool,
    /// Where the log ends, as its stores say.
    end: u64,
    after: String,
    pub(super) past: Past,
    /// The log before the recovery under way.
    recovering: Option<Arc<Before>>,
    /// The last log noted, and what it was made from.
    latest: Option<Arc<Before>>,
}

/// What makes a boot: the disk, the settings, the time.
#[derive(Clone)]
pub(super) struct Start {
    pub(super) disk: SimDisk,
    pub(super) config: Arc<StoreConfig>,
    pub(super) clock: Clock,
}

/// Why a boot was refused, and what was noted up to there.
pub(super) type Refused = Box<(StoreError, Recorder)>;

/// Long enough for a store to read its log again and dispatch it.
const SETTLES_IN: u64 = 20;

impl Rig {
    /// Boots a store; moments inside recovery go to `recorder`.
    pub(super) fn boot(start: Start, profile: &Profile, recorder: Recorder) -> Result<Rig, Refused> {
        let Start { mut disk, config, clock } = start;
        let mut recorder = recorder;
        disk.set_clock(clock.wall);
        recorder.listen(&mut disk);
        let opened = MessageStore::open((*config).clone(), profile.clone(), &mut disk, clock);
        recorder.note(&mut disk, &config, clock);
        match opened {
            Ok(store) => {
                let mut rig = Rig { store, disk, clock, config, held: false, forces: Vec::new(), recorder };
                rig.settle();
                Ok(rig)
            }
            Err(error) => Err(Box::new((error, recorder))),
        }
    }

    /// Answers the forces of recovery and lets the store catch up with its log.
    fn settle(&mut self) {
        self.answer();
        self.pass(SETTLES_IN);
        self.recorder.recovering = None;
        self.recorder.end = self.end();
        self.recorder.latest = None;
    }

    /// The process ends; what is needed to boot again.
    pub(super) fn into_boot(mut self) -> (Start, Recorder) {
        self.recorder.enter_recovery(&self.disk);
        self.disk.kill();
        (Start { disk: self.disk, config: self.config, clock: self.clock }, self.recorder)
    }

    /// Notes this moment.
    pub(super) fn point(&mut self, what: String) {
        self.recorder.point(&self.disk, &self.config, self.clock, what);
    }

    /// Calls the store; the moments before each change it makes are noted.
    pub(super) fn call<T>(&mut self, call: impl FnOnce(&mut MessageStore, &mut dyn Disk, Clock) -> T) -> T {
        self.disk.set_clock(self.clock.wall);
        self.recorder.listen(&mut self.disk);
        let result = call(&mut self.store, &mut self.disk, self.clock);
        self.recorder.note(&mut self.disk, &self.config, self.clock);
        result
    }

    /// Begins every force that was asked for, and answers them unless they are held.
    pub(super) fn answer(&mut self) {
        loop {
            let mut news = Vec::new();
            self.store.take_news(&mut news);
            for item in news {
                if let News::Flush { ticket, file, from, to } = item {
                    let what = format!("a force of {from}..{to} of {} was asked for", self.disk.name_of(file));
                    self.point(what);
                    self.disk.begin_flush(ticket, file, from..to);
                    self.forces.push(ticket);
                }
            }
            if self.held || self.forces.is_empty() {
                return;
            }
            for ticket in std::mem::take(&mut self.forces) {
                let result = self.disk.complete_flush(ticket);
                self.recorder.latest = None;
                let what = format!("force {ticket} returned");
                self.point(what);
                self.call(|store, disk, clock| store.flush_answered(disk, clock, ticket, result));
            }
        }
    }

    /// Lets time pass: every service whose time comes is fired.
    pub(super) fn pass(&mut self, millis: u64) {
        let end = self.clock.mono + Span::from_millis(millis);
        self.answer();
        loop {
            let due = self.store.deadlines(self.clock).into_iter().filter_map(|(service, at)| Some((at?, service)));
            match due.min() {
                Some((at, service)) if at <= end => self.fire(at, service),
                _ => break,
            }
        }
        self.move_clock(end);
    }

    fn fire(&mut self, at: Time, service: Service) {
        self.move_clock(at);
        self.call(|store, disk, clock| store.fired(disk, clock, service));
        self.answer();
    }

    fn move_clock(&mut self, to: Time) {
        let millis = to.as_millis().saturating_sub(self.clock.mono.as_millis());
        self.clock.wall = self.clock.wall.plus(millis as i64);
        self.clock.mono = self.clock.mono.max(to);
        self.disk.set_time(self.clock.mono);
    }

    /// Stops the store cleanly.
    pub(super) fn stop(&mut self) {
        self.pass(50);
        self.call(|store, disk, clock| store.begin_shutdown(disk, clock));
        self.answer();
        self.point("the clean stop ended".to_owned());
    }

    /// Where the log ends.
    pub(super) fn end(&self) -> u64 {
        self.store.log_end().0 as u64
    }

    /// How far each queue goes.
    pub(super) fn queue_ends(&self) -> BTreeMap<(String, i32), i64> {
        self.store.each_queue().map(|(topic, queue, _, max)| ((topic.to_string(), queue), max)).collect()
    }
}

impl Recorder {
    /// Inside a recovery of what `before` says.
    pub(super) fn within(before: &Arc<Before>, past: Past) -> Recorder {
        let after = "the boot began".to_owned();
        Recorder { recovering: Some(Arc::clone(before)), after, past, ..Recorder::default() }
    }

    /// Notes nothing.
    pub(super) fn silent() -> Recorder {
        Recorder { silent: true, ..Recorder::default() }
    }

    /// The store stops here, and is booted again.
    pub(super) fn enter_recovery(&mut self, disk: &SimDisk) {
        if self.recovering.is_none() && !self.silent {
            self.recovering = Some(self.before(disk));
        }
        self.after = "the boot began".to_owned();
    }

    /// Opens the disk's tap.
    fn listen(&self, disk: &mut SimDisk) {
        if !self.silent {
            disk.open_tap();
        }
    }

    /// Notes the moments before the changes of a call that has returned.
    fn note(&mut self, disk: &mut SimDisk, config: &Arc<StoreConfig>, clock: Clock) {
        let mut followed = 0;
        for mut copy in disk.close_tap() {
            followed = self.follow(&mut copy, followed);
            let after = self.after.clone();
            self.point(&copy, config, clock, after);
        }
        self.follow(disk, followed);
    }

    /// Follows what was done to a disk, but for what was followed before; gives how much it was.
    fn follow(&mut self, disk: &mut SimDisk, followed: usize) -> usize {
        let mut deeds = Vec::new();
        disk.take_events(&mut deeds);
        for deed in &deeds[followed..] {
            self.after = sentence(deed);
            if let DiskDeed::Stored { file, at, len, .. } = deed
                && let Some(from) = file.strip_prefix(LOG).and_then(|name| name.parse::<u64>().ok())
            {
                self.end = self.end.max(from + at + len);
                self.latest = None;
            }
        }
        deeds.len()
    }

    /// Notes one moment.
    fn point(&mut self, disk: &SimDisk, config: &Arc<StoreConfig>, clock: Clock, after: String) {
        if self.silent {
            return;
        }
        let before = match &self.recovering {
            Some(before) => Arc::clone(before),
            None => self.before(disk),
        };
        let (config, past) = (Arc::clone(config), self.past);
        self.sites.push(Site { disk: disk.clone(), after, before, config, clock, past });
    }

    /// The log of a running store.
    fn before(&mut self, disk: &SimDisk) -> Arc<Before> {
        let end = self.end;
        let log_now =
            || Arc::new(Before { cached: log_of(&disk.cached_image()), stable: log_of(&disk.stable_image()), end });
        Arc::clone(self.latest.get_or_insert_with(log_now))
    }
}

/// The log's files alone.
pub(super) fn log_of(image: &DiskImage) -> Arc<DiskImage> {
    let files = image.files.iter().filter(|(name, _)| name.starts_with(LOG));
    Arc::new(DiskImage { files: files.map(|(name, file)| (name.clone(), file.clone())).collect() })
}

/// A deed in words.
fn sentence(deed: &DiskDeed) -> String {
    match deed {
        DiskDeed::Stored { file, at, len, .. } => format!("{len} bytes were stored at {at} of {file}"),
        DiskDeed::Named { what, file, to: Some(to), .. } => format!("{what} {file} to {to}"),
        DiskDeed::Named { what, file, to: None, .. } => format!("{what} {file}"),
        DiskDeed::Wrong { what, file, .. } => format!("{what} {file}"),
        DiskDeed::Rolled { fault, .. } => format!("draw of {fault}"),
    }
}

/// The commit log's folder.
const LOG: &str = "commitlog/";
