//! One seed: drawn, run under the governor until nothing is owed, judged by every checker.

use std::collections::BTreeSet;

use crate::lab::check::{self, Finding, Verdict};
use crate::lab::explore::hunt::debt::Debt;
use crate::lab::explore::hunt::governor::Governor;
use crate::lab::explore::swarm::{self, Bounds, Draft, Length};
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::plan::{Expect, Outcome, Plan};
use crate::lab::scenario::{Scenario, load};
use crate::lab::sim::marks::Marks;
use crate::lab::sim::session::STEPS_MAX;
use crate::lab::sim::world::World;
use crate::lab::trace::digest::Digest;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Fault, Level, What};
use crate::mq::time::{Span, Time};

/// A seed's run, judged.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The seed.
    pub seed: u64,
    /// The scenario that gives this run, with no governor.
    pub text: String,
    /// The same as data.
    pub plan: Plan,
    /// Whether its faults stayed within what is promised.
    pub within: bool,
    /// Steps taken.
    pub events: u64,
    /// True time at the end.
    pub virtual_ns: u64,
    /// Faults that began.
    pub faults: u64,
    /// Faults that the governor refused.
    pub refused: u64,
    /// The digest.
    pub digest: Digest,
    /// What came out that is not as promised, the lab's own failures among it.
    pub findings: Vec<Finding>,
    /// What it came across.
    pub marks: Marks,
    /// Whether there was nothing to judge: nothing acknowledged, nothing delivered, or a drain that never came.
    pub inconclusive: bool,
}

/// A run that follows a plan as it stands.
#[derive(Debug)]
pub struct Run {
    /// What was kept.
    pub trace: Trace,
    /// The digest.
    pub digest: Digest,
    /// Steps taken.
    pub events: u64,
    /// Processes that panicked, as sentences.
    pub panics: Vec<String>,
    /// What it came across.
    pub marks: Marks,
}

/// How often it is asked whether anything is owed.
const ASKS_EVERY: Span = Span::from_secs(2);
/// So long after the last debt was paid a run goes on: offsets are written every five seconds.
const AFTERWARDS: Span = Span::from_secs(8);
/// A standard run that has come so far and does not settle (half messages that multiply, in the release) ends: what it is owed
/// is not in time to be judged.
const STANDARD_MAX: u64 = 20_000;
/// So long an undecided transaction is waited for: its first question and two more.
const PATIENCE: Span = Span::from_secs(70);

/// Draws and runs a seed.
pub fn run(seed: u64, bounds: &Bounds, profile: &str) -> Trial {
    let (draft, played, text) = drawn(seed, bounds, profile);
    let plan = read(seed, &text).plan;
    let Played { run, faults, settled, .. } = played;
    let mut findings = judge(&run.trace, &plan, draft.within);
    findings.extend(run.panics.iter().map(|panic| harness(panic)));
    Trial {
        seed,
        text,
        within: draft.within,
        events: run.events,
        virtual_ns: played.ended.0,
        faults,
        refused: played.refused.len() as u64,
        digest: run.digest,
        inconclusive: !settled,
        marks: run.marks,
        findings,
        plan,
    }
}

/// Draws and runs a seed, and judges nothing: the plan's text and the run.
pub fn unjudged(seed: u64, bounds: &Bounds, profile: &str) -> (String, Run) {
    let (_, played, text) = drawn(seed, bounds, profile);
    (text, played.run)
}

fn drawn(seed: u64, bounds: &Bounds, profile: &str) -> (Draft, Played, String) {
    let draft = swarm::draw(seed, bounds, profile);
    let whole = read(seed, &draft.whole());
    let most = match bounds.length {
        Length::Standard => STANDARD_MAX,
        Length::Long => STEPS_MAX,
    };
    let played = play(&whole.plan, &draft, most);
    let until = played.ended.0.div_ceil(1_000_000);
    let text = draft.text(&played.refused, until);
    (draft, played, text)
}

/// Runs a scenario as it is written, with another seed and profile, and judges what it expects, too.
pub fn written(seed: u64, (name, text): (&str, &str), profile: &str) -> Trial {
    let sets = vec![format!("seed={seed}"), format!("cluster.profile=\"{profile}\"")];
    let changes = Overrides { sets, ..Overrides::default() };
    let scenario = load(name, text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}"));
    let plan = scenario.plan;
    let run = replay(&plan);
    let mut findings = check::run(&run.trace, &plan);
    findings.retain(|finding| finding.asked && !finding.is_as_expected());
    let inconclusive = findings.iter().any(|finding| matches!(finding.verdict, Verdict::Inconclusive { .. }));
    findings.retain(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Inconclusive { .. }));
    let asked: BTreeSet<&str> = plan.expects.iter().map(|expect| expect.check.name()).collect();
    findings.extend(judge(&run.trace, &plan, true).into_iter().filter(|finding| !asked.contains(finding.check)));
    findings.extend(run.panics.iter().map(|panic| harness(panic)));
    let records = run.trace.records();
    let faults = records.iter().filter(|record| matches!(record.what, What::Fault(Fault::Begun { .. }))).count();
    Trial {
        seed,
        text: scenario.text,
        within: true,
        events: run.events,
        virtual_ns: records.last().map_or(0, |record| record.at.0),
        faults: faults as u64,
        refused: 0,
        digest: run.digest,
        marks: run.marks,
        inconclusive,
        findings,
        plan,
    }
}

