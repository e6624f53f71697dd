//! A hunt says the same with any number of threads, its tags are what experiments one by one would have said, and it can be
//! stopped in each of its phases.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use mqlab::lab::check::{Finding, Verdict};
use mqlab::lab::explore::hunt::blame::{self, Blame};
use mqlab::lab::explore::hunt::report::Report;
use mqlab::lab::explore::hunt::{self, Campaign, Ground, Nobody, Watch, effect, trial};
use mqlab::lab::explore::shrink::{BUDGET, size};
use mqlab::lab::explore::swarm;
use mqlab::lab::explore::swarm::shape::Shape;
use mqlab::lab::explore::swarm::{Bounds, Length, Regime};
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::plan::{NodeKind, Plan};
use mqlab::mq::profile::SWITCHES;
use mqlab::mq::store::config::Role;

const PROFILE: &str = "rocketmq-4.3.2";

fn campaign(length: Length) -> Campaign {
    let bounds = Bounds { length, ..Bounds::default() };
    Campaign { ground: Ground::Drawn, bounds, profile: PROFILE.to_owned(), guided: None }
}

/// The seeds behind a number that break something.
fn broken(from: u64, count: usize) -> impl Iterator<Item = trial::Trial> {
    let trials = (from..from + 2_000).map(|seed| trial::run(seed, &Bounds::default(), PROFILE));
    trials.filter(|trial| !trial.findings.is_empty()).take(count)
}

/// Whether a check is broken under repairs, judged with every other.
fn is_broken(plan: &Plan, finding: &Finding, within: bool, repairs: &[&str]) -> bool {
    let mut profile = plan.profile.clone();
    for row in repairs {
        assert!(profile.set(row, true));
    }
    let plan = Plan { profile, ..plan.clone() };
    trial::judge(&trial::replay(&plan).trace, &plan, within).iter().any(|other| other.check == finding.check)
}

#[test]
fn a_tag_is_a_set_of_repairs_that_takes_all_of_them_and_no_tag_means_that_none_help() {
    let (mut tagged, mut several) = (0, 0);
    for trial in broken(600_240, 6) {
        let mut blame = Blame::new(&trial.plan, &trial.findings);
        for finding in &trial.findings {
            let is_broken = |repairs: &[&str]| is_broken(&trial.plan, finding, trial.within, repairs);
            let Some(tag) = blame.tag(finding) else {
                let all: Vec<&str> = SWITCHES.iter().map(|switch| switch.row).collect();
                assert!(is_broken(&all), "seed {}: {}", trial.seed, finding.check);
                continue;
            };
            let rows: Vec<&str> = tag.split('+').collect();
            if !SWITCHES.iter().any(|switch| switch.row == rows[0]) {
                continue;
            }
            tagged += 1;
            several += u32::from(1 < rows.len());
            assert!(!is_broken(&rows), "seed {}: {} {tag}", trial.seed, finding.check);
            for without in &rows {
                let fewer: Vec<&str> = rows.iter().copied().filter(|row| row != without).collect();
                assert!(is_broken(&fewer), "seed {}: {} {tag} without {without}", trial.seed, finding.check);
            }
        }
    }
    assert!(6 < tagged && 0 < several, "{tagged} tags, {several} of several repairs");
}

/// The way without shortcuts: repairs one by one, then all, then all but one by one.
fn slowly(trial: &trial::Trial, finding: &Finding, alone: &[&str]) -> Option<String> {
    let is_broken = |repairs: &[&str]| is_broken(&trial.plan, finding, trial.within, repairs);
    if let Some(row) = alone.iter().find(|row| !is_broken(&[row])) {
        return Some((*row).to_owned());
    }
    let mut needed: Vec<&str> = SWITCHES.iter().map(|switch| switch.row).collect();
    if is_broken(&needed) {
        return None;
    }
    for row in needed.clone() {
        let fewer: Vec<&str> = needed.iter().copied().filter(|other| *other != row).collect();
        if !is_broken(&fewer) {
            needed = fewer;
        }
    }
    Some(needed.join("+"))
}

