//! How fast the lab is, each figure beside its bare limit in the same run: the only room that reads the machine's clock.
//!
//! The toys are nodes like any other; the limit is the same number of entries on a bare heap of time, sequence and index.
//! Rounds of workload and limit alternate, the first is dropped, medians are printed: other work on the machine disturbs
//! both alike. Every round must give the same digest.

pub mod toys;

mod append;

mod broker;

mod cluster;

mod limit;

mod mini;

mod ping;

mod serve;

mod startup;

mod stopwatch;

mod store;

pub mod tui;

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::bench::stopwatch::Stopwatch;
use crate::lab::sim::world::World;
use crate::lab::trace::digest::Digest;

/// What `mqlab bench --format json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// One entry a workload, in the order run.
    pub workloads: Vec<Workload>,
    /// What the player takes, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tui: Option<tui::Tui>,
}

/// One workload's figures.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// What it is judged by: `packets`, `messages`, `runs` or `bytes`.
    pub unit: &'static str,
    /// Units a second, the median of the rounds.
    pub per_s: f64,
    /// Units a second of the bare limit, the median of the rounds.
    pub limit_per_s: f64,
    /// `per_s / limit_per_s`.
    pub ratio: f64,
    /// Steps of one round (in `ping` just its packets).
    pub events: u64,
    /// Messages of one round.
    pub messages: u64,
    /// Simulations of one round.
    pub runs: u64,
    /// The median round's length.
    pub wall_ns: u64,
    /// Events a second.
    pub events_per_s: f64,
    /// Messages a second.
    pub messages_per_s: f64,
    /// Simulations a second.
    pub runs_per_s: f64,
    /// Virtual time of one round.
    pub virtual_ns: u64,
    /// What all rounds folded to.
    pub digest: String,
    /// The process's highest memory so far.
    pub peak_rss_bytes: u64,
    /// Units a second of the fastest round: what the machine can do when nothing else runs.
    pub best_per_s: f64,
    /// The mean round trip in virtual time, where the workload has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_trip_ns: Option<u64>,
    /// The mean round trip that the latency asked for gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_trip_asked_ns: Option<u64>,
    /// Of the median round, the share that the checkers took, where the workload is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkers_share: Option<f64>,
    /// What it takes to force to the device what one round wrote, where the workload writes files: the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flush_ns: Option<u64>,
    /// Memory in use after 1,000 simulations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_after_1000_bytes: Option<u64>,
    /// Memory in use after 10,000 simulations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_after_10000_bytes: Option<u64>,
}

/// What one round of a workload did.
#[derive(Default)]
pub(crate) struct Round {
    pub(crate) events: u64,
    pub(crate) messages: u64,
    pub(crate) runs: u64,
    pub(crate) virtual_ns: u64,
    pub(crate) digest: Digest,
    /// Agenda entries filed, dead ones included, and the most that were pending.
    pub(crate) load: Load,
    pub(crate) round_trip_ns: Option<u64>,
    /// How long judging it took, if it was judged.
    pub(crate) judged_ns: Option<u64>,
    /// The world at the end, which the runner drops when the watch has stopped.
    pub(crate) world: Option<Box<World>>,
}

/// The agenda's load of a round: what its limit has to do on a bare heap.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    pub(crate) filed: u64,
    pub(crate) pending: usize,
    /// In how many heaps, one after another.
    pub(crate) heaps: u64,
}

/// A workload as the runner sees it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) round: fn() -> Round,
    /// Units of one round.
    pub(crate) units: fn(&Round) -> u64,
    pub(crate) round_trip_asked_ns: Option<u64>,
}

/// Rounds of which the median is taken, after one that is dropped.
const ROUNDS: usize = 7;

/// The names one may ask for; `append` and `store` stand for both of their sizes.
pub const NAMES: [&str; 14] = [
    "ping",
    "mini",
    "broker",
    "cluster",
    "startup",
    "append",
    "append-128",
    "append-1024",
    "store",
    "store-128",
    "store-1024",
    "recovery",
    "serve",
    "tui",
];

/// Virtual seconds of the long runs in the player: a hundred thousand events, and a million.
const LONG_RUNS: [u64; 2] = [350, 3_500];

/// Runs one workload, or all of them. A name that is none gives an empty report.
pub fn run(name: Option<&str>) -> Report {
    let wanted = |case: &&Case| name.is_none_or(|name| name == case.name);
    let cases = [ping::CASE, mini::CASE, broker::CASE, cluster::CASE, startup::CASE];
    let mut workloads: Vec<Workload> = cases.iter().filter(wanted).map(measure).collect();
    let asked = |all: &str, one: &str| name.is_none_or(|name| name == all || name == one);
    let sizes = append::SIZES.iter().filter(|(size, _)| asked("append", size));
    workloads.extend(sizes.map(|(name, body)| append::measure(name, *body)));
    let sizes = store::SIZES.iter().filter(|(size, _)| asked("store", size));
    workloads.extend(sizes.map(|(name, body)| store::measure(name, *body)));
    if asked("recovery", "recovery") {
        workloads.push(store::measure_recovery());
    }
    // Not among all: it opens ports.
    if name == Some(serve::NAME) {
        workloads.push(serve::measure());
    }
    // Not among all: its runs are kept whole, and the memory of what is measured with them would be theirs.
    let tui = (name == Some("tui")).then(|| tui::measure(usize::MAX, &LONG_RUNS));
    Report { workloads, tui }
}

