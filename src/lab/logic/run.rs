//! A plan with logics in it, and what came of its run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::lab::check::history::History;
use crate::lab::check::letters::Delivery;
use crate::lab::check::{self, Finding, Verdict};
use crate::lab::logic::apps::OwnApps;
use crate::lab::logic::{Chooser, Consumer, ConsumerLogic, QueueSelector, Transactions, TxnLogic};
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::sim::boot;
use crate::lab::sim::machine::BootApps;
use crate::lab::sim::session::{RunResult, Session};
use crate::lab::sim::world::Setup;
use crate::lab::trace::record::{App, Level, What};
use crate::lab::workload::ops::Select;
use crate::mq::message::{Group, Name};
use crate::mq::profile::Profile;

type Make<T> = Arc<dyn Fn(&str) -> Box<T> + Send + Sync>;

/// A plan in which some applications are your own.
#[derive(Clone)]
pub struct Lab {
    plan: Plan,
    consumers: BTreeMap<Group, Make<dyn Consumer>>,
    transactions: BTreeMap<Group, Make<dyn Transactions>>,
    selectors: BTreeMap<Group, Make<dyn Chooser>>,
}

impl Lab {
    /// The plan as it is: every application is the scenario's.
    pub fn of(plan: Plan) -> Lab {
        let (consumers, transactions, selectors) = Default::default();
        Lab { plan, consumers, transactions, selectors }
    }

    /// The listeners of a consumer group are made by `make`, which gets the client's name: one for each boot of each client.
    ///
    /// Panics: no client of the plan has a consumer of that group.
    pub fn consumer<L>(mut self, group: &str, make: impl Fn(&str) -> L + Send + Sync + 'static) -> Lab
    where
        L: ConsumerLogic + Clone + 'static,
    {
        let known = self.groups(|client| client.consumers.iter().map(|consumer| &consumer.group).collect());
        assert!(known.contains(&group), "no consumer of group `{group}` in the plan, which has {known:?}");
        self.consumers.insert(group.into(), Arc::new(move |node| Box::new(make(node))));
        self
    }

    /// The transaction listeners of a producer group are made by `make`, as [`Lab::consumer`]'s.
    ///
    /// Panics: no client of the plan has a transactional producer of that group.
    pub fn transactions<L>(mut self, group: &str, make: impl Fn(&str) -> L + Send + Sync + 'static) -> Lab
    where
        L: TxnLogic + Clone + 'static,
    {
        let known = self.groups(|client| {
            client.producers.iter().filter(|producer| producer.transactional).map(|producer| &producer.group).collect()
        });
        assert!(
            known.contains(&group),
            "no transactional producer of group `{group}` in the plan, which has {known:?}"
        );
        self.transactions.insert(group.into(), Arc::new(move |node| Box::new(make(node))));
        self
    }

    /// The queues of what a producer group's senders send are chosen by what `make` makes, as [`Lab::consumer`]'s: it is
    /// asked when the topic's queues are known, and the message is tried once.
    ///
    /// Panics: no sender of the plan uses that group.
    pub fn selector<L>(mut self, group: &str, make: impl Fn(&str) -> L + Send + Sync + 'static) -> Lab
    where
        L: QueueSelector + Clone + 'static,
    {
        let known: Vec<&str> = self.plan.senders.iter().map(|sender| sender.group.as_str()).collect();
        assert!(known.contains(&group), "no sender of group `{group}` in the plan, which has {known:?}");
        for sender in self.plan.senders.iter_mut().filter(|sender| sender.group == *group) {
            sender.select = Select::Own;
        }
        self.selectors.insert(group.into(), Arc::new(move |node| Box::new(make(node))));
        self
    }

    fn groups<'a>(&'a self, of: impl Fn(&'a crate::lab::scenario::plan::ClientPlan) -> Vec<&'a Group>) -> Vec<&'a str> {
        let clients = self.plan.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Client(client) => Some(&**client),
            _ => None,
        });
        clients.flat_map(of).map(Name::as_str).collect()
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The same with another seed.
    pub fn seed(mut self, seed: u64) -> Lab {
        self.plan.seed = seed;
        self
    }

    /// The same with another profile.
    pub fn with_profile(mut self, profile: Profile) -> Lab {
        self.plan.profile = profile;
        self
    }

    /// Runs to the end, and judges nothing.
    pub fn play(&self, level: Level) -> RunResult {
        Session::run_setup(self.setup(level))
    }

    /// A session at the beginning of the run: to step, look back and branch.
    pub fn session(&self, level: Level) -> Session {
        Session::of_setup(self.setup(level))
    }

    /// Runs to the end and judges: what the plan expects, and what is judged in every run.
    pub fn run(&self) -> Run {
        let result = Session::run_setup(self.setup(Level::Full));
        let findings = check::run(&result.trace, &self.plan);
        let mut history = History::of(&result.trace);
        history.part(&self.plan);
        Run { seed: self.plan.seed, scenario: self.plan.scenario.clone(), result, findings, history }
    }

    fn setup(&self, level: Level) -> Setup {
        let mut setup = boot::empty(&self.plan);
        setup.level = level;
        for node in &self.plan.nodes {
            let mut machine = boot::machine(&self.plan, node);
            if let (NodeKind::Client(client), Some(planned)) = (&node.kind, &machine.apps) {
                let own = Own {
                    node: node.name.clone(),
                    consumers: ours(&self.consumers, client.consumers.iter().map(|consumer| &consumer.group)),
                    transactions: ours(&self.transactions, client.producers.iter().map(|producer| &producer.group)),
                    selectors: ours(&self.selectors, client.producers.iter().map(|producer| &producer.group)),
                };
                if !(own.consumers.is_empty() && own.transactions.is_empty() && own.selectors.is_empty()) {
                    machine.apps = Some(own.boots(planned.clone()));
                }
            }
            setup.add_machine(machine, node.boot.clone());
        }
        setup
    }
}

/// Who makes the logics of one client.
struct Own {
    node: Name,
    consumers: Vec<(Group, Make<dyn Consumer>)>,
    transactions: Vec<(Group, Make<dyn Transactions>)>,
    selectors: Vec<(Group, Make<dyn Chooser>)>,
}

impl Own {
    fn boots(self, planned: BootApps) -> BootApps {
        Arc::new(move || {
            let Own { node, consumers, transactions, selectors } = &self;
            let consumers = consumers.iter().map(|(group, make)| (group.clone(), make(node))).collect();
            let transactions = transactions.iter().map(|(group, make)| (group.clone(), make(node))).collect();
            let selectors = selectors.iter().map(|(group, make)| (group.clone(), make(node))).collect();
            Box::new(OwnApps::new(node.clone(), consumers, transactions, selectors, planned()))
        })
    }
}

fn ours<'a, T: ?Sized>(
    all: &BTreeMap<Group, Make<T>>,
    groups: impl Iterator<Item = &'a Group>,
) -> Vec<(Group, Make<T>)> {
    groups.filter_map(|group| Some((group.clone(), all.get(group)?.clone()))).collect()
}

