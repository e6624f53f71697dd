//! Who owns which queue: pure functions of the queues, the members and one's own id.

use std::collections::BTreeMap;

use crate::mq::client::consumer::ring::Ring;
use crate::mq::message::{MessageQueue, Name};

/// A rule that shares the queues of a topic among the members of a group.
///
/// Source: `AllocateMessageQueueStrategy`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Strategy {
    /// Neighbouring queues in equal portions. Source: `AllocateMessageQueueAveragely`.
    #[default]
    Averagely,
    /// One queue each, round and round. Source: `AllocateMessageQueueAveragelyByCircle`.
    ByCircle,
    /// Always these, whatever there is: the retry topic's queue is not among them unless it is named.
    ///
    /// Source: `AllocateMessageQueueByConfig`.
    ByConfig(Vec<MessageQueue>),
    /// Queues of brokers called `room@name` in one of these rooms, by number; but positions are counted among all queues.
    ///
    /// Source: `AllocateMessageQueueByMachineRoom`.
    MachineRoom(Vec<Name>),
    /// The member that follows the queue on a ring, each standing there so many times; upstream's default is
    /// [`VIRTUAL_NODES`]. Source: `AllocateMessageQueueConsistentHash`.
    ConsistentHash(usize),
    /// Queues go to members of their own room by another rule; those of a room without members go to all.
    ///
    /// Source: `AllocateMachineRoomNearby`.
    Nearby(Box<Strategy>, RoomResolver),
}

/// Says in which room a broker or a client stands. Source: `AllocateMachineRoomNearby.MachineRoomResolver`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomResolver {
    /// The text before this in the broker's name or the client's id, as upstream's example has it.
    Before(char),
    /// The room of the first of these with which the name or the id begins.
    Table(Vec<(Name, Name)>),
}

impl RoomResolver {
    fn room<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let room = match self {
            RoomResolver::Before(separator) => name.split(*separator).next(),
            RoomResolver::Table(rows) => {
                rows.iter().find(|(begin, _)| name.starts_with(begin.as_str())).map(|(_, room)| room.as_str())
            }
        };
        room.filter(|room| !room.is_empty())
    }
}

/// How often a member stands on the ring. Source: `AllocateMessageQueueConsistentHash`.
pub const VIRTUAL_NODES: usize = 10;

/// What a strategy cannot work with; the rebalance skips the topic.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
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
    /// A broker stands in no room.
    #[error("Machine room is null for mq {0}")]
    QueueInNoRoom(MessageQueue),
    /// A member stands in no room.
    #[error("Machine room is null for consumer id {0}")]
    MemberInNoRoom(Name),
}

impl Strategy {
    /// Upstream's name of the strategy. Source: `AllocateMessageQueueStrategy.getName`.
    pub fn name(&self) -> String {
        match self {
            Strategy::Averagely => "AVG".to_owned(),
            Strategy::ByCircle => "AVG_BY_CIRCLE".to_owned(),
            Strategy::ByConfig(_) => "CONFIG".to_owned(),
            Strategy::MachineRoom(_) => "MACHINE_ROOM".to_owned(),
            Strategy::ConsistentHash(_) => "CONSISTENT_HASH".to_owned(),
            Strategy::Nearby(inner, _) => format!("MACHINE_ROOM_NEARBY-{}", inner.name()),
        }
    }

