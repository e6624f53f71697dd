//! What a disk may do wrong: rows D1 to D13 of the catalogue, as data.
//!
//! A disk fault says which files of a machine it is about ([`Files`]), what goes wrong ([`Wrong`]), and at which of the
//! operations that it could spoil ([`Occurs`]). Its draws come from a stream of its own, named after its episode.

use std::fmt;

use crate::lab::fault::moment::nearest;
use crate::mq::message::Name;
use crate::mq::time::Span;

/// Files by what they are for, and which of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// What they are for.
    pub role: Role,
    /// Which of them.
    pub which: Which,
}

/// What a file is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Whatever it is.
    Any,
    /// A segment of the commit log.
    CommitLog,
    /// A file of a consume queue.
    ConsumeQueue,
    /// A file of a consume queue's extension.
    ConsumeQueueExt,
    /// An index file.
    Index,
    /// The checkpoint.
    Checkpoint,
    /// One of the JSON files.
    Config,
    /// The file that exists while the store runs.
    Abort,
    /// The lock file.
    Lock,
}

/// Which files of a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// All of them.
    All,
    /// The first by name.
    First,
    /// The last by name that holds something; of an operation that makes a file, that file if none lies behind it.
    Last,
    /// Those whose path behind the role's folder is this, or lies below it.
    Path(Name),
}

/// At which of the operations that a fault could spoil it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Occurs {
    /// At which.
    pub chance: Chance,
    /// Whether every one after the first is spoilt, too.
    pub sticky: bool,
}

/// See [`Occurs`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chance {
    /// At the one of this number, from 1, counted since the fault began.
    Nth(u64),
    /// At each with these odds, drawn for each.
    Odds {
        /// How often.
        times: u64,
        /// Out of how many.
        out_of: u64,
    },
    /// At each.
    Always,
}

/// What goes wrong. A fault that heals does so at its episode's end; what a device lost by then stays lost, and what only an
/// overlay hides is there again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// The device is full beyond `capacity` (D1).
    Full {
        /// In bytes.
        capacity: u64,
        /// How that shows; drawn if not said.
        shows: Option<FullShows>,
    },
    /// A call answers EIO (D2): a channel write, or a small file that is written or read whole.
    CallFails {
        /// Which calls.
        on: Access,
        /// When.
        occurs: Occurs,
    },
    /// A mapped load or store meets an error (D3): SIGBUS, and the process dies there.
    MapFails {
        /// Which accesses.
        on: Access,
        /// When.
        occurs: Occurs,
    },
    /// A sync fails (D4).
    SyncFails {
        /// When.
        occurs: Occurs,
        /// What the file system makes of it.
        system: FileSystem,
    },
    /// A sync takes so much longer (D5); drawn between the two.
    SlowSync {
        /// At least.
        min: Span,
        /// At most.
        max: Span,
        /// When.
        occurs: Occurs,
    },
    /// Everything that waits for the device waits so many times as long (D6): a sync, and a store that dirties a page.
    Slow {
        /// How many times.
        times: u64,
    },
    /// Nothing that waits for the device comes back before the fault ends (D6).
    Hung {
        /// The longest that anybody waits.
        at_most: Span,
    },
    /// Bits are flipped at rest (D7).
    BitFlip {
        /// In which part of the file.
        field: Field,
        /// In which record, unit or slot, from 1; drawn if not said.
        nth: Option<u64>,
        /// Each byte with these odds, instead of one bit of `field`.
        out_of: Option<u64>,
    },
    /// A bit is flipped in what one read gives, and in no other (D8).
    ReadFlip {
        /// The read of this number; without it, each byte read with the odds below.
        nth: Option<u64>,
        /// One byte in so many.
        out_of: u64,
    },
    /// A page goes to, or comes from, the wrong place (D9).
    Misdirected {
        /// Whether it is written or read there.
        on: Access,
        /// When: pages written by syncs are counted, or reads.
        occurs: Occurs,
        /// How many pages further.
        by: i64,
        /// Whether it is a page of the next file of its folder instead.
        sibling: bool,
    },
    /// A page that a sync wrote is not on the device, and the sync says that it is (D10).
    LostWrite {
        /// When: pages written by syncs are counted.
        occurs: Occurs,
    },
    /// A part of a file cannot be read (D11): EIO for who reads it whole, SIGBUS for who has it mapped.
    BadSector {
        /// The first byte; drawn in what is written if not said.
        at: Option<u64>,
        /// How many bytes.
        len: u64,
    },
    /// A file is shorter than it was (D12).
    Cut {
        /// Its length.
        to: u64,
    },
    /// A page is as it was before its last stores (D12).
    StalePage {
        /// How many stores are not there; drawn if not said.
        stores: Option<u64>,
    },
    /// The system refuses a file (D13).
    Refused {
        /// What for.
        on: Opening,
        /// When.
        occurs: Occurs,
    },
}

