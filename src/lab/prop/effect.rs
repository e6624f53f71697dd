//! The property of a consumer that is idempotent: each message has its effect once, however often it is delivered.

use std::collections::BTreeMap;

use crate::lab::prop::run::{Broken, Property, Run};
use crate::lab::trace::record::{App, Fault, Seq, What};
use crate::mq::app::ConsumeOutcome;
use crate::mq::message::{Name, StoredMessage};

/// What a message of [`crate::lab::prop::workload`] is called by: its body, which no other message has.
pub fn identity(message: &StoredMessage) -> Name {
    String::from_utf8_lossy(&message.message.body).into_owned().into()
}

/// That the ledgers of a group's clients hold a 1, all together, under the key of each message that a listener has answered for.
/// A ledger's row holds how often the effect took place.
pub fn exactly_once_effect(group: &str, key: fn(&StoredMessage) -> Name) -> ExactlyOnce {
    ExactlyOnce { group: group.to_owned(), key }
}

/// See [`exactly_once_effect`].
#[derive(Clone, Debug)]
pub struct ExactlyOnce {
    group: String,
    key: fn(&StoredMessage) -> Name,
}

impl Property for ExactlyOnce {
    fn id(&self) -> &str {
        "exactly-once-effect"
    }

    fn scope(&self) -> &str {
        "of every message that the listener has answered for"
    }

    fn check(&self, run: &Run) -> Result<(), Broken> {
        let mut deliveries: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
        let (mut nodes, mut settled) = (std::collections::BTreeSet::new(), Vec::new());
        let history = run.history();
        for (number, delivery) in history.deliveries.iter().enumerate().filter(|(_, own)| *own.group == *self.group) {
            nodes.insert(run.result().trace.name(delivery.node).clone());
            // How many of a batch an index settles is for the client to say; a whole answer is no question.
            let done = matches!(delivery.answer, Some(ConsumeOutcome::Success { ack_index }) if ack_index == i32::MAX);
            for message in &delivery.messages {
                let key = (self.key)(message);
                if done {
                    settled.push(key.clone());
                }
                deliveries.entry(key).or_default().push(number);
            }
        }
        let ledgers: Vec<BTreeMap<Name, Name>> = nodes.iter().map(|node| run.ledger(node)).collect();
        let times = |key: &Name| -> u64 {
            ledgers.iter().filter_map(|ledger| ledger.get(key)).map(|times| times.parse().unwrap_or(0)).sum()
        };
        let twice = deliveries.keys().find(|key| 1 < times(key));
        let Some(key) = twice.or_else(|| settled.iter().find(|key| times(key) == 0)) else { return Ok(()) };
        let handed = &deliveries[key];
        let why = format!("`{key}` had its effect {} times in {} deliveries", times(key), handed.len());
        Err(Broken { why, witness: self.witness(run, key, handed) })
    }
}

impl ExactlyOnce {
    /// The send, each delivery with its end and what was written for it, and the faults in between.
    fn witness(&self, run: &Run, key: &Name, handed: &[usize]) -> Vec<Seq> {
        let (history, trace) = (run.history(), &run.result().trace);
        // The first four tell it: who fails to remember does so at once.
        let handed: Vec<_> = handed.iter().take(4).map(|number| &history.deliveries[*number]).collect();
        let mut witness: Vec<Seq> = handed.iter().map(|delivery| delivery.seq).collect();
        witness.extend(handed.iter().filter_map(|delivery| delivery.end).map(|(seq, _)| seq));
        let (Some(first), Some(last)) = (witness.iter().min().copied(), witness.iter().max().copied()) else {
            return witness;
        };
        let message = handed.iter().flat_map(|delivery| &delivery.messages).find(|message| (self.key)(message) == *key);
        let send = history.sends.iter().find(|send| message.is_some_and(|own| own.message.body == send.message.body));
        witness.extend(send.map(|send| send.seq));
        let between = trace.records().iter().filter(|record| first <= record.seq && record.seq <= last);
        witness.extend(between.filter_map(|record| match &record.what {
            What::App(App::Noted { key: own, .. }) if own == key => Some(record.seq),
            What::Fault(Fault::Begun { .. } | Fault::Ended { .. }) => Some(record.seq),
            _ => None,
        }));
        witness.sort();
        witness.truncate(20);
        witness
    }
}
