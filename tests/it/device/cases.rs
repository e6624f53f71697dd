//! Each row of the catalogue, what it does here, and what the same run says without it.

/// A disk fault and what comes of it.
pub struct Case {
    pub name: &'static str,
    /// What is changed in the scenario.
    pub changes: &'static [(&'static str, &'static str)],
    /// The fault, with the outages that it needs.
    pub faults: &'static str,
    /// The outages alone: the twin.
    pub others: &'static str,
    /// What must be said.
    pub told: &'static [&'static str],
    /// What must be said, and not by the twin.
    pub only: &'static [&'static str],
    /// What must not be said.
    pub never: &'static [&'static str],
    /// Which guarantees it breaks.
    pub breaks: &'static [&'static str],
    /// Whether it strikes without a word of its own.
    pub silent: bool,
}

const NOTHING: Case = Case {
    name: "",
    changes: &[],
    faults: "",
    others: "",
    told: &[],
    only: &[],
    never: &[],
    breaks: &[],
    silent: false,
};

/// The broker loses power at 5 s and comes back at 8 s.
macro_rules! outage {
    () => {
        "[[fault]]\nat = \"7s\"\npower-loss = { node = \"broker-a\" }\n\
         [[fault]]\nat = \"9s\"\nrestart = { node = \"broker-a\" }\n"
    };
}

/// The broker is killed at 7 s and comes back at 9 s.
macro_rules! kill {
    () => {
        "[[fault]]\nat = \"7s\"\nkill = { node = \"broker-a\" }\n\
         [[fault]]\nat = \"9s\"\nrestart = { node = \"broker-a\" }\n"
    };
}

macro_rules! fault {
    ($at:literal, $rest:literal) => {
        concat!("[[fault]]\nname = \"sick\"\nat = \"", $at, "\"\n", $rest, "\n")
    };
}

const ASYNC: &[(&str, &str)] = &[("flush = \"sync\"", "flush = \"async\"")];

