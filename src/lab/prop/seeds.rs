//! Proptest's own file of seeds, beside the plans: `<name>.proptest-regressions`.
//!
//! A seed draws the plan as it was before it was made smaller, for as long as the strategy is what it was; the plan beside it is
//! what a person reads, and stays what it is.

use std::any::Any;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use proptest::test_runner::{FailurePersistence, PersistedSeed};

/// One test's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seeds(pub(super) PathBuf);

impl FailurePersistence for Seeds {
    fn load_persisted_failures2(&self, _: Option<&'static str>) -> Vec<PersistedSeed> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let seeds = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        seeds.filter(|seed| !seed.is_empty()).filter_map(|seed| seed.parse().ok()).collect()
    }

    fn save_persisted_failure2(&mut self, _: Option<&'static str>, seed: PersistedSeed, _: &dyn fmt::Debug) {
        if self.load_persisted_failures2(None).contains(&seed) {
            return;
        }
        let before = fs::read_to_string(&self.0).unwrap_or_else(|_| HEAD.to_owned());
        let folder = self.0.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(&self.0, format!("{before}{seed}\n"))).unwrap_or_else(|error| {
            panic!("{}: {error}; choose a folder that can be written", self.0.display());
        });
    }

    fn box_clone(&self) -> Box<dyn FailurePersistence> {
        Box::new(self.clone())
    }

    fn eq(&self, other: &dyn FailurePersistence) -> bool {
        other.as_any().downcast_ref::<Seeds>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

const HEAD: &str = "# Seeds of plans that failed, as proptest writes them. Each draws its plan again before any new one is \
                    drawn;\n# what it was made smaller to is the `.plan.toml` beside this file.\n";
