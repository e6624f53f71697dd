//! A store and the machine under it, driven by hand: both disks behind one face.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mqlab::host::mmap::MmapDisk;
use mqlab::lab::scenario::plan::DiskPlan;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::disk::{Disk, DiskError, FileId};
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::outcome::{News, Put, PutStatus, StoreError};
use mqlab::mq::store::record::NewMessage;
use mqlab::mq::store::{Clock, MessageStore, Service};
use mqlab::mq::time::{Millis, Span, Time};

use super::sick::Sick;

/// One of the two disks, or a simulated one that refuses.
pub enum AnyDisk {
    Sim(Box<SimDisk>),
    Mmap(MmapDisk, PathBuf),
    Sick(Box<Sick>),
}

/// Which disk a test runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Sim,
    Mmap,
}

pub const KINDS: [Kind; 2] = [Kind::Sim, Kind::Mmap];

/// A running store with its clock.
pub struct Machine {
    pub disk: AnyDisk,
    pub store: MessageStore,
    pub clock: Clock,
    /// Final statuses of puts that waited.
    pub done: BTreeMap<u64, PutStatus>,
    pub news: Vec<News>,
}

pub fn sim_disk() -> SimDisk {
    let span = Span::ZERO;
    SimDisk::new(&DiskPlan { fsync_min: span, fsync_max: span, torn_writes: true, ..DiskPlan::default() })
}

impl AnyDisk {
    /// An empty disk; a real one lies in `folder`.
    pub fn new(kind: Kind, folder: PathBuf) -> AnyDisk {
        match kind {
            Kind::Sim => AnyDisk::Sim(Box::new(sim_disk())),
            Kind::Mmap => AnyDisk::Mmap(MmapDisk::new(&folder).unwrap(), folder),
        }
    }

    pub fn lend(&mut self) -> &mut dyn Disk {
        match self {
            AnyDisk::Sim(disk) => disk.as_mut(),
            AnyDisk::Mmap(disk, _) => disk,
            AnyDisk::Sick(disk) => disk.as_mut(),
        }
    }

    /// The simulated disk that refuses.
    pub fn sick(&mut self) -> &mut Sick {
        match self {
            AnyDisk::Sick(disk) => disk,
            _ => panic!("a disk that refuses"),
        }
    }

    pub fn force(&mut self, ticket: u64, file: FileId, from: u64, to: u64) -> Result<(), DiskError> {
        match self {
            AnyDisk::Sim(disk) => {
                disk.begin_flush(ticket, file, from..to);
                disk.complete_flush(ticket)
            }
            AnyDisk::Mmap(disk, _) => disk.flush(file, from..to),
            AnyDisk::Sick(sick) => match sick.force {
                Some(error) => Err(error),
                None => {
                    sick.disk.begin_flush(ticket, file, from..to);
                    sick.disk.complete_flush(ticket)
                }
            },
        }
    }

    /// The process is gone: mappings and locks end, bytes stay.
    pub fn after_kill(self) -> AnyDisk {
        match self {
            AnyDisk::Sim(mut disk) => {
                disk.kill();
                AnyDisk::Sim(disk)
            }
            AnyDisk::Mmap(disk, folder) => {
                drop(disk);
                AnyDisk::Mmap(MmapDisk::new(&folder).unwrap(), folder)
            }
            AnyDisk::Sick(mut sick) => {
                sick.disk.kill();
                AnyDisk::Sick(sick)
            }
        }
    }

    pub fn set_clock(&mut self, wall: Millis) {
        match self {
            AnyDisk::Sim(disk) => disk.set_clock(wall),
            AnyDisk::Sick(sick) => sick.disk.set_clock(wall),
            AnyDisk::Mmap(..) => {}
        }
    }

    /// Overwrites bytes behind the store's back.
    pub fn damage(&mut self, file: &str, at: u64, bytes: &[u8]) {
        match self {
            AnyDisk::Sim(disk) => disk.corrupt(file, at, bytes).unwrap(),
            AnyDisk::Sick(sick) => sick.disk.corrupt(file, at, bytes).unwrap(),
            AnyDisk::Mmap(disk, _) => {
                let len = disk.list(file)[0].len;
                let id = disk.open(file, len).unwrap();
                disk.write(id, at, bytes);
            }
        }
    }

