//! A table: what can be wrong with a store's folder or device, what the release makes of it, and that it is so here.
//!
//! Each row is shown on both disks, the simulated one and real mappings, where the real one can be brought to it. A device
//! that fails cannot be had for real, and the tests may run as root, for whom no folder is read-only: there the row stands
//! in for it with a folder where a file should be, or a file where a folder should be, which stops root as well.

use std::fs;
use std::path::Path;

use mqlab::lab::fault::device::{Chance, Files, Occurs, Opening, Wrong};
use mqlab::lab::sim::dice::Dice;
use mqlab::lab::sim::storage::Onset;
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::outcome::News;

use super::machine::{AnyDisk, KINDS, Kind, Machine};
use super::survival::{clock, config, message, readable};

mod device;

mod folder;

pub struct Row {
    /// What is wrong.
    pub wrong: &'static str,
    /// What 4.3.2 does, and where that stands.
    pub upstream: &'static str,
    /// On which disks it is shown.
    pub on: &'static [Kind],
    /// Brings it about and says what came of it.
    pub shown: fn(&mut Rig) -> String,
    /// What has to come of it, on each disk.
    pub expected: &'static str,
}

pub const SIM: &[Kind] = &[Kind::Sim];
pub const BOTH: &[Kind] = &KINDS;

/// A disk and its folder, which a real one has.
pub struct Rig<'a> {
    pub kind: Kind,
    folder: &'a Path,
    pub disk: Option<AnyDisk>,
}

pub const FIRST: &str = "commitlog/00000000000000000000";
pub const SECOND: &str = "commitlog/00000000000000004096";
pub const CURSORS: &str = "config/delayOffset.json";

impl Rig<'_> {
    pub fn disk(&mut self) -> AnyDisk {
        self.disk.take().unwrap_or_else(|| AnyDisk::new(self.kind, self.folder.to_owned()))
    }

    pub fn boot(&mut self) -> Result<Machine, String> {
        self.boot_as(&Profile::FAITHFUL, config())
    }

    pub fn boot_as(&mut self, profile: &Profile, config: StoreConfig) -> Result<Machine, String> {
        Machine::boot_as(profile, self.disk(), config, clock()).map_err(|error| error.to_string())
    }

    /// A store with `count` messages, three files for 60 of them, stopped cleanly.
    pub fn stopped(&mut self, count: usize) {
        let mut machine = self.boot().unwrap();
        for number in 0..count {
            assert_eq!(status(&mut machine, number), "PUT_OK");
        }
        machine.pass(2_000);
        self.disk = Some(machine.shut_down().0);
    }

    /// Replaces a file by these bytes.
    pub fn replace(&mut self, name: &str, bytes: &[u8]) {
        let mut disk = self.disk();
        let _ = disk.lend().remove(name);
        disk.lend().put(name, bytes).unwrap();
        self.disk = Some(disk);
    }

    pub fn remove(&mut self, name: &str) {
        let mut disk = self.disk();
        disk.lend().remove(name).unwrap();
        self.disk = Some(disk);
    }

    /// A folder where a file should be; on the simulated disk the file is refused.
    pub fn block(&mut self, name: &str) {
        match self.kind {
            Kind::Mmap => fs::create_dir_all(self.folder.join(name)).unwrap(),
            Kind::Sim => {
                let occurs = Occurs { chance: Chance::Nth(1), sticky: true };
                let mut disk = self.disk();
                begin(&mut disk, name, Wrong::Refused { on: Opening::Open, occurs });
                self.disk = Some(disk);
            }
        }
    }
}

/// A fault begins on a simulated disk.
pub fn begin(disk: &mut AnyDisk, files: &str, wrong: Wrong) {
    let AnyDisk::Sim(disk) = disk else { panic!("only a simulated disk fails when told to") };
    let stream = Dice::new(1).stream(&["fault", files]);
    let files = Files::parse(files).unwrap();
    disk.begin_fault(Onset { number: 1, name: "sick".into(), files, wrong, until: None, stream });
}

pub fn heal(machine: &mut Machine) {
    let AnyDisk::Sim(disk) = &mut machine.disk else { panic!("only a simulated disk heals when told to") };
    disk.end_fault(1);
}

pub fn always() -> Occurs {
    Occurs { chance: Chance::Always, sticky: false }
}

/// Puts a message: its final status.
pub fn status(machine: &mut Machine, number: usize) -> &'static str {
    let put = machine.put(&message(number));
    machine.pass(2);
    put.waits.map_or(put.status, |request| machine.done[&request]).as_str()
}

/// What a store holds: files of its log, records in it, messages that a consumer can read.
pub fn holds(machine: &mut Machine) -> String {
    let (files, readable) = (machine.store.commit_log_files(), readable(machine).len());
    format!("{files} files, {readable} readable")
}

/// What a store holds that boots, or why it does not.
pub fn outcome(booted: Result<Machine, String>) -> String {
    match booted {
        Ok(mut machine) => holds(&mut machine),
        Err(error) => error,
    }
}

pub fn config_news(machine: &Machine) -> String {
    let mut told = machine.news.iter().rev().filter_map(|news| match news {
        News::ConfigPassedOver { file, why, has_backup } => Some(format!("{file}: {why}, backup {has_backup}")),
        News::ConfigFailed { file, error } => Some(format!("{file}: {error}")),
        _ => None,
    });
    told.next().unwrap_or_else(|| "nothing said".to_owned())
}

#[test]
fn what_is_wrong_gives_the_releases_behaviour_or_an_error_that_names_it() {
    let mut failed = Vec::new();
    for row in device::ROWS.iter().chain(folder::ROWS) {
        assert!(!row.upstream.is_empty());
        for &kind in row.on {
            let folder = tempfile::tempdir().unwrap();
            let shown = (row.shown)(&mut Rig { kind, folder: folder.path(), disk: None });
            if shown != row.expected {
                failed.push(format!("{}, {kind:?}:\n  expected {}\n  shown    {shown}", row.wrong, row.expected));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
