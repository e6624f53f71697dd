//! What a hunt found, made small: nothing of it is lost, and nothing is left that it does not need.

use std::fs;

use mqlab::lab::explore::hunt::report::Hit;
use mqlab::lab::explore::hunt::{self, Campaign, Ground, blame, trial};
use mqlab::lab::explore::shrink::{BUDGET, Shrunk, Target, fingerprint, shrink};
use mqlab::lab::explore::swarm::Bounds;
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::plan::Plan;

/// Seeds of the faithful profile, with what they break.
const FOUND: [(u64, &str); 3] = [(600_008, "ack-honest"), (600_059, "no-overrun"), (600_072, "replica-prefix")];

/// The first plan from this seed on that breaks the check by one registered weakness: which seed it is depends on every draft.
fn found(seed: u64, check: &str) -> (Hit, Target) {
    let profile = "rocketmq-4.3.2".to_owned();
    let campaign = Campaign { ground: Ground::Drawn, bounds: Bounds::default(), profile, guided: None };
    let is_it = |hit: &Hit| {
        let is_one = hit.known.as_ref().is_some_and(|known| !known.contains('+'));
        is_one && hit.target.as_ref().is_some_and(|target| target.check == check)
    };
    let hit = (seed..seed + 600).find_map(|seed| hunt::one(&campaign, seed).hits.into_iter().find(is_it));
    let hit = hit.unwrap_or_else(|| panic!("no seed from {seed} on breaks {check}"));
    let target = hit.target.clone().unwrap();
    (hit, target)
}

fn plan(text: &str) -> Plan {
    load("x.plan.toml", text.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}\n{text}")).plan
}

fn small(seed: u64, check: &str) -> (Hit, Target, Shrunk) {
    let (hit, target) = found(seed, check);
    let shrunk = shrink("x.plan.toml", &hit.plan, &target, BUDGET).unwrap();
    (hit, target, shrunk)
}

#[test]
fn a_found_plan_becomes_small_and_stays_what_it_is() {
    for (seed, check) in FOUND {
        let (hit, target, shrunk) = small(seed, check);
        let Shrunk { text, operations, episodes, .. } = &shrunk;
        // A power loss that keeps some pages needs sends enough to fill them.
        assert!(*operations <= 20 && *episodes <= 2, "seed {seed}: {operations} operations, {episodes} faults\n{text}");
        assert!(shrunk.witness <= 30 && 0 < shrunk.witness);
        assert!(text.len() < hit.plan.len() && text.len() <= 4_096, "{text}");
        let plan = plan(text);
        for _ in 0..20 {
            let run = trial::replay(&plan);
            let finding = trial::judge_one(&run.trace, &plan, check).unwrap();
            assert_eq!(fingerprint::of(&target, &run.trace, &plan, &finding), shrunk.fingerprint);
        }
        let run = trial::replay(&plan);
        let finding = trial::judge_one(&run.trace, &plan, check).unwrap();
        assert_eq!(blame::tag(&plan, &finding), target.tag);
        assert!(shrunk.fingerprint.starts_with(&fingerprint::coarse(&target)), "{}", shrunk.fingerprint);
        let scenario = load("x.plan.toml", text.as_bytes(), &Default::default()).unwrap();
        let told = scenario.found.unwrap();
        assert_eq!(told.digest, Some(run.digest.to_string()));
        assert_eq!(told.fingerprint.as_ref(), Some(&shrunk.fingerprint));
    }
}

#[test]
fn shrinking_twice_gives_the_same_and_shrinking_the_shrunk_changes_nothing() {
    let (hit, target, shrunk) = small(600_008, "ack-honest");
    assert_eq!(shrink("x.plan.toml", &hit.plan, &target, BUDGET).unwrap(), shrunk);
    let again = shrink("x.plan.toml", &shrunk.text, &target, BUDGET).unwrap();
    assert_eq!(again.text, shrunk.text);
}

#[test]
fn a_budget_is_kept_and_what_was_reached_by_then_still_shows_it() {
    let (hit, target, whole) = small(600_059, "no-overrun");
    let cut = shrink("x.plan.toml", &hit.plan, &target, 60_000).unwrap();
    assert!(cut.replays < whole.replays, "{} runs", cut.replays);
    assert!(whole.text.len() < cut.text.len());
    assert!(shrink("x.plan.toml", &cut.text, &target, 60_000).is_some());
}

/// A shrinker that took away what is needed would be caught by its own judge.
#[test]
fn a_plan_without_what_it_needs_is_refused() {
    let (hit, target, shrunk) = small(600_008, "ack-honest");
    let refused = |text: &str, target: &Target| shrink("x.plan.toml", text, target, BUDGET).is_none();
    assert!(!refused(&hit.plan, &target));
    let (before, fault) = shrunk.text.split_once("[[fault]]").unwrap();
    let rest = fault.split_once("[[expect]]").unwrap().1;
    assert!(refused(&format!("{before}[[expect]]{rest}"), &target), "no fault, no violation");
    assert!(refused(&shrunk.text.replace("[[topic]]", "[[topics]]"), &target), "no scenario");
    assert!(refused(&hit.plan, &Target { clause: "something else".to_owned(), ..target.clone() }), "another clause");
    assert!(refused(&hit.plan, &Target { check: "no-phantom".to_owned(), ..target.clone() }), "another check");
    let own = hit.known.as_deref().unwrap();
    let other = if own == "K01" { "K02" } else { "K01" };
    assert!(refused(&hit.plan, &Target { tag: Some(other.to_owned()), ..target.clone() }), "another weakness");
    let mended = hit.plan.replace("[cluster]", &format!("[profile]\nfix = {{ {own} = true }}\n\n[cluster]"));
    assert!(refused(&mended, &target), "repaired");
}

#[test]
fn what_is_owed_in_the_end_keeps_the_time_to_come() {
    let (_, _, shrunk) = small(600_059, "at-least-once");
    let plan = plan(&shrunk.text);
    let last = plan.episodes.len();
    assert!(last <= 2, "{}", shrunk.text);
    assert!(260_000_000_000 <= plan.until.0, "a run that ends before it could have been delivered: {}", shrunk.text);
}

#[test]
fn the_command_line_shrinks_and_its_result_runs_as_expected() {
    let folder = tempfile::tempdir().unwrap();
    let mqlab = |args: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("mqlab").unwrap();
        command.current_dir(folder.path()).args(args).output().unwrap()
    };
    let written = mqlab(&["shrink", "26-hunt", "--check", "G01", "--out", "small.plan.toml"]);
    let talk = String::from_utf8(written.stderr).unwrap();
    assert_eq!(written.status.code(), Some(0), "{talk}");
    assert!(talk.contains("K01") && talk.contains("1 operations"), "{talk}");
    let run = mqlab(&["run", "small.plan.toml", "--no-tui"]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stdout));
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
    let path = folder.path().join("small.plan.toml");
    let text = fs::read_to_string(&path).unwrap();
    let digest = text.lines().find(|line| line.starts_with("digest = ")).unwrap();
    fs::write(&path, text.replace(digest, "digest = \"of another build\"")).unwrap();
    let warned = mqlab(&["run", "small.plan.toml", "--no-tui"]);
    assert_eq!(warned.status.code(), Some(0), "the digest is no promise");
    assert!(String::from_utf8_lossy(&warned.stderr).contains("of another build"));
    assert_eq!(mqlab(&["shrink", "01-first-message"]).status.code(), Some(3));
    assert_eq!(mqlab(&["shrink", "26-hunt", "--check", "G99"]).status.code(), Some(2));
}
