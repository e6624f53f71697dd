//! A plan with your own logics in it, run and asked.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::lab::check::history::History;
use crate::lab::check::letters::Delivery;
use crate::lab::check::{self, Finding, Guarantee, Verdict};
use crate::lab::logic::{self, ConsumerLogic, TxnLogic};
use crate::lab::prop::failure::{Failure, Suspect};
use crate::lab::prop::plan::Plan;
use crate::lab::prop::promise;
use crate::lab::scenario::plan::{self, Check, Expect, Outcome};
use crate::lab::sim::session::RunResult;
use crate::lab::trace::record::{App, Level, Seq, What};
use crate::mq::message::Name;
use crate::mq::profile::Profile;
use crate::mq::time::Time;

type Dress = Arc<dyn Fn(logic::Lab) -> logic::Lab + Send + Sync>;

/// What every plan of a property runs with: a profile, and logics of your own.
#[derive(Clone)]
pub struct Lab {
    profile: Profile,
    dresses: Vec<Dress>,
}

impl Lab {
    /// Every broker and client as this profile says.
    pub fn new(profile: Profile) -> Lab {
        Lab { profile, dresses: Vec::new() }
    }

    /// The listeners of a consumer group, as [`logic::Lab::consumer`] has them: a run panics if the plan has no such group.
    pub fn consumer<L>(mut self, group: &str, make: impl Fn(&str) -> L + Send + Sync + 'static) -> Lab
    where
        L: ConsumerLogic + Clone + 'static,
    {
        let (group, make) = (group.to_owned(), Arc::new(make));
        self.dresses.push(Arc::new(move |lab| {
            let make = make.clone();
            lab.consumer(&group, move |node| make(node))
        }));
        self
    }

    /// The transaction listeners of a producer group, as [`logic::Lab::transactions`] has them.
    pub fn transactions<L>(mut self, group: &str, make: impl Fn(&str) -> L + Send + Sync + 'static) -> Lab
    where
        L: TxnLogic + Clone + 'static,
    {
        let (group, make) = (group.to_owned(), Arc::new(make));
        self.dresses.push(Arc::new(move |lab| {
            let make = make.clone();
            lab.transactions(&group, move |node| make(node))
        }));
        self
    }

    /// With the repair of a weakness, by its row: `K01`.
    ///
    /// Panics: there is no such row.
    pub fn fix(mut self, row: &str) -> Lab {
        assert!(self.profile.set(row, true), "there is no weakness `{row}`; one is `K01`");
        self
    }

    /// Runs a plan to its end.
    pub fn run(&self, plan: &Plan) -> Run {
        let decided = plan::Plan { profile: self.profile.clone(), ..plan.decided().clone() };
        let lab = self.dresses.iter().fold(logic::Lab::of(decided), |lab, dress| dress(lab));
        let result = lab.play(Level::History);
        Run { within: plan.is_within(), lab, result, history: OnceCell::new() }
    }
}

/// A run that has ended.
pub struct Run {
    within: bool,
    lab: logic::Lab,
    result: RunResult,
    history: OnceCell<History>,
}

/// A property of your own.
pub trait Property {
    /// Its name.
    fn id(&self) -> &str;

    /// When it is claimed, as the end of a sentence.
    fn scope(&self) -> &str {
        "in every run"
    }

    /// Whether it held.
    ///
    /// Errors: it did not; the records show it.
    fn check(&self, run: &Run) -> Result<(), Broken>;
}

/// A name and a function.
impl<F: Fn(&Run) -> Result<(), Broken>> Property for (&str, F) {
    fn id(&self) -> &str {
        self.0
    }

    fn check(&self, run: &Run) -> Result<(), Broken> {
        (self.1)(run)
    }
}

/// How a property was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// In a sentence.
    pub why: String,
    /// The records that show it; at most 30 are told.
    pub witness: Vec<Seq>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("digest", &self.result.digest).field("events", &self.result.events).finish()
    }
}

impl Run {
    /// The trace, the digest, the panics of nodes.
    pub fn result(&self) -> &RunResult {
        &self.result
    }

    /// The plan that was run, profile included.
    pub fn plan(&self) -> &plan::Plan {
        self.lab.plan()
    }

