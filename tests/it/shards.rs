//! Parts of a hunt say together what the uncut hunt says, in any order and however often; what is missing, foreign or damaged
//! is named; the files under `deploy/` do what they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mqlab::lab::explore::hunt::report::{Hit, Line, Report};
use mqlab::lab::explore::hunt::shard::merge::Gathered;
use mqlab::lab::explore::hunt::shard::tally::Tally;
use mqlab::lab::explore::hunt::shard::{Errand, Part, block, file};
use mqlab::lab::explore::swarm::{Length, Regime};
use proptest::prelude::*;

const SEEDS: &str = "600120..600132";

fn mqlab(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    for name in ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "PARALLEL_SEQ", "MQLAB_JOBS"] {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments).args(["--lang", "en"]);
    command
}

fn hunt(folder: &Path, seeds: &str, more: &[&str]) -> Output {
    mqlab(folder, &[&["hunt", "26-hunt", "--profile", "faithful", "--seeds", seeds], more].concat())
}

/// What is printed, without the real time.
fn timeless(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let is_timed = |line: &str| line.contains("\"wall_ns\"") || line.contains(" seeds/s, ");
    text.lines().filter(|line| !is_timed(line)).map(|line| format!("{line}\n")).collect()
}

fn talk(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn parts_say_together_what_the_uncut_hunt_says_and_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (part, jobs) in [("2/3", "1"), ("0/3", "2"), ("1/3", "3")] {
        let output = hunt(folder, SEEDS, &["--shard", part, "--out", "parts", "-j", jobs]);
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    }
    let whole = hunt(folder, SEEDS, &["--no-shrink"]);
    let json = hunt(folder, SEEDS, &["--no-shrink", "--format", "json"]);
    let merged = |more: &[&str]| mqlab(folder, &[&["hunt", "merge"], more].concat());
    let parts = ["parts/shard-1-of-3.json", "parts/shard-2-of-3.json", "parts/shard-0-of-3.json"];
    assert!(2 <= serde_json::from_slice::<Report>(&json.stdout).unwrap().findings.len());
    assert_eq!(timeless(&merged(&["parts", "--no-shrink"])), timeless(&whole));
    assert_eq!(timeless(&merged(&["parts", "--no-shrink", "--format", "json"])), timeless(&json));
    // In another order, and some twice.
    let again = [&parts[..], &["parts", "--no-shrink", "--format", "json"]].concat();
    assert_eq!(timeless(&merged(&again)), timeless(&json));
    assert_eq!(merged(&again).status.code(), json.status.code());
    assert_eq!(talk(&merged(&again)), "");

    // Without one of them.
    let two = merged(&[parts[0], parts[1], "--no-shrink", "--format", "json"]);
    assert_eq!(two.status.code(), Some(if whole.status.code() == Some(0) { 3 } else { 1 }));
    let said = talk(&two);
    assert!(said.contains("part 0 of 3 is missing: seeds 600120..600124"), "{said}");
    assert!(said.contains(&format!("26-hunt --profile faithful --seeds {SEEDS} --shard 0/3 --out DIR")), "{said}");
    let value: serde_json::Value = serde_json::from_slice(&two.stdout).unwrap();
    assert_eq!(value["missing"][0]["seeds"], serde_json::json!([600_120, 600_124]));
    assert_eq!(value["seeds"], 8);

    // What is there already is not run again.
    let output = hunt(folder, SEEDS, &["--shard", "0/3", "--out", "parts"]);
    assert!(talk(&output).contains("is there already"), "{}", talk(&output));
    let names: BTreeSet<String> =
        fs::read_dir(folder.join("parts")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, (0..3).map(|part| format!("shard-{part}-of-3.json")).collect(), "nothing else is left");
}

#[test]
fn a_merge_shrinks_as_the_uncut_hunt_does_and_the_command_it_prints_gives_the_small_plan() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let seeds = "600037..600039";
    for part in ["0/2", "1/2"] {
        hunt(folder, seeds, &["--shard", part, "--out", "parts"]);
    }
    let whole = hunt(folder, seeds, &["-j", "2"]);
    let merged = mqlab(folder, &["hunt", "merge", "parts", "-j", "1"]);
    let text = timeless(&merged);
    assert_eq!(text, timeless(&whole));
    let line = text.lines().find(|line| line.contains("--print-plan=")).unwrap_or_else(|| panic!("{text}"));
    let (command, file) = line.trim().split_once(" > ").unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let plan = String::from_utf8(mqlab(folder, &words).stdout).unwrap();
    let name = file.strip_suffix(".plan.toml").unwrap();
    assert!(plan.contains(&format!("\nfingerprint = \"{name}-")), "{plan}");
}

