//! Transaction listeners: what a local transaction does, and what is answered when a broker asks.
//!
//! A transaction that commits or rolls back is a line in the ledger of the application's machine, written in the moment in
//! which it ends: a database. What the process only remembers, like the article's map, dies with it.

use std::collections::BTreeMap;

use crate::lab::workload::apps::AppAction;
use crate::lab::workload::ops::{CheckAct, DecideRule, Decider, LocalAct};
use crate::mq::app::{Call, LocalOutcome, LocalState, TaskId};
use crate::mq::message::property::names;
use crate::mq::message::{Message, Name};
use crate::mq::time::Span;

/// The transaction listeners of one process.
#[derive(Clone, Debug, Default)]
pub(super) struct Deciders {
    deciders: Vec<Decider>,
    /// How transactions ended, by their ids: the article's map.
    remembered: BTreeMap<Name, LocalState>,
    /// The same by business key, as this process and those before it wrote it down.
    ledger: BTreeMap<Name, Name>,
    /// How often each transaction was asked for.
    asked: BTreeMap<Name, usize>,
}

/// A local transaction under way.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Running {
    task: TaskId,
    /// The transaction's id.
    id: Name,
    /// What it is booked under.
    key: Name,
    act: LocalAct,
}

impl Deciders {
    pub(super) fn new(deciders: Vec<Decider>) -> Deciders {
        Deciders { deciders, ..Deciders::default() }
    }

    /// Reads what earlier processes wrote down.
    pub(super) fn recall(&mut self, ledger: &BTreeMap<Name, Name>) {
        self.ledger.clone_from(ledger);
    }

    /// Whether a message's transaction is booked already.
    pub(super) fn is_booked(&self, message: &Message) -> bool {
        self.ledger.contains_key(&book_key(message))
    }

    /// A local transaction begins: what it will do, and how long it takes at least and at most.
    pub(super) fn execute(&self, task: TaskId, group: &str, message: &Message) -> (Running, Span, Span) {
        let key = book_key(message);
        let id = message.properties.get(names::UNIQ_KEY).cloned().unwrap_or_default();
        match self.rule(group, message) {
            Some(rule) => (Running { task, id, key, act: rule.local }, rule.takes_min, rule.takes_max),
            None => (Running { task, id, key, act: LocalAct::Commit }, Span::ZERO, Span::ZERO),
        }
    }

    /// A local transaction ends: it is booked, remembered and told, in this order.
    pub(super) fn end(&mut self, running: Running, out: &mut Vec<AppAction>) {
        let Running { task, id, key, act } = running;
        let state = match act {
            LocalAct::Commit | LocalAct::Crash => LocalState::Commit,
            LocalAct::Rollback => LocalState::Rollback,
            LocalAct::Unknown => return out.push(answer(task, LocalOutcome::State(LocalState::Unknown))),
            LocalAct::Null => return out.push(answer(task, LocalOutcome::Null)),
            LocalAct::Throw => return out.push(answer(task, threw())),
        };
        self.book(key, state, out);
        self.remembered.insert(id, state);
        out.push(match act {
            LocalAct::Crash => AppAction::Crash,
            _ => answer(task, LocalOutcome::State(state)),
        });
    }

    /// A broker asks: the listener answers at once. What it finds out by asking itself is booked, too.
    pub(super) fn check(&mut self, task: TaskId, group: &str, message: &Message, out: &mut Vec<AppAction>) {
        let id = message.properties.get(names::UNIQ_KEY).cloned().unwrap_or_default();
        let key = book_key(message);
        let asked = self.asked.entry(id.clone()).or_insert(0);
        let nth = *asked;
        *asked += 1;
        let rule = self.rule(group, message);
        let act = rule.and_then(|rule| rule.checks.get(nth).or(rule.checks.last()).copied());
        let outcome = match act.unwrap_or(CheckAct::Ledger) {
            CheckAct::Commit => LocalOutcome::State(LocalState::Commit),
            CheckAct::Rollback => LocalOutcome::State(LocalState::Rollback),
            CheckAct::Unknown => LocalOutcome::State(LocalState::Unknown),
            CheckAct::Null => LocalOutcome::Null,
            CheckAct::Throw => threw(),
            CheckAct::Silent => return,
            CheckAct::Memory => {
                self.remembered.get(&id).map_or(LocalOutcome::Null, |state| LocalOutcome::State(*state))
            }
            CheckAct::Ledger => LocalOutcome::State(match self.ledger.get(&key).map(Name::as_str) {
                Some("commit") => LocalState::Commit,
                Some(_) => LocalState::Rollback,
                None => LocalState::Unknown,
            }),
        };
        if let LocalOutcome::State(state @ (LocalState::Commit | LocalState::Rollback)) = outcome
            && !self.ledger.contains_key(&key)
        {
            self.book(key, state, out);
        }
        out.push(answer(task, outcome));
    }

