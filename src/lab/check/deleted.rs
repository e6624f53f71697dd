//! Topics that operators deleted: what was sent to one before is owed to nobody, and its queues count from 0 again.
//!
//! When exactly a broker deletes is nobody's to see: it is between the call and its return. What was under way then is on
//! neither side.

use crate::lab::trace::record::{App, NodeId, Record, What};
use crate::mq::app::{AdminCall, Call, Return};
use crate::mq::message::Topic;
use crate::mq::message::names::{dlq_topic, retry_topic};
use crate::mq::time::Time;

/// All deletions, in the order of their calls.
#[derive(Debug, Default)]
pub struct Deletions(Vec<Deletion>);

#[derive(Debug)]
struct Deletion {
    key: (NodeId, u32, u64),
    topic: Topic,
    asked: Time,
    /// When the operator was told; never, if it was not.
    told: Time,
}

impl Deletions {
    /// Takes a record in.
    pub(super) fn see(&mut self, record: &Record, node: NodeId) {
        let key = |op: u64| (node, record.incarnation, op);
        match &record.what {
            What::App(App::Called(call)) => {
                let Call::Admin { op, what } = &**call else { return };
                let topics = match what {
                    AdminCall::DeleteTopic { topic, .. } => vec![topic.clone()],
                    // With a group go its topics.
                    AdminCall::DeleteGroup { group, .. } => vec![retry_topic(group), dlq_topic(group)],
                    _ => return,
                };
                let deletion = |topic| Deletion { key: key(op.0), topic, asked: record.at, told: Time::NEVER };
                self.0.extend(topics.into_iter().map(deletion));
            }
            What::App(App::Returned(answer)) => {
                // One that failed may have been half done.
                if let Return::Administered { op, .. } | Return::Failed { op, .. } = &**answer {
                    let key = key(op.0);
                    self.0.iter_mut().filter(|one| one.key == key).for_each(|one| one.told = record.at);
                }
            }
            _ => {}
        }
    }

    /// When a topic was last deleted before a moment, if it was.
    pub(super) fn last_before(&self, topic: &str, at: Time) -> Option<Time> {
        self.0.iter().filter(|one| one.topic == *topic && one.told < at).map(|one| one.told).max()
    }

    /// Whether nobody deleted anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what was in a topic at a moment may have been deleted later.
    pub fn spoil(&self, topic: &str, at: Time) -> bool {
        self.0.iter().any(|one| one.topic == *topic && at <= one.told)
    }

    /// How often a topic had been deleted while something was done from one moment to another; `None` if a deletion fell
    /// into that time.
    pub fn epoch(&self, topic: &str, from: Time, to: Time) -> Option<usize> {
        let own = || self.0.iter().filter(|one| one.topic == *topic);
        let is_within = own().any(|one| one.asked <= to && from <= one.told);
        (!is_within).then(|| own().filter(|one| one.told < from).count())
    }
}