#[test]
fn what_is_damaged_or_of_another_hunt_is_named_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let two = ["hunt", "26-hunt", "--within", "--seeds", "0..4", "--out", "parts", "--shard"];
    mqlab(folder, &[&two[..], &["0/2"]].concat());
    mqlab(folder, &[&two[..], &["1/2"]].concat());
    let path = folder.join("parts/shard-1-of-2.json");
    let good = fs::read_to_string(&path).unwrap();
    let merge = |says: &[&str]| {
        let output = mqlab(folder, &["hunt", "merge", "parts", "--no-shrink"]);
        let said = talk(&output);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(output.stdout.is_empty());
        for word in says.iter().chain(&["shard-1-of-2.json", "help:"]) {
            assert!(said.contains(word), "{word}: {said}");
        }
    };
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    let lines = good[..good.len() / 2].lines().count();
    merge(&["cut off", &format!("line {lines}, column ")]);
    fs::write(&path, good.replacen("\"events\": ", "\"events\": 1", 1)).unwrap();
    merge(&["its sum does not fit"]);
    fs::write(&path, good.replacen("\"format\": 1", "\"format\": 7", 1)).unwrap();
    merge(&["its format is 7"]);
    fs::write(&path, good.replacen("\"seeds\"", "\"sheds\"", 1)).unwrap();
    merge(&["not what a part holds"]);
    fs::write(&path, "{}").unwrap();
    merge(&["no part of a hunt"]);
    fs::write(&path, "not json").unwrap();
    merge(&["no JSON from line 1"]);

    // Sound, and of another hunt or another build.
    let part = file::read(good.as_bytes()).unwrap();
    let mut other = part.clone();
    other.errand.seeds = (0, 6);
    fs::write(&path, file::text(&other)).unwrap();
    merge(&["not parts of one hunt", "--seeds"]);
    let mut other = part.clone();
    other.errand.build = "0.0.9".into();
    fs::write(&path, file::text(&other)).unwrap();
    merge(&["not parts of one hunt", "build"]);
    let mut other = part.clone();
    other.index = 0;
    fs::write(&path, file::text(&other)).unwrap();
    merge(&["part 0 says one thing in"]);

    let nothing = mqlab(folder, &["hunt", "merge", "nowhere"]);
    assert!(nothing.status.code() == Some(4) && talk(&nothing).contains("nowhere cannot be read"));
    fs::create_dir(folder.join("empty")).unwrap();
    let nothing = mqlab(folder, &["hunt", "merge", "empty"]);
    assert!(nothing.status.code() == Some(4) && talk(&nothing).contains("no part of a hunt to merge"));

    // A part that was stopped says how far it came.
    let stopped = Part { tally: Tally::default(), ..part };
    fs::write(&path, file::text(&stopped)).unwrap();
    let output = mqlab(folder, &["hunt", "merge", "parts", "--no-shrink"]);
    assert!(talk(&output).contains("part 1 of 2 was stopped: seeds 2..4 are missing"), "{}", talk(&output));
    mqlab(folder, &[&two[..], &["1/2"]].concat());
    assert_eq!(file::read(&fs::read(&path).unwrap()).unwrap().tally.seeds, 2, "it was run to its end");
}

fn line(seed: u64) -> impl Strategy<Value = Line> {
    let marks = prop::collection::btree_set("[a-f]", 0..4);
    let hits = prop::collection::btree_set(0_usize..4, 0..3);
    (marks, hits, any::<bool>(), 0_u64..50, prop::option::of((0_u64..9, 0_u64..9))).prop_map(
        move |(marks, hits, inconclusive, faults, sampled)| Line {
            seed,
            inconclusive,
            events: seed % 7,
            virtual_ns: seed,
            faults,
            sampled,
            hits: hits.into_iter().map(|which| hit(which, seed)).collect(),
            marks,
        },
    )
}

