//! Who may consume which queue in order: leases by group, kept in memory alone.
//!
//! ```text
//!  free ─▶ lock: granted ─▶ every 20 s: renewed ─▶ 60 s without: whoever asks next has it
//!                   └─▶ unlock by its holder ─▶ free
//! ```
//!
//! A lease ends by the broker's wall clock, and nobody tells its holder: it must stop by its own. A broker that boots again
//! knows no leases (K07).
//! Source: `RebalanceLockManager`.

use std::collections::BTreeMap;

use crate::mq::broker::Broker;
use crate::mq::fact::Fact;
use crate::mq::fastjson::EXCEPTION;
use crate::mq::message::{Group, MessageQueue, Name};
use crate::mq::mistake::Mistake;
use crate::mq::node::Step;
use crate::mq::time::{Millis, Span};
use crate::mq::wire::body::JsonBody;
use crate::mq::wire::body::locks::{LockBatchRequestBody, LockBatchResponseBody};
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

/// All leases of a broker.
#[derive(Clone, Debug, Default)]
pub struct RebalanceLocks {
    leases: BTreeMap<Group, BTreeMap<MessageQueue, Lease>>,
}

/// A queue's lease. Source: `RebalanceLockManager.LockEntry`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The member that holds it.
    pub client_id: Name,
    /// When it was granted or renewed last.
    pub last: Millis,
}

/// What became of one wish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Locked {
    /// The queue was free.
    Granted,
    /// It was the member's already.
    Renewed,
    /// It was this member's, whose lease had ended; one's own that had ended counts here, too.
    Expired(Name),
    /// It is this member's.
    Refused(Name),
}

impl Lease {
    fn is_expired(&self, now: Millis, live: Span) -> bool {
        (live.as_millis() as i64) < now.since(self.last)
    }
}

impl RebalanceLocks {
    /// One member asks for one queue. Source: `RebalanceLockManager.tryLock`.
    pub fn try_lock(
        &mut self,
        group: &Group,
        queue: &MessageQueue,
        client: &Name,
        (now, live): (Millis, Span),
    ) -> Locked {
        let leases = self.leases.entry(group.clone()).or_default();
        let Some(lease) = leases.get_mut(queue) else {
            leases.insert(queue.clone(), Lease { client_id: client.clone(), last: now });
            return Locked::Granted;
        };
        let expired = lease.is_expired(now, live);
        if !expired && lease.client_id != *client {
            return Locked::Refused(lease.client_id.clone());
        }
        lease.last = now;
        let old = std::mem::replace(&mut lease.client_id, client.clone());
        if expired { Locked::Expired(old) } else { Locked::Renewed }
    }

    /// A member lets a queue go; whether it was its own, even if the lease had ended. Source: `RebalanceLockManager.unlockBatch`.
    pub fn unlock(&mut self, group: &Group, queue: &MessageQueue, client: &Name) -> bool {
        let Some(leases) = self.leases.get_mut(group) else { return false };
        let own = leases.get(queue).is_some_and(|lease| lease.client_id == *client);
        if own {
            leases.remove(queue);
        }
        own
    }

    /// Every lease, ended or not, by group and queue.
    pub fn each(&self) -> impl Iterator<Item = (&Group, &MessageQueue, &Lease)> {
        self.leases.iter().flat_map(|(group, leases)| leases.iter().map(move |(queue, lease)| (group, queue, lease)))
    }

    /// A queue's lease, ended or not.
    pub fn lease(&self, group: &Group, queue: &MessageQueue) -> Option<&Lease> {
        self.leases.get(group)?.get(queue)
    }
}

impl Broker {
    /// Source: `AdminBrokerProcessor.lockBatchMQ`.
    pub(super) fn lock_batch(&mut self, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let body = match read(command) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let LockBatchRequestBody { consumer_group: group, client_id: client, mq_set } = body;
        let mut locked = LockBatchResponseBody::default();
        for queue in mq_set {
            let profile = &self.config.profile;
            let live = match () {
                () if profile.plants(Mistake::LeaseForEver) => Span::from_secs(1 << 30),
                () if profile.plants(Mistake::LeaseTooShort) => Span::from_secs(10),
                () => self.config.lock_max_live_time,
            };
            let is_twice = profile.plants(Mistake::LockTwice);
            let time = (step.wall, live);
            let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
            let outcome = self.locks.try_lock(&group, &queue, &client, time);
            if let Locked::Refused(holder) = outcome {
                if is_twice {
                    locked.lock_ok_mq_set.push(queue);
                    continue;
                }
                step.out.say(Fact::LockRefused { client: client.clone(), holder, topic, queue_id });
                continue;
            }
            if let Locked::Expired(old) = &outcome {
                let (group, client) = (group.clone(), old.clone());
                step.out.say(Fact::LockExpired { group, client, topic: topic.clone(), queue_id });
            }
            if outcome != Locked::Renewed {
                step.out.say(Fact::LockGranted { group: group.clone(), client: client.clone(), topic, queue_id });
            }
            locked.lock_ok_mq_set.push(queue);
        }
        Command::response(response::SUCCESS, command.opaque, Header::None).with_body(locked.encode())
    }

    /// Source: `AdminBrokerProcessor.unlockBatchMQ`.
    pub(super) fn unlock_batch(&mut self, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let body = match read(command) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        for queue in body.mq_set {
            if self.locks.unlock(&body.consumer_group, &queue, &body.client_id) {
                step.out.say(Fact::LockReleased {
                    group: body.consumer_group.clone(),
                    client: body.client_id.clone(),
                    topic: queue.topic,
                    queue_id: queue.queue_id,
                });
            }
        }
        Command::response(response::SUCCESS, command.opaque, Header::None)
    }
}

fn read(command: &Command) -> Result<LockBatchRequestBody, Box<Command>> {
    LockBatchRequestBody::decode(command.body.as_deref().unwrap_or_default()).map_err(|error| {
        Command::response(response::SYSTEM_ERROR, command.opaque, Header::None)
            .with_remark(format!("{EXCEPTION}: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: Span = Span::from_secs(60);

    #[test]
    fn a_lease_is_its_holders_until_it_is_let_go_or_sixty_seconds_old() {
        let mut locks = RebalanceLocks::default();
        let (group, other): (Group, Group) = ("G".into(), "H".into());
        let queue = MessageQueue { topic: "T".into(), broker: "b".into(), queue_id: 0 };
        let (first, second): (Name, Name) = ("c1".into(), "c2".into());
        let mut ask =
            |group: &Group, client: &Name, now: i64| locks.try_lock(group, &queue, client, (Millis(now), LIVE));
        assert_eq!(ask(&group, &first, 0), Locked::Granted);
        assert_eq!(ask(&group, &first, 20_000), Locked::Renewed);
        assert_eq!(ask(&group, &second, 80_000), Locked::Refused(first.clone()));
        assert_eq!(ask(&other, &second, 80_000), Locked::Granted, "leases are a group's");
        assert_eq!(ask(&group, &second, 80_001), Locked::Expired(first.clone()));
        assert_eq!(ask(&group, &first, 80_002), Locked::Refused(second.clone()));
        assert_eq!(ask(&group, &second, 10_000), Locked::Renewed, "a clock set back makes no lease older");
        assert!(!locks.unlock(&group, &queue, &first), "nobody lets another's go");
        assert!(locks.unlock(&group, &queue, &second));
        assert_eq!(locks.lease(&group, &queue), None);
    }
}