#[test]
fn halves_find_what_one_by_one_finds() {
    let (alone, mut compared) = (["K04", "K03", "K02", "K20", "K12", "K13", "K06", "K05"], 0);
    for trial in broken(600_100, 12) {
        for finding in trial.findings.iter().filter(|finding| finding.check == "at-least-once") {
            assert_eq!(blame::tag(&trial.plan, finding), slowly(&trial, finding, &alone), "seed {}", trial.seed);
            compared += 1;
        }
    }
    assert!(0 < compared);
}

#[test]
fn findings_of_a_seed_share_their_runs_and_say_what_they_would_alone() {
    let (mut shared, mut single) = (0, 0);
    for trial in broken(600_000, 5) {
        let mut blame = Blame::new(&trial.plan, &trial.findings);
        for finding in &trial.findings {
            let mut alone = Blame::new(&trial.plan, std::slice::from_ref(finding));
            let tag = blame.tag(finding);
            assert_eq!(tag, alone.tag(finding), "seed {}: {}", trial.seed, finding.check);
            single += alone.cost().0;
            assert!(alone.cost().0 <= 24, "seed {}: {:?} took {} runs", trial.seed, tag, alone.cost().0);
        }
        shared += blame.cost().0;
        for finding in &trial.findings {
            let tag = blame.tag(finding);
            assert!(blame.fits(finding, tag.as_deref()), "seed {}: {tag:?}", trial.seed);
            let is_own = matches!(finding.verdict, Verdict::Known { .. });
            assert!(is_own || tag.is_none() || !blame.fits(finding, None), "seed {}: {tag:?}", trial.seed);
            assert!(!blame.fits(finding, Some("K99")));
        }
    }
    assert!(shared < single, "{shared} of {single}");
}

#[test]
fn a_report_is_the_same_with_any_number_of_threads() {
    let first = broken(600_000, 1).next().expect("something is broken").seed;
    let report = |jobs: usize| hunt::hunt(&campaign(Length::Standard), first..first + 24, jobs, &Nobody);
    let one = report(1);
    assert!(!one.findings.is_empty());
    assert_eq!(one, report(2));
    assert_eq!(one, report(4));
}

/// Only syncs fail: few seeds are needed, and their tags take few runs.
const ONLY: &str = "sync-error";

fn found() -> Report {
    let bounds = Bounds { only: [ONLY.to_owned()].into(), ..Bounds::default() };
    let campaign = Campaign { bounds, ..campaign(Length::Standard) };
    let mut report = hunt::hunt(&campaign, 600_000..600_040, 2, &Nobody);
    report.findings.retain(|finding| finding.known.as_deref() == Some("K01"));
    assert!(2 <= report.findings.len(), "K01 breaks something in two ways");
    report.findings.truncate(2);
    report
}

#[test]
fn shrunk_findings_are_the_same_with_any_number_of_threads() {
    let report = |jobs: usize| {
        let mut report = found();
        hunt::shrink(&mut report, jobs, BUDGET, &Nobody);
        report
    };
    let one = report(1);
    assert!(one.findings.iter().all(|finding| finding.shrunk.is_some()));
    assert_eq!(one, report(2));
    assert_eq!(one, report(4));
}

/// Somebody who stops after so many runs.
#[derive(Default)]
struct Impatient {
    runs: AtomicU64,
    stops_after: u64,
    shrunk: AtomicU64,
}

impl Watch for Impatient {
    fn shrinking(&self, fingerprint: &str, replays: u64) {
        assert!(fingerprint.ends_with("K01") && 0 < replays);
        self.runs.fetch_add(1, Ordering::Relaxed);
    }

    fn shrunk(&self) {
        self.shrunk.fetch_add(1, Ordering::Relaxed);
    }

    fn stops(&self) -> bool {
        self.stops_after <= self.runs.load(Ordering::Relaxed)
    }
}