fn hit(which: usize, seed: u64) -> Hit {
    Hit {
        fingerprint: format!("G0{which}"),
        guarantee: format!("G0{which}"),
        verdict: "known".into(),
        known: Some("K01".into()),
        summary: (format!("of {seed}"), format!("{seed}")),
        plan: format!("seed = {seed}"),
        target: None,
    }
}

fn errand(seeds: u64) -> Errand {
    Errand {
        scenario: "26-hunt".into(),
        text: "x".into(),
        seeds: (100, 100 + seeds),
        profile: "hardened".into(),
        asked: None,
        regime: Regime::Mixed,
        length: Length::Standard,
        shape: None,
        only: Vec::new(),
        without: Vec::new(),
        guided: false,
        build: "b".into(),
    }
}

proptest! {
    #[test]
    fn any_order_any_cut_and_any_repetition_give_the_report_of_one_hunt(
        lines in (0_u64..24).prop_flat_map(|count| (0..count).map(|at| line(100 + at)).collect::<Vec<_>>()),
        count in 1_u64..9,
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        split in any::<prop::sample::Index>(),
    ) {
        let mut report = Report::default();
        lines.iter().cloned().for_each(|line| report.take(line));
        let seeds = lines.len() as u64;
        let parts: Vec<Part> = (0..count).map(|index| {
            let mut tally = Tally::default();
            let block = block(100..100 + seeds, index, count);
            lines.iter().filter(|line| block.contains(&line.seed)).cloned().for_each(|line| tally.take(line));
            Part { errand: errand(seeds), index, count, wall_ns: index, tally }
        }).collect();
        for part in &parts {
            prop_assert_eq!(&file::read(file::text(part).as_bytes()).unwrap(), part);
        }
        // Some parts at random, as often as it comes, then all: in two heaps that are joined, either way round.
        let given: Vec<&Part> = order.iter().map(|at| at.get(&parts)).chain(&parts).collect();
        let gather = |parts: &[&Part]| {
            let mut gathered = Gathered::default();
            parts.iter().for_each(|part| gathered.take(&format!("{}", part.index), (*part).clone()));
            gathered
        };
        let (left, right) = given.split_at(split.index(given.len()));
        let (mut one, mut two) = (gather(left), gather(right));
        let (left, right) = (one.clone(), two.clone());
        one.join(&right);
        two.join(&left);
        prop_assert_eq!(&one, &two);
        let twice = one.clone();
        one.join(&twice);
        prop_assert_eq!(&one, &twice);
        let merged = one.merge().unwrap();
        prop_assert!(merged.missing.is_empty());
        prop_assert_eq!(Report { wall_ns: 0, ..merged.report }, report);
    }

    #[test]
    fn blocks_lie_one_behind_the_other(from in any::<u64>(), length in 0_u64..2_000, count in 1_u64..50) {
        let seeds = from..from.saturating_add(length);
        let mut next = seeds.start;
        for index in 0..count {
            let block = block(seeds.clone(), index, count);
            prop_assert_eq!(block.start, next);
            let (least, size) = ((seeds.end - seeds.start) / count, block.end - block.start);
            prop_assert!(least <= size && size <= least + 1);
            next = block.end;
        }
        prop_assert_eq!(next, seeds.end);
    }
}

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

/// Whether programs can be run here; if not, it is said that a test shows less than it could.
#[expect(clippy::disallowed_methods, reason = "what is installed is the machine's")]
fn installed(programs: &[&str], test: &str) -> bool {
    let find = |name: &str| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).chain([PathBuf::from("/usr/sbin")]).any(|folder| folder.join(name).is_file())
    };
    let missing: Vec<&str> = programs.iter().copied().filter(|name| !find(name)).collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED in {test}: {} not installed; the inner command is run instead", missing.join(", "));
    }
    missing.is_empty()
}

