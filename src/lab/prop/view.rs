//! Properties of moments: what never holds, and what does at last.
//!
//! A moment is whatever an application or a fault has just done. What is asked sees a [`View`]: all that outsiders know by then,
//! and nothing of what comes later.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::letters::Delivery;
use crate::lab::prop::run::{Broken, Property, Run};
use crate::lab::trace::record::{App, Fault, Seq, What};
use crate::mq::message::{Message, Name};
use crate::mq::time::{Span, Time};

/// That there is no moment of a run at which this holds.
pub fn never(holds: impl Fn(&View<'_>) -> bool + 'static) -> Claim {
    Claim { name: "never".to_owned(), within: None, holds: Box::new(holds) }
}

/// That this holds at some moment after the last fault has ended and the last process has booted, so much later at most. A run
/// that ends before that is no evidence.
pub fn eventually(within: Span, holds: impl Fn(&View<'_>) -> bool + 'static) -> Claim {
    Claim { name: "eventually".to_owned(), within: Some(within), holds: Box::new(holds) }
}

/// See [`never`] and [`eventually`].
pub struct Claim {
    name: String,
    within: Option<Span>,
    holds: Box<dyn Fn(&View<'_>) -> bool>,
}

impl Claim {
    /// With a name of its own: failures of two names are two, however small they are made.
    pub fn named(self, name: &str) -> Claim {
        Claim { name: name.to_owned(), ..self }
    }
}

/// What outsiders know at a moment of a run.
#[derive(Debug)]
pub struct View<'a> {
    run: &'a Run,
    now: Time,
    /// How many sends were called, and which of them were acknowledged.
    sent: usize,
    acked: BTreeSet<usize>,
    /// How many deliveries have begun, and which of them are over.
    handed: usize,
    over: BTreeSet<Seq>,
    ledgers: BTreeMap<Name, BTreeMap<Name, Name>>,
}

impl View<'_> {
    /// The moment.
    pub fn now(&self) -> Time {
        self.now
    }

    /// What producers have begun to send.
    pub fn sent(&self) -> impl Iterator<Item = &Message> {
        self.run.history().sends[..self.sent].iter().map(|send| &*send.message)
    }

    /// Those of them that were acknowledged; half messages never are.
    pub fn acked(&self) -> impl Iterator<Item = &Message> {
        self.acked.iter().map(|at| &*self.run.history().sends[*at].message)
    }

    /// What listeners of a group were handed, in order.
    pub fn deliveries<'v>(&'v self, group: &'v str) -> impl Iterator<Item = &'v Delivery> {
        self.run.history().deliveries[..self.handed].iter().filter(move |delivery| *delivery.group == *group)
    }

    /// Whether the listener is done with it, or has died over it.
    pub fn is_over(&self, delivery: &Delivery) -> bool {
        self.over.contains(&delivery.seq)
    }

    /// What a machine's ledger holds.
    pub fn ledger(&self, node: &str) -> impl Iterator<Item = (&Name, &Name)> {
        self.ledgers.get(node).into_iter().flatten()
    }

    /// The rows of all machines' ledgers.
    pub fn rows(&self) -> impl Iterator<Item = (&Name, &Name)> {
        self.ledgers.values().flatten()
    }
}

enum Change {
    Sent,
    Acked(usize),
    Handed,
    Over(Seq),
    Noted(Name, Name, Name),
    Fault,
}

/// Everything that changes what outsiders know, in order.
fn changes(run: &Run) -> Vec<(Seq, Change)> {
    let (history, trace) = (run.history(), &run.result().trace);
    let mut all: Vec<(Seq, Change)> = history.sends.iter().map(|send| (send.seq, Change::Sent)).collect();
    let places: BTreeMap<Seq, Vec<usize>> =
        history.sends.iter().enumerate().fold(BTreeMap::new(), |mut all, (at, send)| {
            all.entry(send.seq).or_insert_with(Vec::new).push(at);
            all
        });
    for (send, seq, ..) in history.acked() {
        let own = places[&send.seq].iter().find(|at| history.sends[**at].number == send.number);
        all.extend(own.map(|at| (seq, Change::Acked(*at))));
    }
    for delivery in &history.deliveries {
        all.push((delivery.seq, Change::Handed));
        all.extend(delivery.end.map(|(seq, _)| (seq, Change::Over(delivery.seq))));
    }
    for record in trace.records() {
        match &record.what {
            What::App(App::Noted { key, value }) => {
                let node = trace.name(record.node.expect("a ledger lies on a machine")).clone();
                all.push((record.seq, Change::Noted(node, key.clone(), value.clone())));
            }
            What::Fault(Fault::Begun { .. } | Fault::Ended { .. }) => all.push((record.seq, Change::Fault)),
            _ => {}
        }
    }
    all.sort_by_key(|(seq, _)| *seq);
    all
}

impl Property for Claim {
    fn id(&self) -> &str {
        &self.name
    }

    fn scope(&self) -> &str {
        match self.within {
            None => "at every moment of every run",
            Some(_) => "after the last fault has ended and the last process has booted",
        }
    }

    fn check(&self, run: &Run) -> Result<(), Broken> {
        let healed = run.healed();
        let until = self.within.map(|within| healed + within);
        if until.is_some_and(|until| run.history().end < until) {
            return Ok(());
        }
        let trace = &run.result().trace;
        let (acked, over, ledgers) = Default::default();
        let mut view = View { run, now: Time::ZERO, sent: 0, acked, handed: 0, over, ledgers };
        let changes = changes(run);
        let mut is_met = false;
        let mut last = 0;
        for (at, (seq, change)) in changes.iter().enumerate() {
            let now = trace.get(*seq).map_or(view.now, |record| record.at);
            if until.is_some_and(|until| until < now) {
                break;
            }
            // What was true when all had healed counts, too.
            if until.is_some() && view.now < healed && healed < now {
                view.now = healed;
                is_met |= (self.holds)(&view);
            }
            view.now = now;
            view.take(change);
            last = at;
            // A call of several messages, and an answer for them, is one moment.
            if changes.get(at + 1).is_some_and(|(next, _)| next == seq) {
                continue;
            }
            if until.is_none() && (self.holds)(&view) {
                return Err(broken(format!("it held at {now}"), &changes[..=at]));
            }
            is_met |= until.is_some() && healed <= now && (self.holds)(&view);
        }
        let Some(until) = until else { return Ok(()) };
        view.now = until;
        match is_met || (self.holds)(&view) {
            true => Ok(()),
            false => Err(broken(format!("it did not hold until {until}"), &changes[..changes.len().min(last + 1)])),
        }
    }
}

impl View<'_> {
    fn take(&mut self, change: &Change) {
        match change {
            Change::Sent => self.sent += 1,
            Change::Acked(at) => drop(self.acked.insert(*at)),
            Change::Handed => self.handed += 1,
            Change::Over(seq) => drop(self.over.insert(*seq)),
            Change::Noted(node, key, value) => {
                self.ledgers.entry(node.clone()).or_default().insert(key.clone(), value.clone());
            }
            Change::Fault => {}
        }
    }
}

/// What happened last shows it: once a plan is small, that is all there is.
fn broken(why: String, changes: &[(Seq, Change)]) -> Broken {
    let mut witness: Vec<Seq> = changes.iter().map(|(seq, _)| *seq).collect();
    witness.dedup();
    Broken { why, witness: witness.split_off(witness.len().saturating_sub(WITNESS)) }
}

/// A witness has no more events.
const WITNESS: usize = 20;