/// Reads a drawn scenario.
fn read(seed: u64, text: &str) -> Scenario {
    load(&format!("seed-{seed}.plan.toml"), text.as_bytes(), &Default::default())
        .unwrap_or_else(|report| panic!("a draft is a scenario: {report}\n{text}"))
}

struct Played {
    run: Run,
    ended: Time,
    faults: u64,
    refused: BTreeSet<String>,
    settled: bool,
}

/// Runs a draft: each fault is asked for, and the end comes when nothing is owed.
fn play(plan: &Plan, draft: &Draft, most: u64) -> Played {
    let mut world = World::new(plan, Level::History);
    world.keep_marks();
    let mut trace = Trace::new(world.header());
    let (mut governor, mut debt) = (Governor::new(plan), Debt::new(plan));
    let mut refused = BTreeSet::new();
    let healed = Time(draft.healed * 1_000_000);
    let (mut until, mut quiet_since, mut faults) = (healed, None, 0);
    loop {
        world.set_until(until);
        let mut may_begin = |world: &World, number: u32| {
            let episode = world.episode(number);
            let allowed = !draft.within || governor.allows(world, episode);
            if !allowed {
                refused.insert(episode.name.to_string());
            }
            allowed
        };
        // The governor hears what is behind the step under way: the loop borrows it in turns.
        let stepped = world.step_asking(&mut may_begin);
        for record in world.take_records() {
            governor.hear(&record);
            debt.hear(&record);
            faults += u64::from(matches!(record.what, What::Fault(Fault::Begun { .. })));
            trace.push(record);
        }
        if stepped && world.at() < STEPS_MAX {
            continue;
        }
        let settled = debt.is_settled(&world, healed + PATIENCE);
        let since = *quiet_since.get_or_insert(until);
        if !settled {
            quiet_since = None;
        }
        if (settled && since + AFTERWARDS <= until) || plan.until <= until || most <= world.at() {
            break;
        }
        until = (until + ASKS_EVERY).min(plan.until);
    }
    world.finish();
    world.take_records().for_each(|record| trace.push(record));
    let panics = world.panics().iter().map(|panic| format!("{} in #{}", panic.text, panic.step)).collect();
    let run = Run { trace, digest: world.digest(), events: world.at(), panics, marks: world.marks() };
    Played { run, ended: until, faults, refused, settled: debt.has_traffic() }
}

/// Runs a plan as it stands.
pub fn replay(plan: &Plan) -> Run {
    replay_at_most(plan, STEPS_MAX)
}

/// The same, up to so many steps.
pub fn replay_at_most(plan: &Plan, most: u64) -> Run {
    let mut world = World::new(plan, Level::History);
    world.keep_marks();
    let mut trace = Trace::new(world.header());
    while world.at() < most && world.step() {
        world.take_records().for_each(|record| trace.push(record));
    }
    world.finish();
    world.take_records().for_each(|record| trace.push(record));
    let panics = world.panics().iter().map(|panic| format!("{} in #{}", panic.text, panic.step)).collect();
    Run { trace, digest: world.digest(), events: world.at(), panics, marks: world.marks() }
}

/// Runs a plan as it stands, if the governor allows every fault of it. Errors: it does not; so many steps were taken by then.
pub fn replay_within(plan: &Plan) -> Result<Run, u64> {
    let mut world = World::new(plan, Level::History);
    world.keep_marks();
    let mut trace = Trace::new(world.header());
    let mut governor = Governor::new(plan);
    loop {
        let mut is_refused = false;
        let mut may_begin = |world: &World, number: u32| {
            let allowed = governor.allows(world, world.episode(number));
            is_refused |= !allowed;
            allowed
        };
        let stepped = world.step_asking(&mut may_begin);
        if is_refused {
            return Err(world.at());
        }
        for record in world.take_records() {
            governor.hear(&record);
            trace.push(record);
        }
        if !stepped || STEPS_MAX <= world.at() {
            break;
        }
    }
    world.finish();
    world.take_records().for_each(|record| trace.push(record));
    let panics = world.panics().iter().map(|panic| format!("{} in #{}", panic.text, panic.step)).collect();
    Ok(Run { trace, digest: world.digest(), events: world.at(), panics, marks: world.marks() })
}

/// What one check says of a run, if it can say something of the plan.
pub fn judge_one(trace: &Trace, plan: &Plan, name: &str) -> Option<Finding> {
    let check = check::suite(plan).into_iter().find(|check| check.name() == name)?;
    let expects = vec![Expect { id: name.into(), check, outcome: Outcome::Holds }];
    let asked = Plan { expects, ..plan.clone() };
    check::asked(trace, &asked).pop()
}

/// What is not as promised: of everything within, of honesty alone beyond.
pub fn judge(trace: &Trace, plan: &Plan, within: bool) -> Vec<Finding> {
    let mut checks = check::suite(plan);
    if !within {
        checks.retain(check::is_owed_beyond);
    }
    let expects = checks.into_iter().map(|check| Expect { id: check.name().into(), check, outcome: Outcome::Holds });
    let asked = Plan { expects: expects.collect(), ..plan.clone() };
    let mut findings = check::asked(trace, &asked);
    findings.retain(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Inconclusive { .. }));
    findings
}

fn harness(invariant: &str) -> Finding {
    Finding {
        id: "no-panic".to_owned(),
        check: "no-panic",
        guarantee: None,
        verdict: Verdict::Harness { invariant: invariant.to_owned() },
        expected: Outcome::Holds,
        asked: true,
        summary: crate::lab::locale::Phrase {
            en: format!("a process panicked: {invariant}"),
            zh: format!("进程发生 panic：{invariant}"),
        },
    }
}