    fn book(&mut self, key: Name, state: LocalState, out: &mut Vec<AppAction>) {
        let value = Name::from(state.word());
        self.ledger.insert(key.clone(), value.clone());
        out.push(AppAction::Note { key, value });
    }

    fn rule(&self, group: &str, message: &Message) -> Option<&DecideRule> {
        let key = message.properties.get(names::KEYS);
        let rules = self.deciders.iter().filter(|decider| decider.group == *group).flat_map(|decider| &decider.rules);
        rules.into_iter().find(|rule| {
            rule.key.as_ref().is_none_or(|wanted| Some(wanted) == key)
                && rule.topic.as_ref().is_none_or(|wanted| *wanted == message.topic)
        })
    }
}

/// What a transaction is booked under: the message's key, or its id if it has none.
fn book_key(message: &Message) -> Name {
    let key = message.properties.get(names::KEYS).or(message.properties.get(names::UNIQ_KEY));
    key.cloned().unwrap_or_default()
}

fn answer(task: TaskId, outcome: LocalOutcome) -> AppAction {
    AppAction::Call(Box::new(Call::Decided { task, outcome }))
}

fn threw() -> LocalOutcome {
    LocalOutcome::Threw("java.lang.RuntimeException".into())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mq::message::property::Properties;

    fn message() -> Message {
        let mut properties = Properties::new();
        properties.put(names::KEYS, "t-1");
        properties.put(names::UNIQ_KEY, "U1");
        Message { topic: "T".into(), flag: 0, properties, body: Bytes::new() }
    }

    fn deciders(local: LocalAct, check: CheckAct) -> Deciders {
        let rule = DecideRule {
            topic: None,
            key: None,
            local,
            checks: vec![check],
            takes_min: Span::ZERO,
            takes_max: Span::ZERO,
        };
        Deciders::new(vec![Decider { node: "bank".into(), group: "G".into(), rules: vec![rule] }])
    }

    fn asked(deciders: &mut Deciders) -> LocalOutcome {
        let mut out = Vec::new();
        deciders.check(TaskId(7), "G", &message(), &mut out);
        match out.pop() {
            Some(AppAction::Call(call)) => match *call {
                Call::Decided { outcome, .. } => outcome,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_crash_keeps_the_ledger_and_loses_the_memory() {
        for (check, after) in
            [(CheckAct::Memory, LocalOutcome::Null), (CheckAct::Ledger, LocalOutcome::State(LocalState::Commit))]
        {
            let mut before = deciders(LocalAct::Crash, check);
            let (running, ..) = before.execute(TaskId(1), "G", &message());
            let mut out = Vec::new();
            before.end(running, &mut out);
            let note = AppAction::Note { key: "t-1".into(), value: "commit".into() };
            assert_eq!(out, [note, AppAction::Crash]);
            assert_eq!(asked(&mut before), LocalOutcome::State(LocalState::Commit), "alive it knows both ways");
            let mut again = deciders(LocalAct::Crash, check);
            again.recall(&BTreeMap::from([("t-1".into(), "commit".into())]));
            assert_eq!(asked(&mut again), after);
            assert!(again.is_booked(&message()));
        }
    }

    #[test]
    fn answers_go_by_the_number_of_the_question_and_the_last_repeats() {
        let mut listener = deciders(LocalAct::Unknown, CheckAct::Unknown);
        listener.deciders[0].rules[0].checks = vec![CheckAct::Throw, CheckAct::Unknown, CheckAct::Commit];
        let unknown = LocalOutcome::State(LocalState::Unknown);
        let commit = LocalOutcome::State(LocalState::Commit);
        let got: Vec<LocalOutcome> = (0..4).map(|_| asked(&mut listener)).collect();
        assert_eq!(got, [threw(), unknown, commit.clone(), commit]);
    }
}
