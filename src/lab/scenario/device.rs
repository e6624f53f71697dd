//! Disk faults as a person writes them: one table a verb, each with the keys that mean something to it and no others.
//!
//! `file` is a role (`commitlog`, `consumequeue`, `index`, `checkpoint`, `config` …), and behind a `/` `first`, `last` or a
//! path; `nth` counts operations from 1, since the fault began; `odds` are written `1 in 20`.

use serde::Deserialize;
use toml::Spanned;

use crate::lab::scenario::script::Text;

/// `disk-full`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct FullScript {
    /// The node.
    pub node: Text,
    /// Which files.
    pub file: Option<Text>,
    /// How much fits, in bytes.
    pub capacity: Option<Spanned<i64>>,
    /// `create`, `touch` or `writeback`; drawn if left out.
    pub shows: Option<Text>,
}

/// `io-error`, `map-error` and `refuse`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct CallScript {
    /// The node.
    pub node: Text,
    /// Which files.
    pub file: Option<Text>,
    /// Which calls: `write` or `read`; of `refuse`: `open`, `map` or `lock`.
    pub on: Option<Text>,
    /// Which of them.
    pub nth: Option<Spanned<i64>>,
    /// Each of them with these odds.
    pub odds: Option<Text>,
    /// Whether it fails for ever after the first time.
    pub sticky: Option<bool>,
}

/// `sync-error`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SyncScript {
    /// The node.
    pub node: Text,
    /// Which files.
    pub file: Option<Text>,
    /// Which sync.
    pub nth: Option<Spanned<i64>>,
    /// Each sync with these odds.
    pub odds: Option<Text>,
    /// Whether every later one fails, too.
    pub sticky: Option<bool>,
    /// `ext4-ordered`, `ext4-journal`, `xfs` or `btrfs`.
    pub personality: Option<Text>,
}

/// `slow-sync`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SlowSyncScript {
    /// The node.
    pub node: Text,
    /// Which files.
    pub file: Option<Text>,
    /// How much longer: a span or a range.
    pub by: Option<Text>,
    /// Which sync; each if left out.
    pub nth: Option<Spanned<i64>>,
    /// Each sync with these odds.
    pub odds: Option<Text>,
}

/// `slow-disk`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SlowDiskScript {
    /// The node.
    pub node: Text,
    /// Which files.
    pub file: Option<Text>,
    /// How many times as long.
    pub times: Option<Spanned<i64>>,
}

/// `hung-disk`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct HungScript {
    /// The node.
    pub node: Text,
    /// Which files.
    pub file: Option<Text>,
}

/// `bit-flip`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct FlipScript {
    /// The node.
    pub node: Text,
    /// Which file; one of those in which `field` can be if left out.
    pub file: Option<Text>,
    /// `body`, `size`, `magic`, `crc` …
    pub field: Option<Text>,
    /// In which record, unit or slot; drawn if left out.
    pub nth: Option<Spanned<i64>>,
    /// Each byte with these odds, instead of one bit of a field.
    pub odds: Option<Text>,
}

/// `read-flip` and `lost-write`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct NthScript {
    /// The node.
    pub node: Text,
    /// Which files.
    pub file: Option<Text>,
    /// Which read, or which page written.
    pub nth: Option<Spanned<i64>>,
    /// Each byte read, or each page written, with these odds.
    pub odds: Option<Text>,
}

/// `misdirected`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct MisdirectedScript {
    /// The node.
    pub node: Text,
    /// Which files.
    pub file: Option<Text>,
    /// `write` or `read`.
    pub on: Option<Text>,
    /// Which page written, or which read.
    pub nth: Option<Spanned<i64>>,
    /// Each of them with these odds.
    pub odds: Option<Text>,
    /// How many pages further.
    pub pages: Option<Spanned<i64>>,
    /// Whether it is the next file of the folder instead.
    pub sibling: Option<Spanned<bool>>,
}

/// `bad-sector`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SectorScript {
    /// The node.
    pub node: Text,
    /// Which file.
    pub file: Option<Text>,
    /// Its first byte; drawn if left out.
    pub offset: Option<Spanned<i64>>,
    /// How many bytes.
    pub len: Option<Spanned<i64>>,
}

/// `truncate`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct CutScript {
    /// The node.
    pub node: Text,
    /// Which file.
    pub file: Option<Text>,
    /// Its length.
    pub to: Option<Spanned<i64>>,
}

/// `stale-page`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct StaleScript {
    /// The node.
    pub node: Text,
    /// Which file.
    pub file: Option<Text>,
    /// How many stores are not there; drawn if left out.
    pub stores: Option<Spanned<i64>>,
}
