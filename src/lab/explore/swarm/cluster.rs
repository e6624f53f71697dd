//! The servers of a draft.

use std::fmt::Write;

use crate::lab::explore::swarm::pick::Picks;
use crate::lab::explore::swarm::rare::Rare;

/// Nameservers and brokers.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) nameservers: u64,
    pub(super) masters: Vec<Master>,
    /// One way, in microseconds.
    latency: (u64, u64),
    /// Lines that are added to every broker's file.
    settings: String,
}

/// A master, with its slave if it has one.
#[derive(Clone, Debug)]
pub(super) struct Master {
    pub(super) name: String,
    pub(super) slave: Option<String>,
    pub(super) sync_flush: bool,
    pub(super) sync_master: bool,
    log_file: u64,
    queue_file: u64,
    /// In microseconds.
    fsync: (u64, u64),
    torn: bool,
    personality: &'static str,
    check_interval: u64,
    immunity: u64,
    /// Retention looks at every hour, not at four in the morning alone.
    cleans: bool,
}

impl Cluster {
    pub(super) fn draw(picks: &Picks, rare: &Rare, within: bool) -> Cluster {
        let mut pick = picks.of(&["cluster"]);
        // Servers in all: 2, 3, 3, then more.
        let (nameservers, slaves): (u64, &[bool]) = match pick.between(0, 19) {
            0..=5 => (1, &[false]),
            6..=11 => (1, &[true]),
            12..=13 => (1, &[false, false]),
            14 => (2, &[false, false]),
            15..=16 => (1, &[true, false]),
            17 => (2, &[true]),
            18 => (2, &[true, true]),
            _ => (3, &[true, true, false]),
        };
        let occasion = rare.occasion;
        let (nameservers, slaves) = occasion.shape().unwrap_or((nameservers, slaves));
        let floor = pick.spread(200, 3_000);
        let latency = (floor, floor + pick.spread(100, 8_000));
        let sync_flush = pick.chance(1, 2);
        let sync_flush = occasion.forces().unwrap_or(sync_flush);
        let sync_master = pick.chance(1, 2);
        let log_file = |drawn: u64| occasion.log_file().unwrap_or(drawn);
        let master = |(at, slave): (usize, &bool)| {
            let name = format!("broker-{}", ["a", "b", "c"][at]);
            let mut pick = picks.of(&["broker", &name]);
            let fsync = pick.spread(300, 8_000);
            let calm: &[&str] = &["ordered", "writeback", "strict"];
            let wild: &[&str] = &["ordered", "writeback", "reordering", "strict"];
            Master {
                slave: slave.then(|| format!("{name}-s")),
                name,
                sync_flush,
                sync_master: sync_master && *slave,
                log_file: log_file(pick.spread(16 << 10, 1 << 20) / 4096 * 4096),
                queue_file: pick.between(20, 2_000) * 20,
                fsync: (fsync, fsync + pick.spread(100, 10_000)),
                torn: pick.chance(1, 2),
                personality: pick.one(if within { calm } else { wild }),
                check_interval: pick.one(&[&5_000, &10_000, &60_000]).to_owned(),
                immunity: pick.one(&[&1_000, &6_000]).to_owned(),
                cleans: picks.of(&["retention", ["a", "b", "c"][at]]).chance(1, 3) || occasion.cleans(),
            }
        };
        let masters = slaves.iter().enumerate().map(master).collect();
        Cluster { nameservers, masters, latency, settings: rare.settings() }
    }

    pub(super) fn brokers(&self) -> impl Iterator<Item = &str> {
        self.masters.iter().flat_map(|master| std::iter::once(&*master.name).chain(master.slave.as_deref()))
    }

    pub(super) fn has_slave(&self) -> bool {
        self.masters.iter().any(|master| master.slave.is_some())
    }

    /// A profile is named as it calls itself, with its repairs and a planted mistake: `rocketmq-4.3.2+K01!dead-twice`.
    pub(super) fn write(&self, out: &mut String, profile: &str) {
        let (min, max) = self.latency;
        let (profile, plant) =
            profile.split_once('!').map_or((profile, None), |(profile, plant)| (profile, Some(plant)));
        let (profile, fixes) = profile
            .split_once('+')
            .map_or((profile, Vec::new()), |(profile, rows)| (profile, rows.split('+').collect()));
        let _ = writeln!(out, "[cluster]\nprofile = \"{profile}\"\nnameserver = {}", self.nameservers);
        let _ = writeln!(out, "network = {{ latency = \"{min}us..{max}us\" }}");
        if plant.is_some() || !fixes.is_empty() {
            out.push_str("\n[profile]\n");
        }
        for row in fixes {
            let _ = writeln!(out, "fix.{row} = true");
        }
        if let Some(plant) = plant {
            let _ = writeln!(out, "plant = \"{plant}\"");
        }
        for master in &self.masters {
            master.write(out, (&master.name, None), &self.settings);
            if let Some(slave) = &master.slave {
                master.write(out, (slave, Some(&master.name)), &self.settings);
            }
        }
    }
}

impl Master {
    fn write(&self, out: &mut String, (name, of): (&str, Option<&str>), settings: &str) {
        let _ = writeln!(out, "\n[[broker]]\nname = \"{name}\"");
        let _ = match of {
            Some(master) => writeln!(out, "role = \"slave\"\nof = \"{master}\""),
            None if self.sync_master => writeln!(out, "role = \"sync-master\""),
            None => writeln!(out, "role = \"async-master\""),
        };
        let flush = if self.sync_flush { "sync" } else { "async" };
        let (log, queue, (min, max)) = (self.log_file, self.queue_file, self.fsync);
        let _ = writeln!(out, "flush = \"{flush}\"\ncommit_log_file_size = {log}\nconsume_queue_file_size = {queue}");
        let _ = writeln!(
            out,
            "properties = \"maxHashSlotNum=100\\nmaxIndexNum=400\\ntransactionCheckInterval={}\\ntransactionTimeOut={}\\n{settings}{}\"",
            self.check_interval,
            self.immunity,
            if self.cleans { EVERY_HOUR } else { "" }
        );
        let (torn, personality) = (self.torn, self.personality);
        let _ = writeln!(
            out,
            "disk = {{ fsync = \"{min}us..{max}us\", torn_writes = {torn}, personality = \"{personality}\" }}"
        );
    }
}

const EVERY_HOUR: &str = "deleteWhen=00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23\\n";