#[test]
fn shrinking_stops_when_it_is_told_and_keeps_what_it_has() {
    let whole = found();
    let at_once = Impatient::default();
    let mut report = whole.clone();
    hunt::shrink(&mut report, 2, BUDGET, &at_once);
    assert_eq!(report, whole, "nothing was begun");

    let soon = Impatient { stops_after: 30, ..Impatient::default() };
    hunt::shrink(&mut report, 1, BUDGET, &soon);
    assert!(soon.runs.load(Ordering::Relaxed) <= 30 + 25, "a look or two, and the result told");
    assert_eq!(soon.shrunk.load(Ordering::Relaxed), 1);
    assert_eq!(report.findings[1..], whole.findings[1..], "the others are as they were found");
    let (found, first) = (&whole.findings[0], &report.findings[0]);
    assert!(first.plan.len() < found.plan.len());
    let plan = load("x.plan.toml", first.plan.as_bytes(), &Default::default()).unwrap().plan;
    let check = &first.target.as_ref().unwrap().check;
    let finding = trial::judge_one(&trial::replay(&plan).trace, &plan, check).unwrap();
    assert_eq!(blame::tag(&plan, &finding).as_deref(), Some("K01"));
}

#[test]
fn of_a_long_run_s_faults_some_are_looked_at() {
    let text = hunt::plan(&campaign(Length::Long), 6);
    let plan = load("x.plan.toml", text.as_bytes(), &Default::default()).unwrap().plan;
    let (began, effective) = effect::of("x.plan.toml", &text);
    assert!(16 < plan.episodes.len() && began <= 16 && effective <= began);
}

#[test]
fn a_finding_its_file_and_what_stands_in_it_have_one_name_and_the_smaller_plan_stays() {
    let folder = tempfile::tempdir().unwrap();
    let regressions = folder.path().join("kept");
    let first = found().findings.swap_remove(0);
    let (name, seed) = (first.fingerprint, first.first_seed);
    let seeds = format!("{seed}..{}", seed + 1);
    let mqlab = |more: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("mqlab").unwrap();
        command.current_dir(folder.path()).args(["hunt", "26-hunt", "--profile", "faithful", "--seeds", &seeds]);
        command.args(["--only", ONLY]);
        String::from_utf8(command.args(more).output().unwrap().stdout).unwrap()
    };
    let hunts = || mqlab(&["--regressions", "kept"]);
    let path = regressions.join(format!("{name}.plan.toml"));
    let said = hunts();
    let file = format!("{name}.plan.toml");
    assert!(said.contains(&format!("\n{name} ")) && said.contains(&format!("{file}\n")), "{said}");
    let small = fs::read_to_string(&path).unwrap();
    assert!(small.contains(&format!("mqlab run {file} ")), "{small}");
    assert!(small.contains(&format!("\nfingerprint = \"{name}-")), "{small}");

    // As small: it stays, byte for byte, whatever a person has noted in it.
    let noted = format!("# looked at\n{small}");
    fs::write(&path, &noted).unwrap();
    assert!(hunts().contains(&format!("{file}   # as it stood")));
    assert_eq!(fs::read_to_string(&path).unwrap(), noted);

    // The plan as it was drawn is larger, and gives way.
    let drawn = mqlab(&["--print-plan"]);
    assert!(size::of(&small).unwrap() < size::of(&drawn).unwrap());
    fs::write(&path, &drawn).unwrap();
    hunts();
    assert_eq!(fs::read_to_string(&path).unwrap(), small);
    mqlab(&["--regressions", "kept", "--no-shrink"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), small, "the larger one does not come back");

    // What is no plan is somebody's.
    fs::write(&path, "my notes: [").unwrap();
    hunts();
    assert_eq!(fs::read_to_string(&path).unwrap(), "my notes: [");
}

