//! A push consumer is suspended, goes on, subscribes to more or to less while it runs.
//!
//! Source: `DefaultMQPushConsumerImpl.suspend`, `resume`, `subscribe`, `unsubscribe`.

use crate::mq::app::steer::Steering;
use crate::mq::app::{OpId, Return};
use crate::mq::client::consumer::{Consumer, subscription_of};
use crate::mq::client::exception::Exception;
use crate::mq::client::producer::Op;
use crate::mq::client::{Client, Fiber, Woken};
use crate::mq::fact::Fact;
use crate::mq::filter::tag::Subscription;
use crate::mq::node::Step;

impl Client {
    /// An application calls its push consumer, whether that has started or not.
    ///
    /// Differs: to go on upstream rebalances this consumer alone, in the caller's thread.
    pub(in crate::mq::client) fn steer(&mut self, op: OpId, group: &str, what: Steering, step: &mut Step<'_>) {
        let own = |consumer: &Consumer| !consumer.pulls() && *consumer.group() == *group;
        let Some(at) = self.consumers.iter().position(own) else { return step.out.app(Return::Done { op }) };
        let consumer = &mut self.consumers[at];
        match what {
            Steering::Suspend => consumer.paused = true,
            Steering::Resume => {
                consumer.paused = false;
                self.wake_rebalance(step);
            }
            Steering::Unsubscribe { topic } => drop(consumer.subscriptions.remove(&topic)),
            Steering::Subscribe { topic, selector } => {
                let Ok(built) = Subscription::build(Some(selector.text()), Some(selector.language())) else {
                    let error = Exception::client("subscription exception").into_error(0, true);
                    return step.out.app(Return::Failed { op, error });
                };
                consumer.subscriptions.insert(topic.clone(), subscription_of(&topic, built, step.wall));
                let id = self.ops.add(Op::Steer(op));
                return self.heartbeat_to_all(Fiber::Op(id), step);
            }
        }
        step.out.app(Return::Done { op });
    }

    /// The heartbeats behind a subscription are out.
    pub(in crate::mq::client) fn steered(&mut self, op: OpId, _: Woken, step: &mut Step<'_>) {
        step.out.app(Return::Done { op });
    }

    /// Queues of topics to which a consumer does not subscribe any more are let go: nobody reports how far they were, and no
    /// lock is given back.
    ///
    /// Source: `RebalanceImpl.truncateMessageQueueNotMyTopic`.
    pub(super) fn let_go_of_other_topics(&mut self, at: usize, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[at];
        let subscriptions = &consumer.subscriptions;
        let is_other = |topic: &str| !subscriptions.contains_key(topic);
        let mut gone = Vec::new();
        for (id, own) in consumer.assigned.iter_mut().filter(|(_, own)| is_other(&own.queue.topic)) {
            own.window.mark_dropped();
            let (topic, broker) = (own.queue.topic.clone(), own.queue.broker.clone());
            step.out.say(Fact::Revoked { topic, broker, queue_id: own.queue.queue_id });
            gone.push(*id);
        }
        gone.into_iter().for_each(|id| consumer.release(id));
    }
}