/// A script of `deploy/` with the variables that say what is hunted.
fn script(file: &str, folder: &Path) -> Command {
    let mut script = Command::new("bash");
    script.arg(deploy(file)).current_dir(folder);
    for name in ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "PARALLEL_SEQ", "MQLAB_JOBS"] {
        script.env_remove(name);
    }
    let asked = [("SEEDS", SEEDS), ("SHARDS", "3"), ("FLAGS", "--profile faithful"), ("MQLAB_LANG", "en")];
    script.env("MQLAB", env!("CARGO_BIN_EXE_mqlab")).envs(asked).env("MERGE_FLAGS", "--no-shrink --format json");
    script
}

#[test]
fn the_script_for_gnu_parallel_gives_the_report_of_the_uncut_hunt() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = hunt(folder, SEEDS, &["--no-shrink", "--format", "json"]);
    if installed(&["parallel"], "the_script_for_gnu_parallel_gives_the_report_of_the_uncut_hunt") {
        let output = script("parallel/hunt.sh", folder).env("JOBS", "2").output().unwrap();
        assert_eq!(timeless(&output), timeless(&whole), "{}", talk(&output));
        assert_eq!(output.status.code(), whole.status.code());
        let joblog = fs::read_to_string(folder.join("results/joblog")).unwrap();
        assert_eq!(joblog.lines().count(), 1 + 3, "{joblog}");
        return;
    }
    for number in ["3", "1", "2"] {
        let asked =
            ["hunt", "26-hunt", "--profile", "faithful", "--seeds", SEEDS, "--shards", "3", "--out", "results/"];
        assert!(command(folder, &asked).env("PARALLEL_SEQ", number).output().unwrap().status.success());
    }
    let merged = mqlab(folder, &["hunt", "merge", "results", "--no-shrink", "--format", "json"]);
    assert_eq!(timeless(&merged), timeless(&whole));
}

#[test]
fn the_script_for_slurm_does_its_part_under_the_variables_that_slurm_sets() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = hunt(folder, SEEDS, &["--no-shrink", "--format", "json"]);
    for task in ["1", "0", "2"] {
        let variables = [("SLURM_ARRAY_TASK_ID", task), ("SLURM_ARRAY_TASK_COUNT", "3"), ("SLURM_CPUS_PER_TASK", "1")];
        let output = script("slurm/hunt.sbatch", folder).envs(variables).output().unwrap();
        assert!(output.status.success(), "{}", talk(&output));
    }
    let merged = script("slurm/hunt.sbatch", folder).env("MERGE", "1").output().unwrap();
    assert_eq!(timeless(&merged), timeless(&whole), "{}", talk(&merged));
    assert_eq!(merged.status.code(), whole.status.code());
}

#[test]
fn a_slurm_of_one_node_runs_the_array_and_the_merge_behind_it() {
    let name = "a_slurm_of_one_node_runs_the_array_and_the_merge_behind_it";
    if !installed(&["sbatch", "slurmctld", "slurmd", "munged", "timeout"], name) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(slurm) = Slurm::start(&folder.path().join("slurm")) else {
        eprintln!("SKIPPED in {name}: Slurm is installed and does not start here (it wants to be root)");
        return;
    };
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    let whole = hunt(&work, SEEDS, &["--no-shrink", "--format", "json"]);
    let submit = |more: &[&str]| {
        let mut sbatch = Command::new("timeout");
        sbatch.args(["500", "sbatch", "--wait", "--parsable"]).args(more).arg(deploy("slurm/hunt.sbatch"));
        script("slurm/hunt.sbatch", &work).get_envs().for_each(|(name, value)| match value {
            Some(value) => drop(sbatch.env(name, value)),
            None => drop(sbatch.env_remove(name)),
        });
        sbatch.current_dir(&work).env("SLURM_CONF", slurm.0.join("slurm.conf")).output().unwrap()
    };
    let parts = submit(&["--array=0-2", "--cpus-per-task=1"]);
    assert!(parts.status.success(), "{} {}", talk(&parts), slurm.logs());
    let merged = submit(&["--export=ALL,MERGE=1", "--output=merged.json", "--cpus-per-task=1"]);
    assert_eq!(merged.status.code(), whole.status.code(), "{} {}", talk(&merged), slurm.logs());
    let printed = Output { stdout: fs::read(work.join("merged.json")).unwrap(), ..merged };
    assert_eq!(timeless(&printed), timeless(&whole));
}

/// A controller, a node and their key, below a folder.
struct Slurm(PathBuf);

