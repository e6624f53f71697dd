//! Each kind of fault, and what it does to a shop with two brokers: one row a kind, two where its forms differ.

use mqlab::lab::fault::device::Wrong;
use mqlab::lab::fault::episode::FaultKind;
use mqlab::lab::fault::process::{ClockWrong, Service, Task};
use mqlab::lab::fault::road::{Prefix, RoadWrong, Shape, Split};

/// A fault and what comes of it.
pub struct Row {
    /// As [`id`] gives it.
    pub id: &'static str,
    /// The fault's table, named `sick`.
    pub fault: &'static str,
    /// Faults of both runs, the one with `sick` and the one without.
    pub others: &'static str,
    /// Records that only the run with the fault has: a kind, and a part of what it says.
    pub seen: &'static [(&'static str, &'static str)],
    /// Nothing is left to end: what it does is done at once.
    pub once: bool,
}

/// The row of a kind. Whoever adds a kind adds its row, or this does not compile.
pub fn id(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Kill { .. } => "kill",
        FaultKind::PowerLoss { .. } => "power-loss",
        FaultKind::Restart { .. } => "restart",
        FaultKind::Stop { .. } => "stop",
        FaultKind::Pause { .. } => "pause",
        FaultKind::Resume { .. } => "resume",
        FaultKind::Cut { both: true, .. } => "cut",
        FaultKind::Cut { both: false, .. } => "cut one way",
        FaultKind::Heal { .. } => "heal",
        FaultKind::Reset { prefix: Prefix::None, .. } => "reset none",
        FaultKind::Reset { prefix: Prefix::Uniform, .. } => "reset uniform",
        FaultKind::Reset { prefix: Prefix::All, .. } => "reset all",
        FaultKind::Resets { .. } => "resets",
        FaultKind::Delay { .. } => "delay",
        FaultKind::Road { wrong, .. } => id_of_road(wrong),
        FaultKind::Partition { both: false, .. } => "partition one way",
        FaultKind::Partition { split, .. } => match split {
            Split::Isolate(_) => "isolate",
            Split::Halves(nodes) if nodes.is_empty() => "halves drawn",
            Split::Halves(_) => "halves",
            Split::Bridge(_) => "bridge",
            Split::Ring => "ring",
            Split::Roles(..) => "roles",
        },
        FaultKind::Flap { .. } => "flap",
        FaultKind::Swizzle { .. } => "swizzle",
        FaultKind::SplitView { .. } => "split-view",
        FaultKind::End { .. } => "end",
        FaultKind::PauseService { service, .. } => match service {
            Service::Flush => "pause flush",
            Service::Dispatch => "pause dispatch",
            Service::Ha => "pause ha",
            Service::Schedule => "pause schedule",
            Service::Rebalance => "pause rebalance",
            Service::Heartbeat => "pause heartbeat",
            Service::ListenerPool => "pause listener-pool",
        },
        FaultKind::SlowCpu { task, .. } => match task {
            None => "slow-cpu",
            Some(Task::Send) => "slow-cpu of sends",
            Some(Task::Pull) => "slow-cpu of pulls",
            Some(Task::Admin) => "slow-cpu of the rest",
            Some(Task::Route) => "slow-cpu of routes",
        },
        FaultKind::Crash { .. } => "crash",
        FaultKind::RackLoss { .. } => "rack-loss",
        FaultKind::Replace { .. } => "replace",
        FaultKind::Reconfigure { .. } => "reconfigure",
        FaultKind::Rolling { .. } => "rolling-restart",
        FaultKind::Restore { .. } => "restore",
        FaultKind::SwapDisks { .. } => "swap-disks",
        FaultKind::Twin { .. } => "twin",
        FaultKind::Clock { wrong, .. } => match wrong {
            ClockWrong::Offset { .. } => "clock-offset",
            ClockWrong::Drift { .. } => "clock-drift",
            ClockWrong::Freeze { .. } => "clock-freeze",
            ClockWrong::Coarse { .. } => "clock-coarse",
            ClockWrong::Diverge { .. } => "clock-diverge",
        },
        FaultKind::ClockStep { .. } => "clock-step",
        FaultKind::Disk { wrong, .. } => id_of_disk(wrong),
    }
}