pub const CASES: &[Case] = &[
    Case {
        name: "D1: no file can be made",
        changes: &[("commit_log_file_size = 16384", "commit_log_file_size = 4096")],
        faults: fault!(
            "3s",
            "lasts = \"2s\"\ndisk-full = { node = \"broker-a\", capacity = 4096, shows = \"create\" }"
        ),
        told: &["FAULT: disk-full broker-a", "FAULT: fault sick ends", "SEND_OK m40 order-40"],
        only: &["DISK: no space left on the device, commitlog/000000000000000", "create mapped file failed"],
        ..NOTHING
    },
    Case {
        name: "D1: beyond the last watermark, and back",
        changes: &[("until = \"60s\"", "until = \"180s\""), ("count = 40", "count = 1200")],
        faults: fault!(
            "30s",
            "lasts = \"60s\"\ndisk-full = { node = \"broker-a\", capacity = 300000, shows = \"create\" }"
        ),
        // Files go before their time, consumed or not.
        only: &["broker-a: DISK FULL at ", "puts are refused", "broker-a: disk at 0 %, puts are taken again"],
        told: &["SEND_OK m1200 order-1200"],
        silent: true,
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D1: the first touch of a hole",
        faults: fault!("3s", "lasts = \"1s\"\ndisk-full = { node = \"broker-a\", capacity = 4096, shows = \"touch\" }"),
        only: &["DISK: no space: SIGBUS at the first touch of a hole, commitlog/", "broker-a: KILLED"],
        ..NOTHING
    },
    Case {
        name: "D1: lost at the writeback",
        faults: concat!(
            fault!("3s", "lasts = \"5s\"\ndisk-full = { node = \"broker-a\", capacity = 4096, shows = \"writeback\" }"),
            outage!()
        ),
        others: outage!(),
        // K01: the release acknowledges what could not be written.
        told: &["SEND_OK m40 order-40"],
        only: &[
            "DISK: no space: pages are lost at the writeback, commitlog/",
            "broker-a: FLUSH FAILED",
            "recovered 10 records, the log ends at 7621",
        ],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D2: a unit of a consume queue",
        // Whether it is delivered late or never is known only later.
        changes: &[("until = \"60s\"", "until = \"300s\"")],
        faults: fault!("3s", "io-error = { node = \"broker-a\", file = \"consumequeue\", nth = 2 }"),
        // The unit is a hole, and nobody hears of it: its order is acknowledged and not delivered.
        told: &["SEND_OK m40 order-40", "listener gets m40 order-40"],
        only: &["DISK: EIO at a write, consumequeue/orders/0/00000000000000000000 at "],
        breaks: &["at-least-once violation"],
        ..NOTHING
    },
    Case {
        name: "D2: a config file",
        faults: fault!("3s", "io-error = { node = \"broker-a\", file = \"config\", sticky = true }"),
        only: &["could not write consumerOffset.json: input/output error"],
        ..NOTHING
    },
    Case {
        name: "D3: a store into the log",
        faults: concat!(
            fault!("3s", "map-error = { node = \"broker-a\", file = \"commitlog\", on = \"store\", nth = 5 }"),
            "[[fault]]\nat = \"9s\"\nrestart = { node = \"broker-a\" }\n"
        ),
        others: "[[fault]]\nat = \"9s\"\nrestart = { node = \"broker-a\" }\n",
        only: &["DISK: EIO under a store: SIGBUS, commitlog/", "recovered 14 records, the log ends at 10673"],
        ..NOTHING
    },
    Case {
        name: "D4, ext4-ordered: acknowledged, and gone with the power",
        faults: concat!(
            fault!("nth(40):append", "sync-error = { node = \"broker-a\", file = \"commitlog\" }"),
            outage!()
        ),
        others: outage!(),
        told: &["SEND_OK m40 order-40"],
        only: &["DISK: a sync fails, commitlog/", "broker-a: FLUSH FAILED", "recovered 39 records"],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D4, ext4-ordered: the page cache keeps it",
        faults: concat!(
            fault!("nth(40):append", "sync-error = { node = \"broker-a\", file = \"commitlog\" }"),
            kill!()
        ),
        others: kill!(),
        told: &["SEND_OK m40 order-40", "recovered 40 records"],
        only: &["DISK: a sync fails, commitlog/", "broker-a: FLUSH FAILED"],
        ..NOTHING
    },
    Case {
        name: "D4, ext4-journal: nobody hears of it",
        faults: concat!(
            fault!(
                "nth(40):append",
                "sync-error = { node = \"broker-a\", file = \"commitlog\", personality = \"ext4-journal\" }"
            ),
            outage!()
        ),
        others: outage!(),
        told: &["SEND_OK m40 order-40"],
        only: &["DISK: a sync fails, and the next one will say so, commitlog/", "recovered 39 records"],
        never: &["FLUSH FAILED"],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D4, ext4-journal: the next sync says it",
        faults: concat!(
            fault!(
                "nth(39):append",
                "sync-error = { node = \"broker-a\", file = \"commitlog\", personality = \"ext4-journal\" }"
            ),
            outage!()
        ),
        others: outage!(),
        told: &["SEND_OK m40 order-40", "recovered 40 records"],
        only: &[
            "DISK: a sync fails, and the next one will say so, commitlog/",
            "DISK: a sync answers for the one before, commitlog/",
            "broker-a: FLUSH FAILED",
        ],
        ..NOTHING
    },
    Case {
        name: "D4, xfs: acknowledged, and gone with the power",
        faults: concat!(
            fault!(
                "nth(40):append",
                "sync-error = { node = \"broker-a\", file = \"commitlog\", personality = \"xfs\" }"
            ),
            outage!()
        ),
        others: outage!(),
        told: &["SEND_OK m40 order-40"],
        only: &["DISK: a sync fails, commitlog/", "broker-a: FLUSH FAILED", "recovered 39 records"],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D4, btrfs: gone under the running process",
        faults: concat!(
            fault!(
                "nth(40):append",
                "sync-error = { node = \"broker-a\", file = \"commitlog\", personality = \"btrfs\" }"
            ),
            kill!()
        ),
        others: kill!(),
        told: &["SEND_OK m40 order-40"],
        only: &["DISK: a sync fails, commitlog/", "broker-a: FLUSH FAILED", "recovered 39 records"],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D5: beyond the sync timeout",
        faults: fault!("3s", "slow-sync = { node = \"broker-a\", file = \"commitlog\", by = \"6s..7s\", nth = 1 }"),
        only: &["DISK: a sync is slow, commitlog/", "FLUSH_DISK_TIMEOUT m11"],
        ..NOTHING
    },
    Case {
        name: "D6: a hung disk holds the lock of the log",
        changes: ASYNC,
        faults: fault!("2500ms", "lasts = \"2s\"\nhung-disk = { node = \"broker-a\" }"),
        told: &["FAULT: hung-disk broker-a", "SEND_OK m40 order-40"],
        only: &["[REJECTREQUEST]system busy, start flow control for a while"],
        silent: true,
        ..NOTHING
    },
    Case {
        name: "D6: a slow disk holds it, too",
        changes: ASYNC,
        faults: fault!("3s", "lasts = \"1s\"\nslow-disk = { node = \"broker-a\", file = \"commitlog\", times = 1000 }"),
        only: &["[REJECTREQUEST]system busy, start flow control for a while"],
        silent: true,
        ..NOTHING
    },
    Case {
        name: "D7: a body, found by the recovery after a crash",
        faults: concat!(
            fault!("6500ms", "bit-flip = { node = \"broker-a\", file = \"commitlog/first\", nth = 3 }"),
            kill!()
        ),
        others: kill!(),
        only: &[
            "DISK: a bit is flipped at rest, commitlog/00000000000000000000 at ",
            "recovered 2 records, the log ends at 1524",
        ],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D8: a body, read once by a consumer",
        faults: fault!("3s", "read-flip = { node = \"broker-a\", file = \"commitlog\", odds = \"1 in 3000\" }"),
        only: &["DISK: a bit is flipped in one read, commitlog/"],
        breaks: &["no-phantom violation"],
        ..NOTHING
    },
    Case {
        name: "D9: a page of the log lands on the next one",
        faults: concat!(
            fault!("5s", "misdirected = { node = \"broker-a\", file = \"commitlog\", pages = -1 }"),
            outage!()
        ),
        others: outage!(),
        only: &[
            "DISK: a page is written to the wrong place, commitlog/",
            "recovered 21 records, the log ends at 16384",
        ],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D9: a read gets another page",
        faults: fault!("3s", "misdirected = { node = \"broker-a\", file = \"commitlog\", on = \"read\", nth = 1 }"),
        only: &["DISK: a page is read from the wrong place, commitlog/"],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D10: a page that was acknowledged is not there",
        faults: concat!(
            fault!("nth(40):append", "lost-write = { node = \"broker-a\", file = \"commitlog\" }"),
            outage!()
        ),
        others: outage!(),
        only: &["DISK: a page is not written, commitlog/", "recovered 39 records"],
        never: &["FLUSH FAILED"],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D11: an unreadable sector kills the reader until it heals",
        faults: concat!(
            fault!(
                "6500ms",
                "lasts = \"5s\"\nbad-sector = { node = \"broker-a\", file = \"commitlog/first\", offset = 0 }"
            ),
            kill!(),
            "[[fault]]\nat = \"15s\"\nrestart = { node = \"broker-a\" }\n"
        ),
        others: concat!(kill!(), "[[fault]]\nat = \"15s\"\nrestart = { node = \"broker-a\" }\n"),
        only: &["DISK: a sector cannot be read, commitlog/00000000000000000000 at 0"],
        ..NOTHING
    },
    Case {
        name: "D12: a cut topics.json gives way to its backup",
        faults: concat!(
            fault!("6500ms", "truncate = { node = \"broker-a\", file = \"config/topics.json\", to = 5 }"),
            kill!()
        ),
        others: kill!(),
        told: &["recovered 40 records"],
        only: &["DISK: the file ends early, config/topics.json at 5", "cannot read topics.json, takes backup instead"],
        ..NOTHING
    },
    Case {
        name: "D12: a page of the log as it was before",
        faults: concat!(
            fault!("6500ms", "stale-page = { node = \"broker-a\", file = \"commitlog/last\", stores = 2 }"),
            kill!()
        ),
        others: kill!(),
        only: &["DISK: a page is as it was before, commitlog/", "recovered 25 records, the log ends at 19436"],
        breaks: &["acked-durability violation"],
        ..NOTHING
    },
    Case {
        name: "D13: the lock file is somebody else's",
        faults: concat!(fault!("6500ms", "refuse = { node = \"broker-a\", on = \"lock\" }"), kill!()),
        others: kill!(),
        only: &["DISK: the lock is somebody else's, lock at 0", "Lock failed,MQ already started"],
        ..NOTHING
    },
    Case {
        name: "D13: no permission for the checkpoint",
        faults: concat!(fault!("6500ms", "refuse = { node = \"broker-a\", file = \"checkpoint\" }"), kill!()),
        others: kill!(),
        only: &["DISK: permission denied, checkpoint at 0", "`checkpoint`: permission denied"],
        ..NOTHING
    },
    Case {
        name: "D13: no mapping left for the log",
        faults: concat!(
            fault!("6500ms", "refuse = { node = \"broker-a\", file = \"commitlog\", on = \"map\" }"),
            kill!()
        ),
        others: kill!(),
        only: &["DISK: no mapping left, commitlog/", "cannot allocate memory"],
        ..NOTHING
    },
];
