//! What an application asks of a push consumer that runs.

use std::fmt;

use crate::mq::app::MessageSelector;
use crate::mq::message::Topic;

/// A call of a push consumer. Source: `DefaultMQPushConsumer`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Steering {
    /// `suspend`: nothing more is pulled, and it takes no part in sharing queues out; what it has in hand is consumed.
    Suspend,
    /// `resume`.
    Resume,
    /// `subscribe`: one topic more, or other messages of one.
    Subscribe {
        /// The topic.
        topic: Topic,
        /// What of it.
        selector: MessageSelector,
    },
    /// `unsubscribe`: its queues are let go at the next rebalance, without a word to anybody.
    Unsubscribe {
        /// The topic.
        topic: Topic,
    },
}

/// As a program writes it: `subscribe(orders, pay || done)`.
impl fmt::Display for Steering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Steering::Suspend => f.write_str("suspend()"),
            Steering::Resume => f.write_str("resume()"),
            Steering::Subscribe { topic, selector } => write!(f, "subscribe({topic}, {})", selector.text()),
            Steering::Unsubscribe { topic } => write!(f, "unsubscribe({topic})"),
        }
    }
}