fn measure(case: &Case) -> Workload {
    let (mut ours, mut bare, mut judged) = (Vec::new(), Vec::new(), Vec::new());
    let first = (case.round)();
    limit::run(first.load);
    for _ in 0..ROUNDS {
        let watch = Stopwatch::start();
        let round = (case.round)();
        ours.push(watch.nanos());
        judged.extend(round.judged_ns.map(|own| own as f64 / watch.nanos() as f64));
        drop(round.world);
        assert!(round.digest == first.digest, "{}: two rounds of one seed differ", case.name);
        let watch = Stopwatch::start();
        limit::run(first.load);
        bare.push(watch.nanos());
    }
    ours.sort_unstable();
    bare.sort_unstable();
    judged.sort_by(f64::total_cmp);
    let (wall_ns, limit_ns) = (ours[ROUNDS / 2], bare[ROUNDS / 2]);
    let units = (case.units)(&first);
    let (per_s, limit_per_s) = (rate(units, wall_ns), rate(units, limit_ns));
    let memory = (case.name == "startup").then(startup::memory);
    Workload {
        name: case.name,
        unit: case.unit,
        per_s,
        limit_per_s,
        ratio: per_s / limit_per_s,
        events: first.events,
        messages: first.messages,
        runs: first.runs,
        wall_ns,
        events_per_s: rate(first.events, wall_ns),
        messages_per_s: rate(first.messages, wall_ns),
        runs_per_s: rate(first.runs, wall_ns),
        virtual_ns: first.virtual_ns,
        digest: first.digest.to_string(),
        peak_rss_bytes: stopwatch::peak_rss_bytes(),
        best_per_s: rate(units, ours[0]),
        round_trip_ns: first.round_trip_ns,
        round_trip_asked_ns: case.round_trip_asked_ns,
        checkers_share: judged.get(ROUNDS / 2).copied(),
        flush_ns: None,
        rss_after_1000_bytes: memory.map(|memory| memory[0]),
        rss_after_10000_bytes: memory.map(|memory| memory[1]),
    }
}

impl Workload {
    /// What was measured on real files: `units` of one round, lengths of the rounds and of their limit's.
    fn on_files(name: &'static str, unit: &'static str, units: u64, messages: u64, rounds: [Vec<u64>; 2]) -> Workload {
        let [mut ours, mut bare] = rounds;
        ours.sort_unstable();
        bare.sort_unstable();
        let (wall_ns, limit_ns) = (ours[ours.len() / 2], bare[bare.len() / 2]);
        let (per_s, limit_per_s) = (rate(units, wall_ns), rate(units, limit_ns));
        Workload {
            name,
            unit,
            per_s,
            limit_per_s,
            ratio: per_s / limit_per_s,
            events: messages,
            messages,
            runs: 1,
            wall_ns,
            events_per_s: rate(messages, wall_ns),
            messages_per_s: rate(messages, wall_ns),
            runs_per_s: rate(1, wall_ns),
            virtual_ns: 0,
            digest: Digest::default().to_string(),
            peak_rss_bytes: stopwatch::peak_rss_bytes(),
            best_per_s: rate(units, ours[0]),
            round_trip_ns: None,
            round_trip_asked_ns: None,
            checkers_share: None,
            flush_ns: None,
            rss_after_1000_bytes: None,
            rss_after_10000_bytes: None,
        }
    }
}

fn rate(count: u64, nanos: u64) -> f64 {
    count as f64 * 1e9 / nanos.max(1) as f64
}

impl Report {
    /// The report as a table.
    pub fn text(&self) -> String {
        if let (Some(tui), true) = (&self.tui, self.workloads.is_empty()) {
            return tui.text();
        }
        let mut text = String::from("workload     per second      bare limit   ratio   events/s        best round\n");
        for workload in &self.workloads {
            let Workload { name, unit, per_s, limit_per_s, ratio, events_per_s, best_per_s, .. } = workload;
            text += &format!(
                "{name:<9} {per_s:>13.0} {limit_per_s:>15.0} {ratio:>7.3} {events_per_s:>10.0} {best_per_s:>13.0} {unit}\n"
            );
            text += &format!("          digest {}\n", workload.digest);
            if *name == cluster::CASE.name {
                let times = workload.virtual_ns as f64 / workload.wall_ns as f64;
                let (sent, seconds) = (workload.messages, workload.virtual_ns / 1_000_000_000);
                text +=
                    &format!("          {times:.0} times real time: {sent} messages in {seconds} virtual seconds\n");
            }
            if let Some(share) = workload.checkers_share {
                text += &format!("          checkers took {:.1} % of it\n", share * 100.0);
            }
            if let (Some(got), Some(asked)) = (workload.round_trip_ns, workload.round_trip_asked_ns) {
                let off = (got as f64 / asked as f64 - 1.0) * 100.0;
                text += &format!("          mean round trip {got} ns, asked for {asked} ns ({off:+.2} %)\n");
            }
            if let Some(flush_ns) = workload.flush_ns {
                text += &format!("          forcing what one round wrote takes {} ms more\n", flush_ns / 1_000_000);
            }
            if let (Some(early), Some(late)) = (workload.rss_after_1000_bytes, workload.rss_after_10000_bytes) {
                text += &format!("          memory after 1,000 runs {early} bytes, after 10,000 runs {late} bytes\n");
            }
        }
        text
    }
}