/// How a full device shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FullShows {
    /// No file can be made.
    Create,
    /// The first store into a page that has no block yet is a SIGBUS.
    Touch,
    /// Stores succeed, and the page is lost when it is written back: the sync says so.
    Writeback,
}

/// A way to come to bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reading.
    Read,
    /// Writing.
    Write,
}

/// A way to come to a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// It is opened: permission denied.
    Open,
    /// It is mapped: the process has no mapping left.
    Map,
    /// It is locked: somebody else has it.
    Lock,
}

/// What a file system makes of a sync whose pages could not be written: each of them marks the pages clean.
///
/// After the study of Rebello and others, "Can Applications Recover from fsync Failures?" (USENIX ATC 2020).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FileSystem {
    /// `ext4-ordered`: the cache keeps the new data, names are committed; the error comes once.
    #[default]
    Ext4Ordered,
    /// `ext4-journal`: this sync succeeds, for the journal has the data; the error comes with the file's next sync.
    Ext4Journal,
    /// `xfs`: the cache keeps the new data, names are not committed; the error comes once.
    Xfs,
    /// `btrfs`: the cache goes back to the old data, names are not committed; the error comes once.
    Btrfs,
}

/// The part of a file in which a bit is flipped. All but the last five are fields of a record of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Field {
    /// `body`.
    #[default]
    Body,
    /// `size`.
    Size,
    /// `magic`.
    Magic,
    /// `crc`: the body's CRC.
    Crc,
    /// `queue-id`.
    QueueId,
    /// `queue-offset`.
    QueueOffset,
    /// `phys-offset`.
    PhysOffset,
    /// `topic`.
    Topic,
    /// `properties`.
    Properties,
    /// `queue-entry`: a unit of a consume queue.
    QueueEntry,
    /// `index-slot`: a slot of an index file.
    IndexSlot,
    /// `checkpoint`: its three times.
    Checkpoint,
    /// `json`: a config file.
    Json,
    /// `any`: any byte that is not zero.
    Any,
}

impl Role {
    /// All of them, as a scenario writes them, with how their paths begin.
    pub const ALL: [(&'static str, Role, &'static str); 9] = [
        ("any", Role::Any, ""),
        ("commitlog", Role::CommitLog, "commitlog/"),
        ("consumequeue", Role::ConsumeQueue, "consumequeue/"),
        ("consumequeue_ext", Role::ConsumeQueueExt, "consumequeue_ext/"),
        ("index", Role::Index, "index/"),
        ("checkpoint", Role::Checkpoint, "checkpoint"),
        ("config", Role::Config, "config/"),
        ("abort", Role::Abort, "abort"),
        ("lock", Role::Lock, "lock"),
    ];
}

impl Files {
    /// Every file.
    pub const ANY: Files = Files { role: Role::Any, which: Which::All };

    /// Every file of a role.
    pub fn of(role: Role) -> Files {
        Files { role, which: Which::All }
    }

    /// What a scenario writes: a role, and behind a `/` `first`, `last` or a path. Errors: the way out.
    pub fn parse(text: &str) -> Result<Files, String> {
        let (role, rest) = match text.split_once('/') {
            Some((role, rest)) => (role, Some(rest)),
            None => (text, None),
        };
        let known = Role::ALL.map(|(name, ..)| name);
        let Some((_, role, prefix)) = Role::ALL.into_iter().find(|(name, ..)| *name == role) else {
            let list = known.join(", ");
            return Err(match nearest(role, known) {
                Some(near) => format!("did you mean `{near}`? One of: {list}"),
                None => format!("one of: {list}; behind it `/first`, `/last` or a path"),
            });
        };
        let which = match rest {
            None => Which::All,
            Some("first") => Which::First,
            Some("last") => Which::Last,
            Some(path) => {
                let sound = !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
                if !sound || (!prefix.is_empty() && !prefix.ends_with('/')) {
                    return Err("behind a folder's `/` stand `first`, `last` or a path inside it".to_owned());
                }
                Which::Path(Name::from(path))
            }
        };
        Ok(Files { role, which })
    }

    /// How the paths of its role begin.
    pub fn prefix(&self) -> &'static str {
        Role::ALL[self.role as usize].2
    }

    /// Whether a path may be meant; of the first and the last by name only those that see the folder know which.
    pub fn may_be(&self, path: &str) -> bool {
        let prefix = self.prefix();
        let Some(rest) = path.strip_prefix(prefix) else { return false };
        match &self.which {
            _ if !prefix.is_empty() && !prefix.ends_with('/') => rest.is_empty(),
            Which::Path(wanted) => {
                rest.strip_prefix(wanted.as_str()).is_some_and(|below| below.is_empty() || below.starts_with('/'))
            }
            Which::All | Which::First | Which::Last => true,
        }
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = Role::ALL[self.role as usize].0;
        match &self.which {
            Which::All => f.write_str(role),
            Which::First => write!(f, "{role}/first"),
            Which::Last => write!(f, "{role}/last"),
            Which::Path(path) => write!(f, "{role}/{path}"),
        }
    }
}