    /// What every check says of it that applies to its plan.
    pub fn verdicts(&self) -> Vec<(&'static str, Verdict)> {
        let expect = |check: &Check| Expect { id: check.name().into(), check: check.clone(), outcome: Outcome::Holds };
        let expects: Vec<Expect> = check::suite(self.lab.plan()).iter().map(expect).collect();
        let asked = plan::Plan { expects, ..self.lab.plan().clone() };
        let findings = check::run(&self.result.trace, &asked).into_iter().filter(|finding| finding.asked);
        findings.map(|finding| (finding.check, finding.verdict)).collect()
    }

    /// What listeners of a group were handed, in order.
    pub fn deliveries<'r>(&'r self, group: &'r str) -> impl Iterator<Item = &'r Delivery> {
        self.history().deliveries.iter().filter(move |delivery| *delivery.group == *group)
    }

    /// What outsiders saw.
    pub fn history(&self) -> &History {
        self.history.get_or_init(|| {
            let mut history = History::of(&self.result.trace);
            history.part(self.lab.plan());
            history
        })
    }

    /// When the last fault had ended and the last process had booted.
    pub fn healed(&self) -> Time {
        let history = self.history();
        let faults = history.faults.iter().map(|(at, _)| *at);
        faults.chain(history.boots.iter().map(|(_, at)| *at)).max().unwrap_or(Time::ZERO)
    }

    /// What a machine's ledger holds at the end.
    pub fn ledger(&self, node: &str) -> BTreeMap<Name, Name> {
        let trace = &self.result.trace;
        let node = trace.node(node);
        let notes = trace.records().iter().filter_map(|record| match &record.what {
            What::App(App::Noted { key, value }) if record.node == node => Some((key.clone(), value.clone())),
            _ => None,
        });
        notes.collect()
    }

    /// That guarantees of [`promise`] hold where they are promised; what the plan gives no evidence for passes, and so does what
    /// is not owed beyond.
    ///
    /// Errors: one is broken, by a registered weakness of the profile or otherwise; or a process panicked.
    ///
    /// Panics: no constant of [`promise`] is that guarantee.
    pub fn require(&self, guarantees: &[Guarantee]) -> Result<(), Failure> {
        if let Some(panic) = self.result.panics.first() {
            let node = self.result.trace.name(panic.node);
            let why = format!("{node} panicked in #{}: {}", panic.step, panic.text);
            return Err(self.failure(("no-panic", "in every run"), "panic", Broken { why, witness: Vec::new() }));
        }
        let applicable = check::suite(self.lab.plan());
        for guarantee in guarantees {
            let (check, scope) = promise::find(*guarantee)
                .unwrap_or_else(|| panic!("{guarantee} cannot be required: take a constant of lab::prop::promise"));
            if !applicable.contains(check) || (!self.within && !check::is_owed_beyond(check)) {
                continue;
            }
            let Some(finding) = judge(&self.result, self.lab.plan(), check) else { continue };
            let (clause, witness) = match &finding.verdict {
                Verdict::Violation { clause, witness } | Verdict::Known { clause, witness, .. } => (*clause, witness),
                Verdict::Harness { invariant } => (invariant.as_str(), &Vec::new()),
                Verdict::Pass | Verdict::Inconclusive { .. } => continue,
            };
            let broken = Broken { why: finding.summary.en.clone(), witness: witness.clone() };
            let id = format!("{} {}", finding.judges(), check.name());
            let failure = self.failure((&id, scope), clause, broken);
            let known = match finding.verdict {
                Verdict::Known { weakness, .. } => Some(format!("K{weakness:02}")),
                _ => None,
            };
            return Err(failure.suspecting(Suspect { lab: self.lab.clone(), check: check.clone(), known }));
        }
        Ok(())
    }

    /// That a property of your own holds.
    ///
    /// Errors: it does not.
    pub fn hold(&self, property: impl Property) -> Result<(), Failure> {
        let broken = property.check(self).err();
        broken.map_or(Ok(()), |broken| Err(self.failure((property.id(), property.scope()), "", broken)))
    }

    fn failure(&self, (id, scope): (&str, &str), clause: &str, broken: Broken) -> Failure {
        Failure::of((id, scope), clause, broken, (&self.result.trace, self.lab.plan()))
    }
}

/// What one check says of a run, if that is not as it should be.
pub(super) fn judge(result: &RunResult, plan: &plan::Plan, check: &Check) -> Option<Finding> {
    let expect = Expect { id: check.name().into(), check: check.clone(), outcome: Outcome::Holds };
    let asked = plan::Plan { expects: vec![expect], ..plan.clone() };
    check::run(&result.trace, &asked).into_iter().find(|finding| finding.asked && finding.verdict != Verdict::Pass)
}