    /// The queues of `own` out of `queues`, both lists sorted by the caller; empty if `own` is no member.
    ///
    /// Source: each strategy's `allocate`.
    pub fn allocate(
        &self,
        own: &str,
        queues: &[MessageQueue],
        members: &[Name],
    ) -> Result<Vec<MessageQueue>, AllocateError> {
        let index = members.iter().position(|member| member == own);
        match (self, index) {
            (Strategy::ByConfig(own), _) => return Ok(own.clone()),
            (Strategy::MachineRoom(_), None) => return Ok(Vec::new()),
            (Strategy::MachineRoom(rooms), Some(index)) => {
                return Ok(by_room(index, rooms, queues, members.len()));
            }
            _ => {}
        }
        if own.is_empty() {
            return Err(AllocateError::NoSelf);
        }
        if queues.is_empty() {
            return Err(AllocateError::NoQueues);
        }
        if members.is_empty() {
            return Err(AllocateError::NoMembers);
        }
        let Some(index) = index else {
            return Ok(Vec::new());
        };
        Ok(match self {
            Strategy::Nearby(inner, rooms) => return nearby(inner, rooms, own, queues, members),
            Strategy::ConsistentHash(times) => {
                let ring = Ring::new(members, *times);
                queues.iter().filter(|queue| ring.follower(&queue.to_string()) == Some(own)).cloned().collect()
            }
            Strategy::ByCircle => queues.iter().skip(index).step_by(members.len()).cloned().collect(),
            _ => averagely(index, queues, members.len()),
        })
    }
}

/// One's own room first, then the rooms without members, in order of their names.
fn nearby(
    inner: &Strategy,
    rooms: &RoomResolver,
    own: &str,
    queues: &[MessageQueue],
    members: &[Name],
) -> Result<Vec<MessageQueue>, AllocateError> {
    let mut by_room: BTreeMap<&str, Vec<MessageQueue>> = BTreeMap::new();
    for queue in queues {
        let room = rooms.room(&queue.broker).ok_or_else(|| AllocateError::QueueInNoRoom(queue.clone()))?;
        by_room.entry(room).or_default().push(queue.clone());
    }
    let mut members_by_room: BTreeMap<&str, Vec<Name>> = BTreeMap::new();
    for member in members {
        let room = rooms.room(member).ok_or_else(|| AllocateError::MemberInNoRoom(member.clone()))?;
        members_by_room.entry(room).or_default().push(member.clone());
    }
    let mut allocated = Vec::new();
    if let Some(room) = rooms.room(own)
        && let (Some(near), Some(neighbours)) = (by_room.remove(room), members_by_room.get(room))
    {
        allocated.extend(inner.allocate(own, &near, neighbours)?);
    }
    for (room, far) in by_room {
        if !members_by_room.contains_key(room) {
            allocated.extend(inner.allocate(own, &far, members)?);
        }
    }
    Ok(allocated)
}

/// The portion is counted in the queues of the rooms and taken out of all.
fn by_room(index: usize, rooms: &[Name], queues: &[MessageQueue], members: usize) -> Vec<MessageQueue> {
    let in_room = |queue: &&MessageQueue| {
        // Java's split leaves out what is empty at the end.
        let parts: Vec<&str> = queue.broker.trim_end_matches('@').split('@').collect();
        matches!(parts[..], [room, _] if rooms.iter().any(|known| known == room))
    };
    let near: Vec<&MessageQueue> = queues.iter().filter(in_room).collect();
    let (portion, rest) = (near.len() / members, near.len() % members);
    let mut own: Vec<MessageQueue> = queues.iter().skip(portion * index).take(portion).cloned().collect();
    if index < rest {
        own.push(near[index + portion * members].clone());
    }
    own
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
    fn check(strategy: &Strategy, queues: i32, members: usize, expected: &str) {
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
        check(&Strategy::Averagely, 8, 3, "012 345 67");
        check(&Strategy::Averagely, 5, 2, "012 34");
        check(&Strategy::Averagely, 4, 5, "0 1 2 3 ");
        check(&Strategy::ByCircle, 8, 3, "036 147 25");
        check(&Strategy::ByCircle, 5, 2, "024 13");
        check(&Strategy::ByCircle, 4, 5, "0 1 2 3 ");
    }

    #[test]
    fn a_stranger_gets_nothing() {
        let queues = [MessageQueue { topic: "T".into(), broker: "a".into(), queue_id: 0 }];
        assert_eq!(Strategy::Averagely.allocate("x", &queues, &["c".into()]), Ok(Vec::new()));
    }
}
