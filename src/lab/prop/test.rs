//! A property's test: what failed before, then new cases, then the smallest that fails, kept and told.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::test_runner::{Config, FailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::lab::explore::shrink::shrink_by;
use crate::lab::prop::failure::Failure;
use crate::lab::prop::plan::Plan;
use crate::lab::prop::seeds::Seeds;
use crate::lab::prop::strategy::PlanStrategy;

/// How many runs a hunt's passes may take.
const PASSES_RUNS: u64 = 400;
/// How often a plan is made smaller at most.
const SHRINKS_MAX: u32 = 2_000;

/// How a property is tried. The cases are the same in every run: they follow from the name and the seed.
#[derive(Clone, Debug)]
pub struct Test {
    name: String,
    cases: u32,
    seed: u64,
    folder: Option<PathBuf>,
}

impl Test {
    /// A test of 64 cases. The name is that of the test's function: the replay command has it.
    pub fn new(name: &str) -> Test {
        Test { name: name.to_owned(), cases: 64, seed: 0, folder: None }
    }

    /// So many cases.
    pub fn cases(self, cases: u32) -> Test {
        Test { cases, ..self }
    }

    /// Other cases.
    pub fn seed(self, seed: u64) -> Test {
        Test { seed, ..self }
    }

    /// Plans that failed lie here, as `<name>.<what was broken>.plan.toml`, a file for each thing that was, and those that do are
    /// tried first: whatever begins with the name. Beside them lies proptest's file of seeds, `<name>.proptest-regressions`.
    pub fn regressions(self, folder: impl Into<PathBuf>) -> Test {
        Test { folder: Some(folder.into()), ..self }
    }

    /// Tries the property.
    ///
    /// Panics: it fails; the text is the [`Failure`]'s.
    pub fn run(&self, plans: &PlanStrategy, property: impl Fn(&Plan) -> Result<(), Failure>) {
        if let Err(failure) = self.check(plans, property) {
            panic!("{failure}");
        }
    }

    /// Tries the property.
    ///
    /// Errors: it fails; the plan is as small as it could be made, and lies in the folder of regressions.
    ///
    /// Panics: a file of the folder cannot be read or is no plan.
    pub fn check(&self, plans: &PlanStrategy, property: impl Fn(&Plan) -> Result<(), Failure>) -> Result<(), Failure> {
        match asked_for() {
            Some(Asked::Plan(file)) => return self.again(&file, &property),
            Some(Asked::Seed(seed)) => {
                let failure = property(&plans.of_seed(seed)).map_err(Failure::blamed);
                return failure
                    .map_err(|failure| failure.with_replay(format!("MQLAB_SEED={seed} cargo test {}", self.name)));
            }
            None => {}
        }
        for file in self.kept() {
            self.again(&file, &property)?;
        }
        let seeds =
            self.folder.as_ref().map(|folder| Seeds(folder.join(format!("{}.proptest-regressions", self.name))));
        let failure_persistence = seeds.map(|seeds| Box::new(seeds) as Box<dyn FailurePersistence>);
        let config =
            Config { cases: self.cases, failure_persistence, max_shrink_iters: SHRINKS_MAX, ..Config::default() };
        let seed = blake3::hash(format!("{} {}", self.name, self.seed).as_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, seed.as_bytes());
        // What is made smaller has to stay what it was.
        let first: RefCell<Option<(String, String)>> = RefCell::new(None);
        let outcome = TestRunner::new_with_rng(config, rng).run(plans, |plan| match property(&plan) {
            Ok(()) => Ok(()),
            Err(failure) => {
                let (id, clause) = failure.fingerprint();
                let own = (id.to_owned(), clause.to_owned());
                let mut first = first.borrow_mut();
                if *first.get_or_insert_with(|| own.clone()) == own { Err(TestCaseError::fail(own.0)) } else { Ok(()) }
            }
        });
        match outcome {
            Ok(()) => Ok(()),
            Err(TestError::Fail(reason, plan)) => Err(self.failed(&plan, &property, reason.message())),
            Err(TestError::Abort(reason)) => panic!("{reason}"),
        }
    }

    fn failed(&self, plan: &Plan, property: &impl Fn(&Plan) -> Result<(), Failure>, reason: &str) -> Failure {
        let failure = property(plan).err().unwrap_or_else(|| {
            panic!("{reason}\nThe plan passes the second time: the logic asks something else than Cx for time or chance.\n{plan}")
        });
        let (plan, failure) = smallest(plan.clone(), failure, property);
        let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        let (id, clause) = failure.fingerprint();
        let file = folder.join(format!("{}.{}.plan.toml", self.name, slug(&format!("{id} {clause}"))));
        fs::create_dir_all(&folder).and_then(|()| fs::write(&file, plan.text())).unwrap_or_else(|error| {
            panic!("{}: {error}; choose a folder that can be written\n{failure}", file.display())
        });
        failure.blamed().with_replay(self.command(&file))
    }

    fn again(&self, file: &Path, property: &impl Fn(&Plan) -> Result<(), Failure>) -> Result<(), Failure> {
        let name = file.display().to_string();
        let text =
            fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}; MQLAB_PLAN names a plan file"));
        let plan = Plan::parse(&name, &text).unwrap_or_else(|error| panic!("{name} is no plan any more: {error}"));
        property(&plan).map_err(|failure| failure.blamed().with_replay(self.command(file)))
    }

    fn command(&self, file: &Path) -> String {
        let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        format!("MQLAB_PLAN='{}' cargo test {}", file.display(), self.name)
    }

    /// The plans of the folder, in order of their names.
    fn kept(&self) -> Vec<PathBuf> {
        let Some(entries) = self.folder.as_ref().and_then(|folder| fs::read_dir(folder).ok()) else {
            return Vec::new();
        };
        let is_ours = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let rest = name.strip_prefix(&self.name).and_then(|rest| rest.strip_suffix(".plan.toml"));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut files: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_ours(path)).collect();
        files.sort();
        files
    }
}

/// What a hunt's passes still take out of a plan that was made smaller: time in which nothing happens, settings, digits.
fn smallest(plan: Plan, failure: Failure, property: &impl Fn(&Plan) -> Result<(), Failure>) -> (Plan, Failure) {
    let fails = |text: &str| {
        let smaller = plan.with(text).filter(|smaller| smaller.groups() == plan.groups())?;
        let other = property(&smaller).err()?;
        (other.fingerprint() == failure.fingerprint()).then_some((smaller, other))
    };
    let found = shrink_by(plan.text(), PASSES_RUNS, &|text| fails(text).is_some()).and_then(|text| fails(&text));
    found.unwrap_or((plan, failure))
}

/// What whoever runs the test asked for.
enum Asked {
    Plan(PathBuf),
    Seed(u64),
}

/// `MQLAB_PLAN` names a plan file, `MQLAB_SEED` a plan's seed.
///
/// Panics: the seed is no number.
#[expect(clippy::disallowed_methods, reason = "a test has no command line: the environment says which plan to replay")]
fn asked_for() -> Option<Asked> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = given("MQLAB_PLAN") {
        return Some(Asked::Plan(PathBuf::from(file)));
    }
    let seed = given("MQLAB_SEED")?.to_string_lossy().into_owned();
    let number = seed.parse().unwrap_or_else(|_| panic!("MQLAB_SEED is `{seed}`; it has to be a number"));
    Some(Asked::Seed(number))
}

/// A part of a file's name.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word.to_ascii_lowercase());
    }
    slug
}
