//! The log: a run's records in order, with a header that says what the run was.

use std::ops::Range;

use crate::lab::trace::record::{NodeId, Record, Seq};
use crate::mq::message::Name;
use crate::mq::time::{Millis, Time};

/// A recorded run.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    /// What the run was.
    pub header: Header,
    records: Vec<Record>,
    /// Index of each step's first record.
    steps: Vec<usize>,
}

/// What a run was.
#[derive(Clone, PartialEq, Debug)]
pub struct Header {
    /// The scenario's id.
    pub scenario: Name,
    /// The seed.
    pub seed: u64,
    /// The profile's name.
    pub profile: Name,
    /// Wall clock of every node at step 0.
    pub start: Millis,
    /// The nodes, by number.
    pub nodes: Vec<NodeHead>,
}

/// A node as the trace names it.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeHead {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub role: Role,
    /// `ip:port`.
    pub addr: Name,
}

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A nameserver.
    Nameserver,
    /// A broker.
    Broker,
    /// A client process with producers, consumers or both.
    Client,
}

impl Trace {
    /// An empty trace.
    pub fn new(header: Header) -> Trace {
        Trace { header, records: Vec::new(), steps: Vec::new() }
    }

    /// Makes room for so many more records: what grows by doubling is copied as often.
    pub fn reserve(&mut self, records: usize) {
        self.records.reserve(records);
    }

    /// Adds the next record. Records come in order of `seq`; steps never go back.
    pub fn push(&mut self, record: Record) {
        let step = record.step as usize;
        assert!(self.steps.len() <= step + 1, "records come in order of steps");
        while self.steps.len() <= step {
            self.steps.push(self.records.len());
        }
        self.records.push(record);
    }

    /// All records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// How many steps there are.
    pub fn steps(&self) -> u64 {
        self.steps.len() as u64
    }

    /// The records of one step.
    pub fn step(&self, step: u64) -> &[Record] {
        &self.records[self.range(step)]
    }

    /// The records before `step`: what had happened at the moment `#step`.
    pub fn before(&self, step: u64) -> &[Record] {
        &self.records[..self.range(step).start]
    }

    /// Where the records of `step` lie; empty behind the end.
    pub fn range(&self, step: u64) -> Range<usize> {
        let start_of = |step: u64| self.steps.get(step as usize).copied().unwrap_or(self.records.len());
        start_of(step)..start_of(step.saturating_add(1))
    }

    /// The record of that number, if it was kept.
    pub fn get(&self, seq: Seq) -> Option<&Record> {
        let at = self.records.binary_search_by_key(&seq, |record| record.seq).ok()?;
        self.records.get(at)
    }

    /// True time of the moment `#step`.
    pub fn time(&self, step: u64) -> Time {
        match self.step(step).first() {
            Some(record) => record.at,
            None => self.records.last().map_or(Time::ZERO, |record| record.at),
        }
    }

    /// A node's name.
    pub fn name(&self, node: NodeId) -> &Name {
        &self.header.nodes[usize::from(node.0)].name
    }

    /// A node's number.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        let at = self.header.nodes.iter().position(|node| node.name == name)?;
        Some(NodeId(at as u16))
    }
}