#[test]
fn the_command_that_draws_a_plan_again_names_everything_that_it_was_drawn_from() {
    let mqlab = |args: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("mqlab").unwrap();
        String::from_utf8(command.args(args).output().unwrap().stdout).unwrap()
    };
    let asked = ["hunt", "26-hunt", "--profile", "faithful", "--seeds", "600000..600030", "--no-shrink", "--within"];
    let said = mqlab(&[&asked[..], &["--without", "stall,flap", "--shape", "2m-2s-sync"]].concat());
    let command = said.lines().find(|line| line.contains("--print-plan")).unwrap_or_else(|| panic!("{said}"));
    let again: Vec<&str> = command.split_whitespace().skip(1).collect();
    for flag in ["stall,flap", "--within", "2m-2s-sync"] {
        assert!(again.contains(&flag), "{command}");
    }
    let seed = again.iter().find_map(|word| word.parse().ok()).unwrap();
    let without = ["stall", "flap"].map(str::to_owned).into();
    let bounds = Bounds { without, regime: Regime::Within, shape: Some(Shape::PairsSync), ..Bounds::default() };
    let campaign = Campaign { bounds, ..campaign(Length::Standard) };
    assert_eq!(mqlab(&again), hunt::plan(&campaign, seed));
}

/// The names and roles of a draft's brokers.
fn servers(seed: u64, shape: Option<Shape>) -> Vec<(String, Role)> {
    let bounds = Bounds { shape, regime: Regime::Within, ..Bounds::default() };
    let text = swarm::draw(seed, &bounds, "hardened").whole();
    let plan = load("t", text.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    let brokers = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Broker(broker) => Some((node.name.to_string(), broker.role)),
        _ => None,
    });
    brokers.collect()
}

#[test]
fn every_draft_of_a_shape_has_its_servers_and_can_be_read() {
    use Role::{AsyncMaster, Slave, SyncMaster};
    for (shape, wanted) in [
        (Shape::Single, vec![("broker-a", AsyncMaster)]),
        (Shape::Masters, vec![("broker-a", AsyncMaster), ("broker-b", AsyncMaster)]),
        (
            Shape::PairsAsync,
            vec![("broker-a", AsyncMaster), ("broker-a-s", Slave), ("broker-b", AsyncMaster), ("broker-b-s", Slave)],
        ),
        (
            Shape::PairsSync,
            vec![("broker-a", SyncMaster), ("broker-a-s", Slave), ("broker-b", SyncMaster), ("broker-b-s", Slave)],
        ),
    ] {
        let wanted: Vec<(String, Role)> = wanted.into_iter().map(|(name, role)| (name.to_owned(), role)).collect();
        for seed in 0..100 {
            assert_eq!(servers(seed, Some(shape)), wanted, "{shape:?}, seed {seed}");
        }
    }
    let free: std::collections::BTreeSet<usize> = (0..100).map(|seed| servers(seed, None).len()).collect();
    assert!(3 < free.len(), "{free:?}");
}

/// Two thousand of each are `mqlab hunt 26-hunt --shape 2m-2s-sync --seeds 0..2000 --profile hardened --within`.
#[test]
fn nothing_is_broken_in_any_shape_within_what_is_promised() {
    for shape in Shape::ALL {
        let bounds = Bounds { shape: Some(shape), regime: Regime::Within, ..Bounds::default() };
        let mut judged = std::collections::BTreeMap::new();
        for seed in 0..25 {
            let trial = trial::run(seed, &bounds, "hardened");
            assert!(trial.findings.is_empty(), "{shape:?}, seed {seed}: {:?}", trial.findings);
            let run = trial::replay(&trial.plan);
            for name in ["acked-durability", "ack-honest", "replica-prefix"] {
                let finding = trial::judge_one(&run.trace, &trial.plan, name);
                let passes = finding.is_some_and(|finding| finding.verdict == Verdict::Pass);
                *judged.entry(name).or_insert(0) += u32::from(passes);
            }
        }
        let is_pair = matches!(shape, Shape::PairsAsync | Shape::PairsSync);
        assert!(10 < judged["acked-durability"] && 10 < judged["ack-honest"], "{shape:?}: {judged:?}");
        assert_eq!(10 < judged["replica-prefix"], is_pair, "{shape:?}: {judged:?}");
    }
}