impl Slurm {
    fn start(folder: &Path) -> Option<Slurm> {
        fs::create_dir_all(folder.join("state")).ok()?;
        let host = String::from_utf8(Command::new("hostname").arg("-s").output().ok()?.stdout).ok()?;
        let free = || std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok().map(|addr| addr.port());
        let (host, at) = (host.trim(), folder.display());
        let conf = format!(
            "ClusterName=t\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={}\nSlurmdPort={}\nAuthType=auth/munge\n\
             AuthInfo=socket={at}/munge.sock\nSlurmUser=root\nSlurmdUser=root\nStateSaveLocation={at}/state\n\
             SlurmdSpoolDir={at}/spool\nSlurmctldPidFile={at}/ctld.pid\nSlurmdPidFile={at}/slurmd.pid\n\
             SlurmctldLogFile={at}/ctld.log\nSlurmdLogFile={at}/slurmd.log\nProctrackType=proctrack/linuxproc\n\
             TaskPlugin=task/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nMpiDefault=none\n\
             ReturnToService=2\nNodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN\n\
             PartitionName=p Nodes=ALL Default=YES State=UP\n",
            free()?,
            free()?
        );
        fs::write(folder.join("slurm.conf"), conf).ok()?;
        let key = folder.join("munge.key");
        fs::write(&key, [7; 128]).ok()?;
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).ok()?;
        let slurm = Slurm(folder.to_owned());
        let munged =
            ["key-file=munge.key", "socket=munge.sock", "pid-file=munged.pid", "log-file=munged.log", "seed-file=seed"];
        let munged = munged.map(|option| {
            let (name, file) = option.split_once('=').unwrap_or((option, ""));
            format!("--{name}={at}/{file}")
        });
        let starts = |program: &str, words: &[String]| slurm.run(program, words) == Some(true);
        let is_up = starts("munged", &[&["--force".to_owned()], &munged[..]].concat())
            && starts("slurmctld", &["-i".to_owned()])
            && starts("slurmd", &[]);
        // What has started is stopped again when the value goes.
        is_up.then_some(slurm)
    }

    /// With nothing to write to: a daemon may keep it open for ever.
    fn run(&self, program: &str, words: &[String]) -> Option<bool> {
        let sbin = PathBuf::from("/usr/sbin").join(program);
        let mut command = Command::new(if sbin.is_file() { sbin } else { program.into() });
        command.args(words).env("SLURM_CONF", self.0.join("slurm.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().ok().map(|status| status.success())
    }

    fn logs(&self) -> String {
        ["ctld.log", "slurmd.log"].map(|name| fs::read_to_string(self.0.join(name)).unwrap_or_default()).concat()
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        self.run("scontrol", &["shutdown".to_owned()]);
        self.run("munged", &["--stop".to_owned(), format!("--socket={}/munge.sock", self.0.display())]);
    }
}

#[test]
fn the_job_for_kubernetes_asks_for_as_many_parts_as_it_has_completions() {
    let text = fs::read_to_string(deploy("kubernetes/hunt-job.yaml")).unwrap();
    let completions = text.lines().find_map(|line| line.trim().strip_prefix("completions: ")).unwrap();
    assert!(text.contains("completionMode: Indexed") && text.contains(&format!("--shards, \"{completions}\"")));
    // Its words, with fewer seeds and another folder, as a pod runs them.
    let words = text.lines().find_map(|line| line.trim().strip_prefix("args: [")?.strip_suffix(']')).unwrap();
    let words: Vec<String> = words
        .split(", ")
        .map(|word| match word.trim_matches('"') {
            "0..1000000" => "0..16".to_owned(),
            "/results" => "results".to_owned(),
            word => word.to_owned(),
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = command(folder.path(), &words).env("JOB_COMPLETION_INDEX", "7").output().unwrap();
    assert!(output.status.success(), "{}", talk(&output));
    let part = file::read(&fs::read(folder.path().join("results/shard-7-of-8.json")).unwrap()).unwrap();
    assert_eq!(part.block(), 14..16);
    let merge = fs::read_to_string(deploy("kubernetes/merge-job.yaml")).unwrap();
    assert!(merge.contains("args: [hunt, merge, /results, "));
}
