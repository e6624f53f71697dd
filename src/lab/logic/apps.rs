//! The applications of one client process, some of them a user's own.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::lab::logic::{Chooser, Consumer, Cx, Deed, Outcome, Transactions, threw};
use crate::lab::sim::machine::{Action, Applications, Ledger};
use crate::mq::app::{Call, Choice, ConsumeOutcome, LocalOutcome, OpId, Return, TaskId};
use crate::mq::message::{Group, Name};
use crate::mq::time::Time;

/// A user's logics in front of the scenario's applications: what no logic claims is theirs.
pub(super) struct OwnApps {
    pub(super) node: Name,
    pub(super) consumers: BTreeMap<Group, Box<dyn Consumer>>,
    pub(super) transactions: BTreeMap<Group, Box<dyn Transactions>>,
    pub(super) selectors: BTreeMap<Group, Box<dyn Chooser>>,
    pub(super) rest: Box<dyn Applications>,
    ledger: Ledger,
    /// Answers that are being thought about, by token.
    thinking: BTreeMap<u64, (TaskId, ConsumeOutcome)>,
    /// Whose sends are under way.
    sends: BTreeMap<OpId, Group>,
    next_token: u64,
    next_op: u64,
}

impl OwnApps {
    pub(super) fn new(
        node: Name,
        consumers: BTreeMap<Group, Box<dyn Consumer>>,
        transactions: BTreeMap<Group, Box<dyn Transactions>>,
        selectors: BTreeMap<Group, Box<dyn Chooser>>,
        rest: Box<dyn Applications>,
    ) -> OwnApps {
        let (ledger, thinking, sends) = Default::default();
        let (next_token, next_op) = (OWN, OWN);
        OwnApps { node, consumers, transactions, selectors, rest, ledger, thinking, sends, next_token, next_op }
    }

    /// Lets a logic run. `None` if it panicked: what it had done by then stays done.
    fn with<R>(
        &mut self,
        (now, group): (Time, &Group),
        draw: &mut dyn FnMut(u64) -> u64,
        out: &mut Vec<Action>,
        run: impl FnOnce(&mut OwnLogics<'_>, &mut Cx<'_>) -> R,
    ) -> Called<R> {
        let OwnApps { node, consumers, transactions, selectors, ledger, next_op, .. } = self;
        let mut logics = OwnLogics { consumers, transactions, selectors };
        let mut cx = Cx { now, node, ledger, draw, deeds: Vec::new(), next_op };
        let value = catch_unwind(AssertUnwindSafe(|| run(&mut logics, &mut cx))).ok();
        let deeds = cx.deeds;
        for deed in deeds {
            match deed {
                Deed::Wrote(key, value) => out.push(Action::Note { key, value }),
                Deed::Called(call, op) => {
                    self.sends.insert(op, group.clone());
                    out.push(Action::Call(call));
                }
                Deed::Crashed => {
                    out.push(Action::Crash);
                    return Called::Died;
                }
            }
        }
        value.map_or(Called::Threw, Called::Gave)
    }

    fn listen(
        &mut self,
        (now, task, group): (Time, TaskId, &Group),
        messages: &[crate::mq::message::StoredMessage],
        draw: &mut dyn FnMut(u64) -> u64,
        out: &mut Vec<Action>,
    ) {
        let called = self.with((now, group), draw, out, |logics, cx| {
            logics.consumers.get_mut(group).expect("asked before").on_batch(cx, messages)
        });
        let Outcome { answer, takes } = match called {
            Called::Gave(outcome) => outcome,
            Called::Threw => Outcome::of(ConsumeOutcome::Threw),
            Called::Died => return,
        };
        if takes.0 == 0 {
            return out.push(listened(task, answer));
        }
        let token = self.next_token;
        self.next_token += 1;
        self.thinking.insert(token, (task, answer));
        out.push(Action::Wake { at: now + takes, token });
    }
}

/// The logics of a process, while one of them runs.
struct OwnLogics<'a> {
    consumers: &'a mut BTreeMap<Group, Box<dyn Consumer>>,
    transactions: &'a mut BTreeMap<Group, Box<dyn Transactions>>,
    selectors: &'a mut BTreeMap<Group, Box<dyn Chooser>>,
}

/// How a call of a logic ended.
enum Called<R> {
    Gave(R),
    Threw,
    Died,
}

impl Applications for OwnApps {
    fn recall(&mut self, ledger: &Ledger) {
        self.ledger = ledger.clone();
        self.rest.recall(ledger);
    }

