//! A property's test: what failed before, then new cases, then the smallest that fails, kept and told.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::lab::prop::failure::Failure;
use crate::lab::prop::plan::Plan;
use crate::lab::prop::strategy::PlanStrategy;

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

    /// Plans that failed lie here, as `<name>.plan.toml`, and those that do are tried first: whatever begins with the name.
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
        if let Some(file) = asked_for() {
            return self.again(&file, &property);
        }
        for file in self.kept() {
            self.again(&file, &property)?;
        }
        let config =
            Config { cases: self.cases, failure_persistence: None, max_shrink_iters: SHRINKS_MAX, ..Config::default() };
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
        let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        let file = folder.join(format!("{}.plan.toml", self.name));
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

/// The plan that whoever runs the test asked for.
#[expect(clippy::disallowed_methods, reason = "a test has no command line: the environment says which plan to replay")]
fn asked_for() -> Option<PathBuf> {
    std::env::var_os("MQLAB_PLAN").filter(|file| !file.is_empty()).map(PathBuf::from)
}
