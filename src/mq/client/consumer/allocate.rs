//! Who owns which queue: pure functions of the queues, the members and one's own id.

use crate::mq::message::{MessageQueue, Name};

/// A rule that shares the queues of a topic among the members of a group.
///
/// Source: `AllocateMessageQueueStrategy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strategy {
    /// Neighbouring queues in equal portions. Source: `AllocateMessageQueueAveragely`.
    #[default]
    Averagely,
    /// One queue each, round and round. Source: `AllocateMessageQueueAveragelyByCircle`.
    ByCircle,
}

/// What a strategy cannot work with; the rebalance skips the topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AllocateError {
    /// One's own id is empty.
    #[error("currentCID is empty")]
    NoSelf,
    /// There are no queues.
    #[error("mqAll is null or mqAll empty")]
    NoQueues,
    /// There are no members.
    #[error("cidAll is null or cidAll empty")]
    NoMembers,
}

impl Strategy {
    /// Upstream's name of the strategy. Source: `AllocateMessageQueueStrategy.getName`.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Averagely => "AVG",
            Strategy::ByCircle => "AVG_BY_CIRCLE",
        }
    }

    /// The queues of `own` out of `queues`, both lists sorted by the caller; empty if `own` is no member.
    ///
    /// Source: `AllocateMessageQueueAveragely.allocate`, `AllocateMessageQueueAveragelyByCircle.allocate`.
    pub fn allocate(
        self,
        own: &str,
        queues: &[MessageQueue],
        members: &[Name],
    ) -> Result<Vec<MessageQueue>, AllocateError> {
        if own.is_empty() {
            return Err(AllocateError::NoSelf);
        }
        if queues.is_empty() {
            return Err(AllocateError::NoQueues);
        }
        if members.is_empty() {
            return Err(AllocateError::NoMembers);
        }
        let Some(index) = members.iter().position(|member| member == own) else {
            return Ok(Vec::new());
        };
        Ok(match self {
            Strategy::Averagely => averagely(index, queues, members.len()),
            Strategy::ByCircle => queues.iter().skip(index).step_by(members.len()).cloned().collect(),
        })
    }
}

fn averagely(index: usize, queues: &[MessageQueue], members: usize) -> Vec<MessageQueue> {
    let remainder = queues.len() % members;
    let size = match queues.len() <= members {
        true => 1,
        false => queues.len() / members + usize::from(index < remainder),
    };
    let start = match index < remainder {
        true => index * size,
        false => index * size + remainder,
    };
    queues.iter().skip(start).take(size).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(strategy: Strategy, queues: i32, members: usize, expected: &str) {
        let queues: Vec<MessageQueue> =
            (0..queues).map(|id| MessageQueue { topic: "T".into(), broker: "a".into(), queue_id: id }).collect();
        let members: Vec<Name> = (0..members).map(|number| Name::new(format!("c{number}"))).collect();
        let shares: Vec<String> = members
            .iter()
            .map(|own| {
                let share = strategy.allocate(own, &queues, &members).expect("all lists are full");
                share.iter().map(|queue| queue.queue_id.to_string()).collect()
            })
            .collect();
        assert_eq!(shares.join(" "), expected);
    }

    #[test]
    fn averagely_gives_neighbours_and_by_circle_deals_cards() {
        check(Strategy::Averagely, 8, 3, "012 345 67");
        check(Strategy::Averagely, 5, 2, "012 34");
        check(Strategy::Averagely, 4, 5, "0 1 2 3 ");
        check(Strategy::ByCircle, 8, 3, "036 147 25");
        check(Strategy::ByCircle, 5, 2, "024 13");
        check(Strategy::ByCircle, 4, 5, "0 1 2 3 ");
    }

    #[test]
    fn a_stranger_gets_nothing() {
        let queues = [MessageQueue { topic: "T".into(), broker: "a".into(), queue_id: 0 }];
        assert_eq!(Strategy::Averagely.allocate("x", &queues, &["c".into()]), Ok(Vec::new()));
    }
}
