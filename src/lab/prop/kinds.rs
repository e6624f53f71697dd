//! The kinds of fault that a plan draws from: a row for each verb of a `[[fault]]`, with its family, how far it goes, how long it
//! lasts and what it is told.
//!
//! Three verbs are no row: `resume`, `heal` and `end` end what another began, and every fault here ends by itself.

use crate::lab::prop::draw::{Draw, Scene};

/// What a fault is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// Processes of servers.
    Process,
    /// Roads between two nodes.
    Network,
    /// Processes of clients.
    Clients,
    /// The power of brokers' machines, and the machines themselves.
    Power,
    /// Disks of brokers.
    Disk,
    /// A handler that runs out of memory.
    Memory,
    /// Clocks.
    Clock,
    /// What operators do to servers.
    Operators,
}

/// How much of what is promised bears it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bears {
    /// All of it.
    Everything,
    /// What was forced to disk before it was acknowledged.
    Forced,
    /// Nothing but honesty.
    Honesty,
}

/// A row.
pub(super) struct Kind {
    /// The scenario's word.
    pub(super) verb: &'static str,
    pub(super) family: Family,
    pub(super) bears: Bears,
    /// The shortest and the longest, in milliseconds; none happens at once.
    pub(super) lasts: Option<(u64, u64)>,
    /// Its inline table.
    pub(super) body: fn(&mut Draw, &Scene<'_>) -> String,
}

const SHORT: Option<(u64, u64)> = Some((200, 8_000));
const AT_ONCE: Option<(u64, u64)> = None;

const fn row(
    (verb, family, bears): (&'static str, Family, Bears),
    lasts: Option<(u64, u64)>,
    body: fn(&mut Draw, &Scene<'_>) -> String,
) -> Kind {
    Kind { verb, family, bears, lasts, body }
}

use Bears::{Everything, Forced, Honesty};
use Family::{Clients, Clock, Disk, Memory, Network, Operators, Power, Process};

/// All of them, family by family, and in each the everyday ones first.
pub(super) const ALL: &[Kind] = &[
    row(("kill", Process, Everything), SHORT, |draw, scene| format!("node = \"{}\"", draw.server(scene))),
    row(("stop", Process, Everything), SHORT, |draw, scene| format!("node = \"{}\"", draw.server(scene))),
    row(("pause", Process, Everything), SHORT, |draw, scene| {
        let services = ["", "flush", "dispatch", "ha", "schedule", "heartbeat"];
        paused(&draw.broker(scene), draw.word(&services))
    }),
    row(("restart", Process, Everything), AT_ONCE, |draw, scene| format!("node = \"{}\"", draw.server(scene))),
    row(("slow-cpu", Process, Everything), SHORT, |draw, scene| {
        let task = draw.one(&["", "", ", task = \"send\"", ", task = \"pull\"", ", task = \"admin\""]);
        match *task {
            "" => format!("node = \"{}\", times = {}", draw.server(scene), draw.between((2, 500))),
            task => format!("node = \"{}\", times = {}{task}", draw.broker(scene), draw.between((40, 10_000))),
        }
    }),
    row(("cut", Network, Everything), SHORT, |draw, scene| {
        let one_way = draw.between((0, 2)) == 0;
        format!("{}, one-way = {one_way}", draw.ends(scene))
    }),
    row(("reset", Network, Everything), AT_ONCE, |draw, scene| {
        format!("{}, prefix = \"{}\"", draw.ends(scene), draw.word(&["uniform", "none", "all"]))
    }),
    row(("delay", Network, Everything), SHORT, |draw, scene| {
        format!("{}, by = \"{}ms\"", draw.ends(scene), draw.between((10, 2_000)))
    }),
    row(("latency", Network, Everything), SHORT, |draw, scene| {
        let shape = draw.one(&["shape = \"exponential\"", "shape = \"lognormal\"", "shape = \"bimodal\"", PARETO]);
        format!("{}, min = \"1ms\", mean = \"{}ms\", {shape}", draw.ends(scene), draw.between((5, 400)))
    }),
    row(("bandwidth", Network, Everything), SHORT, |draw, scene| {
        format!("{}, rate = {}, buffer = 65536", draw.ends(scene), draw.between((2_000, 1_000_000)))
    }),
    row(("stall", Network, Everything), SHORT, |draw, scene| {
        format!("{}, odds = \"1 in {}\"", draw.ends(scene), draw.between((4, 40)))
    }),
    row(("resets", Network, Everything), SHORT, |draw, scene| {
        format!("{}, every = \"{}ms\"", draw.ends(scene), draw.between((500, 8_000)))
    }),
    row(("half-open", Network, Everything), SHORT, |draw, scene| draw.ends(scene)),
    row(("partition", Network, Everything), SHORT, |draw, scene| match draw.between((0, 5)) {
        0 => format!("isolate = \"{}\"", draw.any(scene)),
        1 => format!("isolate = \"{}\", one-way = true", draw.any(scene)),
        2 => format!("side = [\"{}\", \"{}\"]", draw.broker(scene), draw.client(scene)),
        3 => format!("bridge = \"{}\"", draw.any(scene)),
        4 => "ring = true".to_owned(),
        _ => {
            let roles = ["brokers", "nameservers"];
            format!("role = \"clients\", other-role = \"{}\"", draw.word(&roles))
        }
    }),
    row(("flap", Network, Everything), AT_ONCE, |draw, scene| {
        let (down, up, cycles) = (draw.between((100, 2_000)), draw.between((100, 2_000)), draw.between((2, 4)));
        format!("{}, down = \"{down}ms\", up = \"{up}ms\", cycles = {cycles}", draw.ends(scene))
    }),
    row(("clog", Network, Everything), SHORT, |draw, scene| {
        let (odds, mean) = (draw.between((4, 50)), draw.between((100, 3_000)));
        format!("{}, odds = \"1 in {odds}\", mean = \"{mean}ms\"", draw.ends(scene))
    }),
    row(("swizzle", Network, Everything), SHORT, |draw, _| format!("every = \"{}ms\"", draw.between((100, 2_000)))),
    row(("refuse-connect", Network, Everything), SHORT, |draw, scene| {
        format!("{}, odds = \"1 in {}\"", draw.ends(scene), draw.between((1, 4)))
    }),
    row(("full-table", Network, Everything), SHORT, |draw, scene| {
        format!("to = \"{}\", room = {}", draw.broker(scene), draw.between((0, 4)))
    }),
    row(("port-exhaustion", Network, Everything), SHORT, |draw, scene| {
        format!("{}, ports = {}", draw.ends(scene), draw.between((0, 3)))
    }),
    row(("slow-accept", Network, Everything), SHORT, |draw, scene| {
        format!("{}, by = \"{}ms\"", draw.ends(scene), draw.between((10, 3_000)))
    }),
    row(("split-view", Network, Everything), SHORT, |draw, scene| {
        format!("broker = \"{}\", nameserver = \"{}\"", draw.broker(scene), draw.nameserver(scene))
    }),
    // TCP does not do that.
    row(("datagram", Network, Honesty), SHORT, |draw, scene| {
        format!("{}, drop = \"1 in {}\", twice = \"1 in 20\", window = 4", draw.ends(scene), draw.between((10, 50)))
    }),
    row(("kill", Clients, Everything), SHORT, |draw, scene| format!("node = \"{}\"", draw.client(scene))),
    row(("stop", Clients, Everything), SHORT, |draw, scene| format!("node = \"{}\"", draw.client(scene))),
    row(("pause", Clients, Everything), SHORT, |draw, scene| {
        paused(&draw.client(scene), draw.word(&["", "", "rebalance", "heartbeat", "listener-pool"]))
    }),
    row(("restart", Clients, Everything), AT_ONCE, |draw, scene| format!("node = \"{}\"", draw.client(scene))),
    row(("slow-cpu", Clients, Everything), SHORT, |draw, scene| {
        format!("node = \"{}\", times = {}", draw.client(scene), draw.between((2, 500)))
    }),
    row(("power-loss", Power, Forced), SHORT, |draw, scene| {
        format!("node = \"{}\", keep = \"{}\"", draw.broker(scene), keep(draw))
    }),
    row(("rack-loss", Power, Forced), SHORT, |draw, _| {
        format!("within = \"{}ms\", keep = \"{}\"", draw.between((10, 1_500)), keep(draw))
    }),
    row(("replace", Power, Honesty), SHORT, |draw, scene| format!("node = \"{}\"", draw.broker(scene))),
    row(("restore", Power, Honesty), AT_ONCE, |draw, scene| {
        format!("node = \"{}\", age = \"{}ms\"", draw.broker(scene), draw.between((1_000, 5_000)))
    }),
    row(("swap-disks", Power, Honesty), AT_ONCE, |draw, scene| {
        let one = draw.broker(scene);
        match scene.brokers.iter().find(|other| **other != one) {
            Some(other) => format!("one = \"{one}\", other = \"{other}\""),
            None => String::new(),
        }
    }),
    row(("twin", Power, Honesty), SHORT, |draw, scene| format!("node = \"{}\"", draw.master(scene))),
    row(("slow-sync", Disk, Everything), SHORT, |draw, scene| {
        format!("node = \"{}\", by = \"{}ms\"", draw.broker(scene), draw.between((50, 7_000)))
    }),
    row(("slow-disk", Disk, Everything), SHORT, |draw, scene| {
        format!("node = \"{}\", times = {}", draw.broker(scene), draw.between((10, 1_000)))
    }),
    row(("hung-disk", Disk, Everything), SHORT, |draw, scene| format!("node = \"{}\"", draw.broker(scene))),
    row(("disk-full", Disk, Honesty), SHORT, |draw, scene| format!("node = \"{}\"", draw.broker(scene))),
    row(("io-error", Disk, Honesty), SHORT, |draw, scene| {
        let on = draw.word(&["write", "read"]);
        format!("node = \"{}\", on = \"{on}\", nth = {}", draw.broker(scene), draw.between((1, 10)))
    }),
    row(("map-error", Disk, Honesty), SHORT, |draw, scene| {
        let on = draw.word(&["store", "load"]);
        format!("node = \"{}\", on = \"{on}\", nth = {}", draw.broker(scene), draw.between((1, 40)))
    }),
    row(("sync-error", Disk, Honesty), SHORT, |draw, scene| {
        let system = draw.word(&["ext4-ordered", "ext4-journal", "xfs", "btrfs"]);
        format!("node = \"{}\", file = \"commitlog\", nth = 1, personality = \"{system}\"", draw.broker(scene))
    }),
    row(("bit-flip", Disk, Honesty), AT_ONCE, |draw, scene| {
        let field = draw.word(&["body", "size", "magic", "crc", "queue-offset", "topic", "properties", "queue-entry"]);
        format!("node = \"{}\", field = \"{field}\"", draw.master(scene))
    }),
    row(("read-flip", Disk, Honesty), SHORT, |draw, scene| {
        format!("node = \"{}\", nth = {}", draw.broker(scene), draw.between((1, 40)))
    }),
    row(("misdirected", Disk, Honesty), SHORT, |draw, scene| {
        format!("node = \"{}\", on = \"write\", nth = {}", draw.broker(scene), draw.between((1, 4)))
    }),
    row(("lost-write", Disk, Honesty), SHORT, |draw, scene| {
        format!("node = \"{}\", nth = {}", draw.broker(scene), draw.between((1, 4)))
    }),
    row(("bad-sector", Disk, Honesty), SHORT, |draw, scene| {
        format!("node = \"{}\", file = \"commitlog/last\", len = 4096", draw.broker(scene))
    }),
    row(("truncate", Disk, Honesty), AT_ONCE, |draw, scene| {
        let file = draw.word(&["config/consumerOffset.json", "config/topics.json", "checkpoint"]);
        format!("node = \"{}\", file = \"{file}\", to = 0", draw.broker(scene))
    }),
    row(("stale-page", Disk, Honesty), AT_ONCE, |draw, scene| {
        format!("node = \"{}\", file = \"commitlog/last\"", draw.broker(scene))
    }),
    row(("refuse", Disk, Honesty), SHORT, |draw, scene| {
        let on = draw.word(&["open", "map", "lock"]);
        format!("node = \"{}\", on = \"{on}\", nth = 1", draw.broker(scene))
    }),
    row(("crash", Memory, Everything), SHORT, |draw, scene| {
        format!("node = \"{}\", effects = {}", draw.any(scene), draw.between((1, 300)))
    }),
    row(("clock-skew", Clock, Everything), SHORT, |draw, scene| {
        format!("node = \"{}\", by = \"{}\"", draw.any(scene), draw.signed(60_000))
    }),
    row(("clock-offset", Clock, Everything), SHORT, |draw, scene| {
        format!("node = \"{}\", by = \"{}\"", draw.any(scene), draw.signed(5_000))
    }),
    row(("clock-drift", Clock, Everything), SHORT, |draw, scene| {
        format!("node = \"{}\", millionths = {}", draw.any(scene), draw.between((100, 50_000)))
    }),
    row(("clock-freeze", Clock, Everything), AT_ONCE, |draw, scene| {
        format!("node = \"{}\", span = \"{}ms\"", draw.any(scene), draw.between((500, 5_000)))
    }),
    row(("clock-coarse", Clock, Everything), SHORT, |draw, scene| {
        format!("node = \"{}\", to = \"{}ms\"", draw.any(scene), draw.between((10, 1_000)))
    }),
    row(("clock-diverge", Clock, Everything), AT_ONCE, |draw, scene| {
        format!("node = \"{}\", by = \"{}ms\"", draw.any(scene), draw.between((500, 8_000)))
    }),
    row(("rolling-restart", Operators, Everything), AT_ONCE, |_, _| "every = \"2s\", down = \"1s\"".to_owned()),
    row(("reconfigure", Operators, Everything), AT_ONCE, |draw, scene| {
        let change = draw.word(&["flushDiskType=SYNC_FLUSH", "sendMessageThreadPoolNums=4", "longPollingEnable=false"]);
        format!("node = \"{}\", properties = \"{change}\"", draw.broker(scene))
    }),
];

/// Every verb that can be drawn, each once.
pub(super) fn verbs() -> impl Iterator<Item = &'static str> {
    let is_first = |(at, kind): &(usize, &Kind)| ALL[..*at].iter().all(|before| before.verb != kind.verb);
    ALL.iter().enumerate().filter(is_first).map(|(_, kind)| kind.verb)
}

const PARETO: &str = "shape = \"pareto\", alpha = 1.5";

fn paused(node: &str, service: &str) -> String {
    match service {
        "" => format!("node = \"{node}\""),
        service => format!("node = \"{node}\", service = \"{service}\""),
    }
}

/// A policy of the persistence adversary.
fn keep(draw: &mut Draw) -> &'static str {
    draw.word(&[
        "lose-all-unsynced",
        "keep-all",
        "uniform",
        "log-lost/json-kept",
        "json-lost/log-kept",
        "last-page-only",
        "even-pages-only",
        "header-kept/body-lost",
    ])
}
