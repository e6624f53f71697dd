//! The kinds of fault that a draft draws from: a row for each verb, with its weight, how long it lasts and what it is told.

use crate::lab::explore::swarm::pick::Pick;
use crate::lab::explore::swarm::storm::Scene;

/// A row.
pub(super) struct Kind {
    /// The scenario's word.
    pub(super) verb: &'static str,
    /// How often beside the others.
    pub(super) weight: u64,
    /// Whether it can stay within what is promised.
    pub(super) within: bool,
    /// The shortest and the longest, in milliseconds; none lasts for ever or ends by itself.
    pub(super) lasts: Option<(u64, u64)>,
    /// Its inline table, or nothing if there is no target for it.
    pub(super) body: fn(&mut Pick, &Scene<'_>) -> Option<String>,
}

/// Every verb that a hunt may draw, for `--only` and `--without`.
pub fn verbs() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|kind| kind.verb)
}

const SHORT: Option<(u64, u64)> = Some((200, 8_000));
const LONG: Option<(u64, u64)> = Some((1_000, 20_000));
const AT_ONCE: Option<(u64, u64)> = None;

const fn kind(
    verb: &'static str,
    weight: u64,
    within: bool,
    lasts: Option<(u64, u64)>,
    body: fn(&mut Pick, &Scene<'_>) -> Option<String>,
) -> Kind {
    Kind { verb, weight, within, lasts, body }
}

/// All of them. `datagram` is left out: TCP does not do that.
pub(super) const ALL: &[Kind] = &[
    kind("latency", 2, true, LONG, |pick, scene| {
        let shape = pick.one(&["exponential", "lognormal", "bimodal"]);
        let (ends, mean) = (ends(pick, scene), pick.spread(5, 400));
        Some(format!("{{ {ends}, min = \"1ms\", mean = \"{mean}ms\", shape = \"{shape}\" }}"))
    }),
    kind("delay", 2, true, SHORT, |pick, scene| {
        Some(format!("{{ {}, by = \"{}ms\" }}", ends(pick, scene), pick.spread(10, 4_000)))
    }),
    kind("bandwidth", 1, true, LONG, |pick, scene| {
        Some(format!("{{ {}, rate = {}, buffer = 65536 }}", ends(pick, scene), pick.spread(2_000, 1_000_000)))
    }),
    kind("stall", 2, true, LONG, |pick, scene| {
        Some(format!("{{ {}, odds = \"1 in {}\" }}", ends(pick, scene), pick.between(4, 40)))
    }),
    kind("reset", 4, true, AT_ONCE, |pick, scene| {
        let prefix = pick.one(&["uniform", "none", "all"]);
        Some(format!("{{ {}, prefix = \"{prefix}\" }}", ends(pick, scene)))
    }),
    kind("resets", 2, true, LONG, |pick, scene| {
        Some(format!("{{ {}, every = \"{}ms\" }}", ends(pick, scene), pick.spread(500, 8_000)))
    }),
    kind("half-open", 1, true, LONG, |pick, scene| Some(format!("{{ {} }}", ends(pick, scene)))),
    kind("cut", 4, true, LONG, |pick, scene| {
        let one_way = pick.chance(1, 3);
        Some(format!("{{ {}, one-way = {one_way} }}", ends(pick, scene)))
    }),
    kind("partition", 2, true, LONG, |pick, scene| {
        let node = scene.any(pick);
        Some(match pick.between(0, 2) {
            0 => format!("{{ isolate = \"{node}\" }}"),
            1 => format!("{{ isolate = \"{node}\", one-way = true }}"),
            _ => String::from("{ role = \"clients\", other-role = \"brokers\" }"),
        })
    }),
    kind("flap", 1, true, None, |pick, scene| {
        let (down, up) = (pick.spread(100, 2_000), pick.spread(100, 2_000));
        let cycles = pick.between(2, 4);
        Some(format!("{{ {}, down = \"{down}ms\", up = \"{up}ms\", cycles = {cycles} }}", ends(pick, scene)))
    }),
    kind("clog", 1, true, LONG, |pick, scene| {
        let (odds, mean) = (pick.between(4, 50), pick.spread(100, 3_000));
        Some(format!("{{ {}, odds = \"1 in {odds}\", mean = \"{mean}ms\" }}", ends(pick, scene)))
    }),
    kind("refuse-connect", 1, true, LONG, |pick, scene| {
        Some(format!("{{ {}, odds = \"1 in {}\" }}", ends(pick, scene), pick.between(1, 4)))
    }),
    kind("slow-accept", 1, true, LONG, |pick, scene| {
        Some(format!("{{ {}, by = \"{}ms\" }}", ends(pick, scene), pick.spread(10, 3_000)))
    }),
    kind("split-view", 1, true, LONG, |pick, scene| {
        let nameserver = scene.nameserver(pick);
        Some(format!("{{ broker = \"{}\", nameserver = \"{nameserver}\" }}", scene.broker(pick)))
    }),
    kind("kill", 8, true, LONG, |pick, scene| Some(format!("{{ node = \"{}\" }}", scene.any(pick)))),
    kind("stop", 3, true, LONG, |pick, scene| Some(format!("{{ node = \"{}\" }}", scene.any(pick)))),
    kind("pause", 4, true, LONG, |pick, scene| {
        let node = scene.any(pick);
        let services: &[&str] = match scene.is_broker(&node) {
            true => &["", "flush", "dispatch", "ha", "schedule", "heartbeat"],
            false => &["", "", "rebalance", "heartbeat", "listener-pool"],
        };
        Some(match pick.one(services) {
            "" => format!("{{ node = \"{node}\" }}"),
            _ if node.starts_with("ns-") => format!("{{ node = \"{node}\" }}"),
            service => format!("{{ node = \"{node}\", service = \"{service}\" }}"),
        })
    }),
    kind("slow-cpu", 1, true, LONG, |pick, scene| {
        let node = scene.any(pick);
        let (times, task) = (pick.spread(2, 500), pick.one(&["", "", "send", "pull", "admin"]));
        // A client has no such threads, and a nameserver one kind alone.
        Some(match task {
            task if !task.is_empty() && scene.is_broker(&node) => {
                format!("{{ node = \"{node}\", times = {}, task = \"{task}\" }}", times * 20)
            }
            task if !task.is_empty() && node.starts_with("ns-") => {
                format!("{{ node = \"{node}\", times = {}, task = \"route\" }}", times * 200)
            }
            _ => format!("{{ node = \"{node}\", times = {times} }}"),
        })
    }),
    kind("crash", 2, true, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", effects = {} }}", scene.any(pick), pick.spread(1, 300)))
    }),
    kind("power-loss", 12, true, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", keep = \"{}\" }}", scene.broker(pick), keep(pick)))
    }),
    kind("rack-loss", 2, true, LONG, |pick, _| {
        Some(format!("{{ within = \"{}ms\", keep = \"{}\" }}", pick.spread(10, 1_500), keep(pick)))
    }),
    kind("sync-error", 6, true, SHORT, |pick, scene| {
        let system = pick.one(&["ext4-ordered", "ext4-journal", "xfs", "btrfs"]);
        let node = scene.master(pick);
        Some(format!("{{ node = \"{node}\", file = \"commitlog\", nth = 1, personality = \"{system}\" }}"))
    }),
    kind("slow-sync", 3, true, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", by = \"{}ms\" }}", scene.broker(pick), pick.spread(50, 7_000)))
    }),
    kind("slow-disk", 2, true, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", times = {} }}", scene.broker(pick), pick.spread(10, 1_000)))
    }),
    kind("hung-disk", 2, true, SHORT, |pick, scene| Some(format!("{{ node = \"{}\" }}", scene.broker(pick)))),
    kind("clock-offset", 1, true, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", by = \"{}\" }}", scene.any(pick), signed(pick, 5_000)))
    }),
    kind("clock-drift", 1, true, LONG, |pick, scene| {
        let (sign, size) = (pick.one(&["", "-"]), pick.spread(100, 50_000));
        Some(format!("{{ node = \"{}\", millionths = {sign}{size} }}", scene.any(pick)))
    }),
    kind("clock-skew", 3, true, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", by = \"{}\" }}", scene.any(pick), signed(pick, 60_000)))
    }),
    kind("clock-freeze", 1, true, AT_ONCE, |pick, scene| {
        let (node, span) = (scene.any(pick), pick.spread(500, 8_000));
        Some(format!("{{ node = \"{node}\", span = \"{span}ms\" }}"))
    }),
    kind("clock-coarse", 1, true, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", to = \"{}ms\" }}", scene.any(pick), pick.spread(10, 1_000)))
    }),
    kind("rolling-restart", 1, true, AT_ONCE, |_, _| Some(String::from("{ every = \"2s\", down = \"1s\" }"))),
    kind("disk-full", 2, false, LONG, |pick, scene| Some(format!("{{ node = \"{}\" }}", scene.broker(pick)))),
    kind("io-error", 2, false, LONG, |pick, scene| {
        let on = pick.one(&["write", "read"]);
        Some(format!("{{ node = \"{}\", on = \"{on}\", nth = {} }}", scene.broker(pick), pick.spread(1, 40)))
    }),
    kind("map-error", 1, false, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", on = \"store\", nth = {} }}", scene.broker(pick), pick.spread(1, 40)))
    }),
    kind("lost-write", 2, false, LONG, |pick, scene| {
        Some(format!("{{ node = \"{}\", nth = {} }}", scene.broker(pick), pick.spread(1, 10)))
    }),
    kind("bit-flip", 3, false, AT_ONCE, |pick, scene| {
        let field = pick.one(&["body", "size", "magic", "crc", "queue-offset", "topic", "properties"]);
        Some(format!("{{ node = \"{}\", field = \"{field}\" }}", scene.master(pick)))
    }),
    kind("replace", 2, false, AT_ONCE, |pick, scene| Some(format!("{{ node = \"{}\" }}", scene.broker(pick)))),
];