impl Occurs {
    /// At the first, and at no other.
    pub const FIRST: Occurs = Occurs { chance: Chance::Nth(1), sticky: false };
    /// At each.
    pub const ALWAYS: Occurs = Occurs { chance: Chance::Always, sticky: false };
}

impl FullShows {
    /// As a scenario writes them.
    pub const ALL: [(&'static str, FullShows); 3] =
        [("create", FullShows::Create), ("touch", FullShows::Touch), ("writeback", FullShows::Writeback)];
}

impl FileSystem {
    /// As a scenario writes them; the default first.
    pub const ALL: [(&'static str, FileSystem); 4] = [
        ("ext4-ordered", FileSystem::Ext4Ordered),
        ("ext4-journal", FileSystem::Ext4Journal),
        ("xfs", FileSystem::Xfs),
        ("btrfs", FileSystem::Btrfs),
    ];
}

impl Field {
    /// As a scenario writes them; the default first.
    pub const ALL: [(&'static str, Field); 14] = [
        ("body", Field::Body),
        ("size", Field::Size),
        ("magic", Field::Magic),
        ("crc", Field::Crc),
        ("queue-id", Field::QueueId),
        ("queue-offset", Field::QueueOffset),
        ("phys-offset", Field::PhysOffset),
        ("topic", Field::Topic),
        ("properties", Field::Properties),
        ("queue-entry", Field::QueueEntry),
        ("index-slot", Field::IndexSlot),
        ("checkpoint", Field::Checkpoint),
        ("json", Field::Json),
        ("any", Field::Any),
    ];

    /// The files in which it can be; `None` is any.
    pub fn role(self) -> Option<Role> {
        match self {
            Field::QueueEntry => Some(Role::ConsumeQueue),
            Field::IndexSlot => Some(Role::Index),
            Field::Checkpoint => Some(Role::Checkpoint),
            Field::Json => Some(Role::Config),
            Field::Any => None,
            _ => Some(Role::CommitLog),
        }
    }
}

impl Wrong {
    /// The verb under which a scenario writes it.
    pub fn verb(&self) -> &'static str {
        match self {
            Wrong::Full { .. } => "disk-full",
            Wrong::CallFails { .. } => "io-error",
            Wrong::MapFails { .. } => "map-error",
            Wrong::SyncFails { .. } => "sync-error",
            Wrong::SlowSync { .. } => "slow-sync",
            Wrong::Slow { .. } => "slow-disk",
            Wrong::Hung { .. } => "hung-disk",
            Wrong::BitFlip { .. } => "bit-flip",
            Wrong::ReadFlip { .. } => "read-flip",
            Wrong::Misdirected { .. } => "misdirected",
            Wrong::LostWrite { .. } => "lost-write",
            Wrong::BadSector { .. } => "bad-sector",
            Wrong::Cut { .. } => "truncate",
            Wrong::StalePage { .. } => "stale-page",
            Wrong::Refused { .. } => "refuse",
        }
    }
}

const _: () = assert!(Role::Lock as usize + 1 == Role::ALL.len(), "roles stand in the enum's order");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_role_and_place() {
        let covers = |text: &str, path: &str| Files::parse(text).unwrap().may_be(path);
        for (text, path, covered) in [
            ("any", "config/topics.json", true),
            ("commitlog", "commitlog/00000000000000000000", true),
            ("commitlog", "consumequeue/orders/0/00000000000000000000", false),
            ("consumequeue/orders", "consumequeue/orders/0/00000000000000000000", true),
            ("consumequeue/orders", "consumequeue/orders2/0/00000000000000000000", false),
            ("consumequeue", "consumequeue_ext/orders/0/00000000000000000000", false),
            ("checkpoint", "checkpoint", true),
            ("lock", "lock", true),
            ("config/topics.json", "config/topics.json", true),
            ("config/topics.json", "config/topics.json.bak", false),
        ] {
            assert_eq!(covers(text, path), covered, "{text} {path}");
            assert_eq!(Files::parse(text).unwrap().to_string(), text);
        }
        for (text, help) in [
            ("comitlog", "did you mean `commitlog`?"),
            ("checkpoint/x", "behind a folder's `/`"),
            ("config/../x", "behind a folder's `/`"),
            ("nonsense", "one of: any, commitlog"),
        ] {
            assert!(Files::parse(text).unwrap_err().contains(help), "{text}");
        }
    }
}