    fn boot(&mut self, now: Time, out: &mut Vec<Action>) {
        // No dice are cast for a boot: a logic that draws in it always gets the least.
        let draw: &mut dyn FnMut(u64) -> u64 = &mut |_| 0;
        let groups: Vec<Group> = self.consumers.keys().cloned().collect();
        for group in &groups {
            self.with((now, group), draw, out, |logics, cx| {
                logics.consumers.get_mut(group).expect("listed above").on_boot(cx);
            });
        }
        let groups: Vec<Group> = self.transactions.keys().cloned().collect();
        for group in &groups {
            self.with((now, group), draw, out, |logics, cx| {
                logics.transactions.get_mut(group).expect("listed above").on_boot(cx);
            });
        }
        self.rest.boot(now, out);
    }

    fn on_return(&mut self, now: Time, answer: &Return, draw: &mut dyn FnMut(u64) -> u64, out: &mut Vec<Action>) {
        match answer {
            Return::Listen { task, group, messages, .. } if self.consumers.contains_key(group) => {
                self.listen((now, *task, group), messages, draw, out);
            }
            Return::Select { task, group, queues, message, .. } if self.selectors.contains_key(group) => {
                let called = self.with((now, group), draw, out, |logics, cx| {
                    logics.selectors.get_mut(group).expect("asked before").select(cx, queues, message)
                });
                let choice = match called {
                    Called::Gave(Some(place)) => queues.get(place).cloned().map_or(Choice::Threw, Choice::Queue),
                    Called::Gave(None) => Choice::Null,
                    Called::Threw => Choice::Threw,
                    Called::Died => return,
                };
                out.push(Action::Call(Box::new(Call::Selected { task: *task, choice })));
            }
            Return::Execute { task, group, message, .. } if self.transactions.contains_key(group) => {
                let called = self.with((now, group), draw, out, |logics, cx| {
                    logics.transactions.get_mut(group).expect("asked before").execute(cx, message)
                });
                out.extend(decided(*task, called));
            }
            Return::Check { task, group, message } if self.transactions.contains_key(group) => {
                let called = self.with((now, group), draw, out, |logics, cx| {
                    logics.transactions.get_mut(group).expect("asked before").check(cx, message)
                });
                out.extend(decided(*task, called));
            }
            Return::Sent { op, .. } | Return::Failed { op, .. } if self.sends.contains_key(op) => {
                let group = self.sends.remove(op).expect("asked before");
                let result = match answer {
                    Return::Sent { result, .. } => Ok(result),
                    Return::Failed { error, .. } => Err(error),
                    _ => unreachable!("the arm is of these two"),
                };
                self.with((now, &group), draw, out, |logics, cx| {
                    if let Some(consumer) = logics.consumers.get_mut(&group) {
                        consumer.on_sent(cx, *op, result);
                    }
                });
            }
            _ => self.rest.on_return(now, answer, draw, out),
        }
    }

    fn on_wake(&mut self, now: Time, token: u64, out: &mut Vec<Action>) {
        match self.thinking.remove(&token) {
            Some((task, answer)) => out.push(listened(task, answer)),
            None => self.rest.on_wake(now, token, out),
        }
    }

    fn fork(&self) -> Box<dyn Applications> {
        Box::new(OwnApps {
            node: self.node.clone(),
            consumers: self.consumers.iter().map(|(group, logic)| (group.clone(), logic.fork())).collect(),
            transactions: self.transactions.iter().map(|(group, logic)| (group.clone(), logic.fork())).collect(),
            selectors: self.selectors.iter().map(|(group, logic)| (group.clone(), logic.fork())).collect(),
            rest: self.rest.fork(),
            ledger: self.ledger.clone(),
            thinking: self.thinking.clone(),
            sends: self.sends.clone(),
            next_token: self.next_token,
            next_op: self.next_op,
        })
    }
}

fn listened(task: TaskId, outcome: ConsumeOutcome) -> Action {
    Action::Call(Box::new(Call::Listened { task, outcome }))
}

fn decided(task: TaskId, called: Called<crate::mq::app::LocalState>) -> Option<Action> {
    let outcome = match called {
        Called::Gave(state) => LocalOutcome::State(state),
        Called::Threw => threw(),
        Called::Died => return None,
    };
    Some(Action::Call(Box::new(Call::Decided { task, outcome })))
}

/// Numbers from here on are a logic's; the scenario's applications stay below.
const OWN: u64 = 1 << 63;