/// One node, or a road between two.
fn ends(pick: &mut Pick, scene: &Scene<'_>) -> String {
    let node = scene.any(pick);
    let client = scene.client(pick);
    let broker = scene.broker(pick);
    match pick.between(0, 4) {
        0 => format!("from = \"*\", to = \"{node}\""),
        1 => format!("from = \"{broker}\", to = \"{client}\""),
        2 | 3 => format!("from = \"{client}\", to = \"{broker}\""),
        _ => match scene.slave_of(&broker) {
            Some(slave) => format!("from = \"{slave}\", to = \"{broker}\""),
            None => format!("from = \"{broker}\", to = \"{}\"", scene.nameserver(pick)),
        },
    }
}

/// A policy of the persistence adversary; those that tear log and cursors apart twice as often.
fn keep(pick: &mut Pick) -> &'static str {
    pick.one(&[
        "lose-all-unsynced",
        "keep-all",
        "uniform",
        "uniform",
        "log-lost/json-kept",
        "log-lost/json-kept",
        "json-lost/log-kept",
        "json-lost/log-kept",
        "last-page-only",
        "even-pages-only",
        "header-kept/body-lost",
    ])
}

fn signed(pick: &mut Pick, most: u64) -> String {
    format!("{}{}ms", pick.one(&["", "-"]), pick.spread(10, most))
}
