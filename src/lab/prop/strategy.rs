//! Strategies of whole plans, and the tree by which proptest makes a failing plan smaller.

use proptest::arbitrary::any;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::lab::explore::swarm::{self, Bounds, Regime};
use crate::lab::prop::draw::{self, Topology};
use crate::lab::prop::faults::Faults;
use crate::lab::prop::plan::Plan;
use crate::lab::prop::shrink::{Plain, Removals};
use crate::lab::prop::workload::Workload;

/// Plans drawn from a seed each.
#[derive(Clone, Debug)]
pub struct PlanStrategy(Source);

#[derive(Clone, Debug)]
enum Source {
    Built(Box<(Topology, Workload, Faults)>),
    Swarm(Bounds),
}

/// Plans of these servers, applications and faults.
pub fn plan(topology: Topology, workload: Workload, faults: Faults) -> PlanStrategy {
    PlanStrategy(Source::Built(Box::new((topology, workload, faults))))
}

/// Everything that a hunt draws, each feature left out of every second plan. The consumer group is `billing`.
///
/// A hunt asks its governor before a machine loses power; a property's run has none, so within what is promised no power is
/// lost.
pub fn swarm(bounds: Bounds) -> PlanStrategy {
    let mut bounds = bounds;
    if bounds.regime == Regime::Mixed {
        bounds.regime = Regime::Within;
    }
    if bounds.regime == Regime::Within {
        bounds.without.extend(["power-loss", "rack-loss"].map(str::to_owned));
    }
    PlanStrategy(Source::Swarm(bounds))
}

impl PlanStrategy {
    /// The plan of a seed.
    pub fn of_seed(&self, seed: u64) -> Plan {
        let (text, beyond) = match &self.0 {
            Source::Built(parts) => {
                let (topology, workload, faults) = &**parts;
                (draw::scenario(seed, topology, workload, faults), faults.is_beyond())
            }
            Source::Swarm(bounds) => {
                let draft = swarm::draw(seed, bounds, "rocketmq-4.3.2");
                // Half a minute to settle, and two for what is tried again.
                (draft.text(&Default::default(), draft.healed + 150_000), !draft.within)
            }
        };
        let text = if beyond { Plan::beyond(&text) } else { text };
        Plan::parse("drawn.plan.toml", &text)
            .unwrap_or_else(|error| panic!("what is drawn is a scenario: {error}\n{text}"))
    }
}

impl Strategy for PlanStrategy {
    type Tree = PlanTree;
    type Value = Plan;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        // A scenario's seed is a TOML integer, 63 bits; the shorter the better to read.
        let seed = any::<u32>().new_tree(runner)?.current();
        Ok(PlanTree::new(self.of_seed(u64::from(seed))))
    }
}

/// A plan and what can be taken out of it.
#[derive(Clone, Debug)]
pub struct PlanTree {
    /// The smallest that failed so far.
    failed: Plan,
    /// What is being tried.
    tried: Option<Plan>,
    /// Texts with one thing less than `failed`.
    smaller: Vec<String>,
    /// The next of them.
    next: usize,
    /// Whether something went since the list was begun.
    progress: bool,
}

impl PlanTree {
    /// A tree whose first value is this plan.
    pub fn new(plan: Plan) -> PlanTree {
        PlanTree { failed: plan, tried: None, smaller: Vec::new(), next: 0, progress: true }
    }

    /// The next candidate that is a plan, and has someone in every group that consumed.
    fn advance(&mut self) -> bool {
        loop {
            while let Some(text) = self.smaller.get(self.next) {
                self.next += 1;
                match Plan::parse("smaller.plan.toml", text) {
                    Ok(plan) if plan.groups() == self.failed.groups() => {
                        self.tried = Some(plan);
                        return true;
                    }
                    _ => {}
                }
            }
            if !self.progress {
                return false;
            }
            (self.progress, self.next) = (false, 0);
            self.smaller = Plain.smaller(self.failed.text());
        }
    }
}

impl ValueTree for PlanTree {
    type Value = Plan;

    fn current(&self) -> Plan {
        self.tried.as_ref().unwrap_or(&self.failed).clone()
    }

    /// The current plan failed: it is what more is taken out of.
    fn simplify(&mut self) -> bool {
        if let Some(plan) = self.tried.take() {
            self.failed = plan;
            self.progress = true;
            // What stood behind the removed piece has its place now.
            self.smaller = Plain.smaller(self.failed.text());
            self.next = self.next.saturating_sub(1);
        }
        self.advance()
    }

    /// The current plan passed: what went is put back.
    fn complicate(&mut self) -> bool {
        self.tried = None;
        self.advance()
    }
}