/// A run that has ended.
pub struct Run {
    seed: u64,
    scenario: Name,
    result: RunResult,
    findings: Vec<Finding>,
    history: History,
}

impl Run {
    /// The trace, the digest, the panics of nodes.
    pub fn result(&self) -> &RunResult {
        &self.result
    }

    /// Every verdict.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What outsiders saw.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What a group's listeners were handed, in order.
    pub fn deliveries<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Delivery> {
        self.history.deliveries.iter().filter(move |delivery| delivery.group == *group)
    }

    /// What a machine's ledger holds at the end.
    pub fn ledger(&self, node: &str) -> BTreeMap<Name, Name> {
        let trace = &self.result.trace;
        let own = trace.records().iter().filter(|record| record.node.is_some_and(|id| *trace.name(id) == *node));
        let notes = own.filter_map(|record| match &record.what {
            What::App(App::Noted { key, value }) => Some((key.clone(), value.clone())),
            _ => None,
        });
        notes.collect()
    }

    /// That every verdict is as the plan expects it, and no node panicked; what is not judged for want of evidence passes
    /// unless it was asked for.
    pub fn require(&self) -> Result<(), Broken> {
        let mut lines: Vec<String> = Vec::new();
        for panic in &self.result.panics {
            lines.push(format!("{} panicked in #{}: {}", self.result.trace.name(panic.node), panic.step, panic.text));
        }
        for finding in self.findings.iter().filter(|finding| !finding.is_as_expected()) {
            lines.push(format!(
                "{} {} {}: {}",
                finding.judges(),
                finding.id,
                finding.verdict.as_str(),
                finding.summary.en
            ));
        }
        self.broken(lines)
    }

    /// That something of your own holds of the run.
    pub fn hold(&self, id: &str, property: impl FnOnce(&Run) -> Result<(), String>) -> Result<(), Broken> {
        self.broken(property(self).err().map(|why| format!("{id}: {why}")).into_iter().collect())
    }

    /// What a check found, by its name or its id in the plan.
    pub fn verdict(&self, name: &str) -> Option<&Verdict> {
        self.findings.iter().find(|finding| finding.id == name || finding.check == name).map(|finding| &finding.verdict)
    }

    fn broken(&self, lines: Vec<String>) -> Result<(), Broken> {
        if lines.is_empty() {
            return Ok(());
        }
        Err(Broken { scenario: self.scenario.clone(), seed: self.seed, lines })
    }
}

/// What did not hold, and the seed that shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The scenario.
    pub scenario: Name,
    /// The seed.
    pub seed: u64,
    /// What did not hold, a line each.
    pub lines: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} with seed {}:", self.scenario, self.seed)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for Broken {}