fn id_of_road(wrong: &RoadWrong) -> &'static str {
    match wrong {
        RoadWrong::Latency(spread) => match spread.shape {
            Shape::Exponential => "latency exponential",
            Shape::LogNormal => "latency lognormal",
            Shape::Bimodal => "latency bimodal",
            Shape::Pareto { .. } => "latency pareto",
        },
        RoadWrong::Bandwidth { .. } => "bandwidth",
        RoadWrong::Stall { .. } => "stall",
        RoadWrong::Datagram { .. } => "datagram",
        RoadWrong::HalfOpen => "half-open",
        RoadWrong::Clog { .. } => "clog",
        RoadWrong::RefuseConnect { .. } => "refuse-connect",
        RoadWrong::FullTable { .. } => "full-table",
        RoadWrong::PortExhaustion { .. } => "port-exhaustion",
        RoadWrong::SlowAccept { .. } => "slow-accept",
    }
}

/// What each does to the engine stands in tests/it/device/cases.rs.
fn id_of_disk(wrong: &Wrong) -> &'static str {
    match wrong {
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

/// How many ids [`id`] gives.
pub const KINDS: usize = 79;

const NOTHING: Row = Row { id: "", fault: "", others: "", seen: &[], once: false };

/// Broker a is back at once, so that connections are opened while the fault is there.
const AGAIN: &str = "[[fault]]\nat = \"4s\"\nrestart = { node = \"broker-a\" }\n";

/// Broker a is back when the fault is over.
const BACK: &str = "[[fault]]\nat = \"9s\"\nrestart = { node = \"broker-a\" }\n";

pub const ROWS: &[Row] = &[
    Row {
        id: "kill",
        // At a mark, inside the step: nothing of the put's step after it happens.
        fault: "at = \"before:nth(5):append@broker-a\"\nlasts = \"5s\"\nkill = { node = \"broker-a\" }",
        seen: &[("killed", "")],
        ..NOTHING
    },
    Row {
        id: "power-loss",
        fault: "at = \"3s\"\nlasts = \"5s\"\npower-loss = { node = \"broker-a\", keep = \"uniform\" }",
        seen: &[("power-lost", ""), ("dropped", "no power")],
        ..NOTHING
    },
    Row {
        id: "restart",
        fault: "at = \"3s\"\nrestart = { node = \"broker-a\" }",
        seen: &[("killed", "")],
        once: true,
        ..NOTHING
    },
    Row {
        id: "stop",
        fault: "at = \"3s\"\nlasts = \"5s\"\nstop = { node = \"broker-a\" }",
        seen: &[("stop-asked", ""), ("exited", "")],
        ..NOTHING
    },
    Row {
        id: "pause",
        fault: "at = \"3s\"\nlasts = \"5s\"\npause = { node = \"broker-a\" }",
        seen: &[("paused", ""), ("resumed", "")],
        ..NOTHING
    },
    Row {
        id: "resume",
        fault: "at = \"5s\"\nresume = { node = \"broker-a\" }",
        others: "[[fault]]\nat = \"3s\"\nlasts = \"20s\"\npause = { node = \"broker-a\" }\n",
        once: true,
        ..NOTHING
    },
    Row {
        id: "cut",
        fault: "at = \"3s\"\nlasts = \"5s\"\ncut = { from = \"shop\", to = \"broker-a\" }",
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "cut one way",
        fault: "at = \"3s\"\nlasts = \"5s\"\ncut = { from = \"broker-a\", to = \"shop\", one-way = true }",
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "heal",
        fault: "at = \"5s\"\nheal = { from = \"shop\" }",
        others: "[[fault]]\nname = \"cut\"\nat = \"3s\"\nlasts = \"30s\"\ncut = { from = \"shop\" }\n",
        once: true,
        ..NOTHING
    },
    Row {
        id: "end",
        fault: "at = \"5s\"\nend = { fault = \"cut\" }",
        others: "[[fault]]\nname = \"cut\"\nat = \"3s\"\nlasts = \"30s\"\ncut = { from = \"shop\" }\n",
        once: true,
        ..NOTHING
    },
    Row {
        id: "reset none",
        fault: "at = \"3s\"\nreset = { from = \"shop\", to = \"broker-a\", prefix = \"none\" }",
        seen: &[("closed", "Reset"), ("rolled", "reset/")],
        once: true,
        ..NOTHING
    },
    Row {
        id: "reset uniform",
        fault: "at = \"3s\"\nreset = { from = \"shop\" }",
        seen: &[("closed", "Reset"), ("rolled", "reset/")],
        once: true,
        ..NOTHING
    },
    Row {
        id: "reset all",
        fault: "at = \"3s\"\nreset = { prefix = \"all\" }",
        seen: &[("closed", "Reset"), ("rolled", "reset/")],
        once: true,
        ..NOTHING
    },
    Row {
        id: "resets",
        fault: "at = \"3s\"\nlasts = \"8s\"\nresets = { from = \"shop\", every = \"1s\" }",
        seen: &[("closed", "Reset"), ("rolled", "fault/resets/shop <-> *")],
        ..NOTHING
    },
    Row { id: "delay", fault: "at = \"3s\"\nlasts = \"5s\"\ndelay = { from = \"shop\", by = \"150ms\" }", ..NOTHING },
    Row {
        id: "latency exponential",
        fault: "at = \"3s\"\nlasts = \"5s\"\nlatency = { from = \"shop\", mean = \"30ms\" }",
        seen: &[("rolled", "fault/latency/")],
        ..NOTHING
    },
    Row {
        id: "latency lognormal",
        fault: "at = \"3s\"\nlasts = \"5s\"\nlatency = { to = \"shop\", mean = \"30ms\", shape = \"lognormal\" }",
        seen: &[("rolled", "fault/latency/")],
        ..NOTHING
    },
    Row {
        id: "latency bimodal",
        fault: "at = \"3s\"\nlasts = \"5s\"\n\
                latency = { to = \"shop\", one-way = true, mean = \"30ms\", shape = \"bimodal\" }",
        seen: &[("rolled", "fault/latency/broker-")],
        ..NOTHING
    },
    Row {
        id: "latency pareto",
        fault: "at = \"3s\"\nlasts = \"5s\"\nlatency = { mean = \"5ms\", shape = \"pareto\", alpha = 1.2 }",
        seen: &[("rolled", "fault/latency/")],
        ..NOTHING
    },
    Row {
        id: "bandwidth",
        fault: "at = \"3s\"\nlasts = \"5s\"\nbandwidth = { rate = 4000, buffer = 1024 }",
        seen: &[("road-held", ""), ("drained", "")],
        ..NOTHING
    },
    Row {
        id: "stall",
        fault: "at = \"3s\"\nlasts = \"5s\"\nstall = { from = \"shop\", odds = \"1 in 4\" }",
        seen: &[("road-held", ""), ("rolled", "fault/stall/")],
        ..NOTHING
    },
    Row {
        id: "datagram",
        fault: "at = \"3s\"\nlasts = \"5s\"\ndatagram = { from = \"shop\", drop = \"1 in 5\", twice = \"1 in 5\" }",
        seen: &[("dropped", "not reachable over TCP"), ("rolled", "fault/datagram/")],
        ..NOTHING
    },
    Row {
        id: "half-open",
        fault: "at = \"3500ms\"\nlasts = \"20s\"\nhalf-open = { from = \"broker-a\", to = \"shop\" }",
        others: AGAIN,
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "clog",
        fault: "at = \"3s\"\nlasts = \"5s\"\nclog = { odds = \"1 in 10\", mean = \"500ms\" }",
        seen: &[("road-held", ""), ("rolled", "fault/clog/")],
        ..NOTHING
    },
    Row {
        id: "refuse-connect",
        fault: "at = \"3s\"\nlasts = \"5s\"\nrefuse-connect = { to = \"broker-a\", odds = \"1 in 2\" }",
        others: AGAIN,
        seen: &[("refused", "Refused"), ("rolled", "fault/refuse-connect/")],
        ..NOTHING
    },
    Row {
        id: "full-table",
        fault: "at = \"3s\"\nlasts = \"5s\"\nfull-table = { to = \"broker-a\", room = 2 }",
        others: AGAIN,
        seen: &[("refused", "Refused")],
        ..NOTHING
    },
    Row {
        id: "port-exhaustion",
        fault: "at = \"3s\"\nlasts = \"5s\"\nport-exhaustion = { from = \"shop\", to = \"broker-a\", ports = 0 }",
        others: AGAIN,
        seen: &[("refused", "Refused")],
        ..NOTHING
    },
    Row {
        id: "slow-accept",
        fault: "at = \"3s\"\nlasts = \"5s\"\nslow-accept = { to = \"broker-a\", by = \"1s..2s\" }",
        others: AGAIN,
        seen: &[("road-held", ""), ("rolled", "fault/slow-accept/")],
        ..NOTHING
    },
    Row {
        id: "isolate",
        fault: "at = \"3s\"\nlasts = \"5s\"\npartition = { isolate = \"broker-a\" }",
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "partition one way",
        fault: "at = \"3s\"\nlasts = \"5s\"\npartition = { isolate = \"broker-a\", one-way = true }",
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "halves",
        fault: "at = \"3s\"\nlasts = \"5s\"\npartition = { side = [\"shop\", \"ns-1\", \"broker-b\"] }",
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "halves drawn",
        fault: "at = \"3s\"\nlasts = \"5s\"\npartition = { side = [] }",
        seen: &[("road-held", ""), ("rolled", "fault/partition/halves")],
        ..NOTHING
    },
    Row {
        id: "bridge",
        fault: "at = \"3s\"\nlasts = \"5s\"\npartition = { bridge = \"ns-1\" }",
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "ring",
        fault: "at = \"3s\"\nlasts = \"5s\"\npartition = { ring = true }",
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "roles",
        fault: "at = \"3s\"\nlasts = \"5s\"\npartition = { role = \"clients\", other-role = \"brokers\" }",
        seen: &[("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "flap",
        fault: "at = \"3s\"\nflap = { from = \"shop\", to = \"broker-a\", down = \"400ms\", up = \"600ms\", cycles = 4 }",
        seen: &[("road-held", ""), ("rolled", "fault/flap/shop <-> broker-a")],
        ..NOTHING
    },
    Row {
        id: "swizzle",
        fault: "at = \"3s\"\nswizzle = { every = \"500ms\" }",
        seen: &[("road-held", ""), ("rolled", "fault/swizzle/*")],
        ..NOTHING
    },
    Row {
        id: "split-view",
        fault: "at = \"3s\"\nlasts = \"20s\"\nsplit-view = { broker = \"broker-a\", nameserver = \"ns-1\" }",
        seen: &[("closed", "Reset"), ("broker-dropped", "")],
        ..NOTHING
    },
    Row {
        id: "pause flush",
        fault: "at = \"3s\"\nlasts = \"6s\"\npause = { node = \"broker-a\", service = \"flush\" }",
        seen: &[("service-paused", "flush"), ("service-resumed", "flush")],
        ..NOTHING
    },
    Row {
        id: "pause dispatch",
        fault: "at = \"3s\"\npause = { node = \"broker-a\", service = \"dispatch\" }",
        seen: &[("service-paused", "dispatch"), ("service-resumed", "dispatch")],
        ..NOTHING
    },
    Row {
        id: "pause ha",
        fault: "at = \"10s\"\nlasts = \"20s\"\npause = { node = \"broker-a-slave\", service = \"ha\" }",
        others: "[[broker]]\nname = \"broker-a-slave\"\nrole = \"slave\"\nof = \"broker-a\"\n",
        seen: &[("service-paused", "ha"), ("service-resumed", "ha"), ("road-held", "")],
        ..NOTHING
    },
    Row {
        id: "pause schedule",
        fault: "at = \"3s\"\nlasts = \"5s\"\npause = { node = \"*\", service = \"schedule\" }",
        seen: &[("service-paused", "schedule"), ("service-resumed", "schedule")],
        ..NOTHING
    },
    Row {
        id: "pause rebalance",
        fault: "at = \"15s\"\nlasts = \"20s\"\npause = { node = \"billing\", service = \"rebalance\" }",
        seen: &[("service-paused", "rebalance"), ("service-resumed", "rebalance")],
        ..NOTHING
    },
    Row {
        id: "pause heartbeat",
        fault: "at = \"3s\"\nlasts = \"50s\"\npause = { node = \"billing\", service = \"heartbeat\" }",
        seen: &[("service-paused", "heartbeat"), ("service-resumed", "heartbeat")],
        ..NOTHING
    },
    Row {
        id: "pause listener-pool",
        fault: "at = \"3s\"\nlasts = \"5s\"\npause = { node = \"billing\", service = \"listener-pool\" }",
        seen: &[("service-paused", "listener-pool"), ("service-resumed", "listener-pool")],
        ..NOTHING
    },
    Row {
        id: "slow-cpu",
        fault: "at = \"3s\"\nlasts = \"5s\"\nslow-cpu = { node = \"broker-a\", times = 1000 }",
        ..NOTHING
    },
    Row {
        id: "slow-cpu of sends",
        fault: "at = \"3s\"\nlasts = \"5s\"\nslow-cpu = { node = \"broker-a\", times = 20000, task = \"send\" }",
        ..NOTHING
    },
    Row {
        id: "slow-cpu of pulls",
        fault: "at = \"3s\"\nlasts = \"5s\"\nslow-cpu = { node = \"broker-a\", times = 20000, task = \"pull\" }",
        ..NOTHING
    },
    Row {
        id: "slow-cpu of the rest",
        fault: "at = \"3s\"\nlasts = \"5s\"\nslow-cpu = { node = \"broker-a\", times = 20000, task = \"admin\" }",
        ..NOTHING
    },
    Row {
        id: "slow-cpu of routes",
        fault: "at = \"3s\"\nlasts = \"35s\"\nslow-cpu = { node = \"ns-1\", times = 20000, task = \"route\" }",
        ..NOTHING
    },
    Row {
        id: "crash",
        fault: "at = \"3s\"\nlasts = \"8s\"\ncrash = { node = \"broker-a\", odds = \"1 in 200\" }",
        seen: &[("killed", ""), ("rolled", "fault/crash/broker-a")],
        ..NOTHING
    },
    Row {
        id: "rack-loss",
        fault: "at = \"3s\"\nlasts = \"5s\"\nrack-loss = { within = \"500ms\" }",
        seen: &[("power-lost", ""), ("rolled", "fault/rack-loss/broker-a broker-b")],
        ..NOTHING
    },
    Row {
        id: "replace",
        fault: "at = \"3s\"\nlasts = \"5s\"\nreplace = { node = \"broker-a\" }",
        seen: &[("power-lost", ""), ("disk-replaced", "an empty one")],
        ..NOTHING
    },
    Row {
        id: "reconfigure",
        fault: "at = \"3s\"\nlasts = \"5s\"\n\
                reconfigure = { node = \"broker-a\", properties = \"flushDiskType=ASYNC_FLUSH\" }",
        seen: &[("killed", "")],
        ..NOTHING
    },
    Row {
        id: "rolling-restart",
        fault: "at = \"3s\"\nrolling-restart = { every = \"4s\", down = \"2s\" }",
        seen: &[("killed", "")],
        ..NOTHING
    },
    Row {
        id: "restore",
        fault: "at = \"3s\"\nrestore = { node = \"broker-a\", age = \"3s\" }",
        seen: &[("killed", ""), ("disk-replaced", "an old snapshot")],
        once: true,
        ..NOTHING
    },
    Row {
        id: "swap-disks",
        fault: "at = \"3s\"\nlasts = \"5s\"\nswap-disks = { one = \"broker-a\", other = \"broker-b\" }",
        seen: &[("killed", ""), ("disk-replaced", "another machine's")],
        ..NOTHING
    },
    Row {
        id: "twin",
        fault: "at = \"3s\"\nlasts = \"20s\"\ntwin = { node = \"broker-a\" }",
        seen: &[("broker-registered", "10.0.102.")],
        ..NOTHING
    },
    Row {
        id: "clock-offset",
        fault: "at = \"0s\"\nlasts = \"20s\"\nclock-offset = { node = \"broker-a\", by = \"-3s\" }",
        seen: &[("wall-stepped", "-3000")],
        ..NOTHING
    },
    Row {
        id: "clock-drift",
        fault: "at = \"1s\"\nlasts = \"20s\"\nclock-drift = { node = \"broker-a\", millionths = 50000 }",
        seen: &[("clock-bent", "50000"), ("wall-stepped", "-1000")],
        ..NOTHING
    },
    Row {
        id: "clock-freeze",
        fault: "at = \"3s\"\nclock-freeze = { node = \"broker-a\", span = \"2s\" }",
        seen: &[("clock-bent", "-1000000"), ("clock-bent", "rate: 1000000"), ("clock-bent", "rate: 0")],
        ..NOTHING
    },
    Row {
        id: "clock-coarse",
        fault: "at = \"3s\"\nlasts = \"20s\"\nclock-coarse = { node = \"broker-a\", to = \"1s\" }",
        seen: &[("clock-bent", "")],
        ..NOTHING
    },
    Row {
        id: "clock-diverge",
        fault: "at = \"3s\"\nlasts = \"5s\"\nclock-diverge = { node = \"broker-a\" }",
        seen: &[("clock-bent", "")],
        ..NOTHING
    },
    Row {
        id: "clock-step",
        fault: "at = \"3s\"\nlasts = \"5s\"\nclock-skew = { node = \"broker-a\", by = \"10s\" }",
        seen: &[("wall-stepped", "10000")],
        ..NOTHING
    },
    Row {
        id: "disk-full",
        fault: "at = \"3s\"\nlasts = \"5s\"\ndisk-full = { node = \"broker-a\", capacity = 4096, shows = \"touch\" }",
        others: BACK,
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "io-error",
        fault: "at = \"3s\"\nlasts = \"20s\"\nio-error = { node = \"broker-a\", file = \"config\", sticky = true }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "map-error",
        fault: "at = \"3s\"\nlasts = \"5s\"\nmap-error = { node = \"broker-a\", file = \"commitlog\", on = \"store\", nth = 5 }",
        others: BACK,
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "sync-error",
        fault: "at = \"3s\"\nlasts = \"5s\"\nsync-error = { node = \"broker-a\", file = \"commitlog\", nth = 3 }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "slow-sync",
        fault: "at = \"3s\"\nlasts = \"5s\"\nslow-sync = { node = \"broker-a\", by = \"100ms\" }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "slow-disk",
        fault: "at = \"3s\"\nlasts = \"5s\"\nslow-disk = { node = \"broker-a\" }",
        seen: &[],
        ..NOTHING
    },
    Row {
        id: "hung-disk",
        fault: "at = \"3s\"\nlasts = \"5s\"\nhung-disk = { node = \"broker-a\" }",
        seen: &[],
        ..NOTHING
    },
    Row {
        id: "bit-flip",
        fault: "at = \"3s\"\nlasts = \"5s\"\nbit-flip = { node = \"broker-a\", field = \"json\" }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "read-flip",
        fault: "at = \"3s\"\nlasts = \"5s\"\nread-flip = { node = \"broker-a\", file = \"consumequeue\", nth = 1 }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "misdirected",
        fault: "at = \"3s\"\nlasts = \"5s\"\nmisdirected = { node = \"broker-a\", file = \"commitlog\", pages = -1 }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "lost-write",
        fault: "at = \"3s\"\nlasts = \"5s\"\nlost-write = { node = \"broker-a\", file = \"commitlog\" }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "bad-sector",
        fault: "at = \"3s\"\nlasts = \"5s\"\nbad-sector = { node = \"broker-a\", file = \"commitlog\" }",
        others: BACK,
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "truncate",
        fault: "at = \"3s\"\nlasts = \"5s\"\ntruncate = { node = \"broker-a\", file = \"config/topics.json\", to = 5 }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "stale-page",
        fault: "at = \"3s\"\nlasts = \"5s\"\nstale-page = { node = \"broker-a\", file = \"commitlog/last\", stores = 2 }",
        seen: &[("disk-fault", "")],
        ..NOTHING
    },
    Row {
        id: "refuse",
        fault: "at = \"3s\"\nlasts = \"5s\"\nrefuse = { node = \"broker-a\", on = \"lock\" }",
        others: "[[fault]]\nat = \"4s\"\nrestart = { node = \"broker-a\" }\n\
                 [[fault]]\nat = \"9s\"\nrestart = { node = \"broker-a\" }\n",
        seen: &[("boot-failed", "")],
        ..NOTHING
    },
];