    pub fn touch(&mut self, file: &str, modified_ms: i64) {
        match self {
            AnyDisk::Sim(disk) => disk.touch(file, Millis(modified_ms)).unwrap(),
            AnyDisk::Sick(sick) => sick.disk.touch(file, Millis(modified_ms)).unwrap(),
            AnyDisk::Mmap(_, folder) => {
                let file = std::fs::File::options().write(true).open(folder.join(file)).unwrap();
                file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_millis(modified_ms as u64))
                    .unwrap();
            }
        }
    }
}

impl Machine {
    pub fn boot(disk: AnyDisk, config: StoreConfig, clock: Clock) -> Result<Machine, StoreError> {
        Machine::boot_as(&Profile::FAITHFUL, disk, config, clock)
    }

    /// Boots, and lets the forces that a repaired recovery waits for be answered.
    pub fn boot_as(
        profile: &Profile,
        mut disk: AnyDisk,
        config: StoreConfig,
        clock: Clock,
    ) -> Result<Machine, StoreError> {
        let store = MessageStore::open(config, profile.clone(), disk.lend(), clock)?;
        let mut machine = Machine { disk, store, clock, done: BTreeMap::new(), news: Vec::new() };
        machine.answer();
        Ok(machine)
    }

    pub fn put(&mut self, message: &NewMessage) -> Put {
        self.store.put(self.disk.lend(), self.clock, message)
    }

    /// Answers every force that was asked for, and goes on until none is.
    pub fn answer(&mut self) {
        loop {
            let mut news = Vec::new();
            self.store.take_news(&mut news);
            if news.is_empty() {
                return;
            }
            for item in news {
                match item {
                    News::Flush { ticket, file, from, to } => {
                        let result = self.disk.force(ticket, file, from, to);
                        self.store.flush_answered(self.disk.lend(), self.clock, ticket, result);
                    }
                    News::PutDone { request, status } => {
                        self.done.insert(request, status);
                    }
                    other => self.news.push(other),
                }
            }
        }
    }

    /// Lets `millis` pass: every service whose time comes is fired.
    pub fn pass(&mut self, millis: u64) {
        let end = self.clock.mono + Span::from_millis(millis);
        self.answer();
        loop {
            let due =
                self.store.deadlines(self.clock).into_iter().filter_map(|(service, at)| Some((at?, service))).min();
            match due {
                Some((at, service)) if at <= end => self.fire(at, service),
                _ => break,
            }
        }
        self.clock.mono = end;
    }

    /// Lets `millis` pass on both clocks.
    pub fn live(&mut self, millis: u64) {
        let end = self.clock.mono + Span::from_millis(millis);
        self.answer();
        loop {
            let deadlines = self.store.deadlines(self.clock).into_iter();
            let due = deadlines.filter_map(|(service, at)| Some((at?, service))).min().filter(|(at, _)| *at <= end);
            let until = due.map_or(end, |(at, _)| at);
            self.clock.wall = self.clock.wall.plus((until.as_millis() - self.clock.mono.as_millis()) as i64);
            self.clock.mono = until.max(self.clock.mono);
            self.disk.set_clock(self.clock.wall);
            match due {
                Some((at, service)) => self.fire(at, service),
                None => return,
            }
        }
    }

    /// Moves the wall clock and tells the store.
    pub fn step_wall(&mut self, wall: Millis) {
        self.clock.wall = wall;
        self.disk.set_clock(wall);
        self.store.wall_stepped(self.clock);
    }

    fn fire(&mut self, at: Time, service: Service) {
        self.clock.mono = at.max(self.clock.mono);
        self.store.fired(self.disk.lend(), self.clock, service);
        self.answer();
    }

    /// A clean stop.
    pub fn shut_down(mut self) -> (AnyDisk, MessageStore) {
        self.pass(50);
        self.store.begin_shutdown(self.disk.lend(), self.clock);
        self.answer();
        assert!(self.store.is_shut_down(), "a clean stop ends when its forces are answered");
        (self.disk.after_kill(), self.store)
    }
}
