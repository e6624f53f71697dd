//! The pull consumer: the application asks queue by queue, and keeps its place itself.
//!
//! ```text
//!  Call::Pull ─▶ queues ─▶ pull(queue, offset) ─▶ Return::Told: messages, and where to go on ─▶ the application's own table
//!                              │ blocks: the broker holds it for up to 20 s
//!                              └ does not: it answers at once, with nothing if there is nothing
//! ```
//!
//! No window, no listener, no offset committed by a pull, no retry and no dead letter. A topic that is registered is shared out
//! among the group's members as a push consumer's is, and a `MessageQueueListener` hears of it; nobody holds the application to
//! the share. The invariant to remember: **only the offsets of queues in hand are ever reported**, the others are forgotten.
//!
//! Source: `org.apache.rocketmq.client.impl.consumer.DefaultMQPullConsumerImpl`, `RebalancePullImpl`.

use std::collections::BTreeMap;

use crate::mq::app::pull::{PullAnswer, PullCall, PullResult};
use crate::mq::app::{AppError, OpId, Return};
use crate::mq::client::config::{ConsumerConfig, PullConfig};
use crate::mq::client::consumer::Consumer;
use crate::mq::client::consumer::back::Giving;
use crate::mq::client::exception::{Exception, SUGGEST_TODO};
use crate::mq::client::instance::{not_exist, subscribed_queues};
use crate::mq::client::producer::Op;
use crate::mq::client::remoting::{Mode, Request, Target};
use crate::mq::client::route::{java_order, queue_hash};
use crate::mq::client::validators::check_group;
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::message::{MessageQueue, Topic};
use crate::mq::node::{Addr, Step};
use crate::mq::wire::body::SubscriptionData;
use crate::mq::wire::code::request;
use crate::mq::wire::header::Header;

mod back;

mod kernel;

mod offsets;

/// What a pull consumer has besides what every consumer has.
#[derive(Clone, Debug)]
pub(crate) struct Puller {
    config: PullConfig,
    /// Offsets noted of queues that are not in hand.
    loose: BTreeMap<MessageQueue, i64>,
    /// The broker id that the last answer for a queue suggested. Source: `PullAPIWrapper.pullFromWhichNodeTable`.
    pull_from: BTreeMap<MessageQueue, i64>,
}

/// A call under way.
#[derive(Clone, Debug)]
pub(crate) struct Pulling {
    op: OpId,
    consumer: usize,
    what: PullCall,
    stage: Stage,
}

/// What the application's thread waits for.
#[derive(Clone, Debug)]
enum Stage {
    /// A route, because the queue's broker is not known.
    Route,
    /// An answer, from whom.
    Answer(Option<Addr>),
    /// A pull's answer.
    Pulled(Box<SubscriptionData>),
    /// A message is on its way back.
    Back(Box<Giving>),
    /// A one-way request is being written.
    Written,
}

impl Puller {
    pub(super) fn new(config: &ConsumerConfig) -> Option<Puller> {
        Some(Puller { config: config.pull.clone()?, loose: BTreeMap::new(), pull_from: BTreeMap::new() })
    }

    /// Forgets what was noted of queues that are not in hand, when those that are are reported.
    ///
    /// Source: `RemoteBrokerOffsetStore.persistAll`.
    pub(super) fn forget_loose(&mut self) {
        self.loose.clear();
    }

    /// A queue comes into hand, and what was noted of it is forgotten. Source: `RebalancePullImpl.removeDirtyOffset`.
    pub(super) fn forget(&mut self, queue: &MessageQueue) {
        self.loose.remove(queue);
    }
}

/// Source: `DefaultMQPullConsumerImpl.makeSureStateOK`.
fn state_not_ok(state: &str) -> Exception {
    Exception::client(format!("The consumer service state not OK, {state}{SUGGEST_TODO}"))
}

/// What is wrong with a pull consumer's settings, if it is one. Source: `DefaultMQPullConsumerImpl.checkConfig`.
pub(in crate::mq::client) fn check(config: &ConsumerConfig) -> Result<(), Exception> {
    let Some(pull) = &config.pull else { return Ok(()) };
    check_group(&config.group)?;
    if *config.group == *DEFAULT_CONSUMER_GROUP {
        let text =
            format!("consumerGroup can not equal {DEFAULT_CONSUMER_GROUP}, please specify another one.{SUGGEST_TODO}");
        return Err(Exception::client(text));
    }
    if pull.consumer_timeout_when_suspend < pull.broker_suspend_max_time {
        let text = "Long polling mode, the consumer consumerTimeoutMillisWhenSuspend must greater than \
                    brokerSuspendMaxTimeMillis";
        return Err(Exception::client(format!("{text}{SUGGEST_TODO}")));
    }
    Ok(())
}

impl Consumer {
    fn puller(&self) -> &Puller {
        self.puller.as_ref().expect("a call of a pull consumer goes to one")
    }

    fn puller_mut(&mut self) -> &mut Puller {
        self.puller.as_mut().expect("a call of a pull consumer goes to one")
    }

    /// Its queues of a topic, in the order of upstream's set.
    fn in_balance(&self, topic: &Topic) -> Vec<MessageQueue> {
        let mut queues: Vec<MessageQueue> =
            self.assigned.values().map(|own| own.queue.clone()).filter(|queue| queue.topic == *topic).collect();
        java_order(&mut queues, queue_hash);
        queues
    }
}

impl Client {
    /// An application calls its pull consumer.
    pub(in crate::mq::client) fn call_puller(&mut self, op: OpId, group: &str, what: PullCall, step: &mut Step<'_>) {
        let own = |consumer: &Consumer| consumer.puller.is_some() && consumer.group() == group;
        let Some(consumer) = self.consumers.iter().position(own) else {
            let has_failed = self.start_failed.iter().any(|failed| *failed == *group);
            let error = state_not_ok(if has_failed { "START_FAILED" } else { "CREATE_JUST" }).into_error(0, true);
            return step.out.app(Return::Failed { op, error });
        };
        let checks_state = !matches!(what, PullCall::UpdateOffsetToBroker { .. } | PullCall::SendBack(_));
        let pulling = Pulling { op, consumer, what, stage: Stage::Route };
        match checks_state && !self.consumers[consumer].running {
            true => pulling.fails(state_not_ok("SHUTDOWN_ALREADY"), step),
            false => self.begin_call(pulling, step),
        }
    }

    fn begin_call(&mut self, pulling: Pulling, step: &mut Step<'_>) {
        let at = pulling.consumer;
        match &pulling.what {
            PullCall::Queues(topic) => {
                let topic = topic.clone();
                self.ask_route(pulling, topic, step);
            }
            PullCall::InBalance(topic) => {
                let queues = self.consumers[at].in_balance(topic);
                self.tell(&pulling, PullAnswer::Queues(queues), step);
            }
            PullCall::UpdateOffset { queue, offset } => {
                self.consumers[at].note_offset(queue, *offset);
                step.out.app(Return::Done { op: pulling.op });
            }
            PullCall::FetchOffset { .. } => self.fetch_offset(pulling, step),
            PullCall::UpdateOffsetToBroker { .. }
            | PullCall::SearchOffset { .. }
            | PullCall::MinOffset(_)
            | PullCall::MaxOffset(_) => self.ask_broker(pulling, false, step),
            PullCall::Pull(_) => self.begin_pull(pulling, step),
            PullCall::SendBack(_) => self.begin_back(pulling, step),
        }
    }

    /// Source: `MQAdminImpl.fetchSubscribeMessageQueues`.
    fn ask_route(&mut self, mut pulling: Pulling, topic: Topic, step: &mut Step<'_>) {
        pulling.stage = Stage::Answer(None);
        let id = self.ops.add(Op::Pull(Box::new(pulling)));
        let command = self.remoting.command(request::GET_ROUTEINTO_BY_TOPIC, Header::Route(topic));
        let waiter = Waiter::Fiber(Fiber::Op(id));
        let request = Request { command, timeout: ADMIN_TIMEOUT_MS, mode: Mode::Sync, waiter };
        match self.remoting.has_nameservers() {
            true => self.remoting.invoke(Target::Nameserver, request, step, &mut self.ready),
            false => self.wake(Fiber::Op(id), Woken::Answered(Err(Exception::Connect(None)))),
        }
    }

    /// A call goes on.
    pub(in crate::mq::client) fn pulling_on(
        &mut self,
        id: u64,
        mut pulling: Box<Pulling>,
        woken: Woken,
        step: &mut Step<'_>,
    ) {
        match (std::mem::replace(&mut pulling.stage, Stage::Route), woken) {
            (Stage::Route, _) => match &pulling.what {
                PullCall::Pull(_) => self.pull_kernel_of(*pulling, true, step),
                _ => self.ask_broker(*pulling, true, step),
            },
            (Stage::Answer(asked), Woken::Answered(answer)) => match &pulling.what {
                PullCall::Queues(topic) => {
                    let found = answer.ok().and_then(|command| subscribed_queues(topic, &command));
                    match found {
                        Some(mut queues) => {
                            java_order(&mut queues, queue_hash);
                            self.tell(&pulling, PullAnswer::Queues(queues), step);
                        }
                        None => {
                            let text = format!("Can not find Message Queue for this topic, {topic}{SUGGEST_TODO}");
                            pulling.fails(Exception::client(text), step);
                        }
                    }
                }
                _ => self.offset_answered(&pulling, asked, answer, step),
            },
            (Stage::Pulled(subscription), Woken::Answered(answer)) => {
                self.pull_answered(&pulling, &subscription, answer, step);
            }
            (Stage::Back(giving), woken) => self.back_goes_on(id, *pulling, *giving, woken, step),
            (Stage::Written, Woken::Written(Err(exception))) => pulling.fails(exception, step),
            (Stage::Written, _) => step.out.app(Return::Done { op: pulling.op }),
            (Stage::Answer(_) | Stage::Pulled(_), _) => {}
        }
    }

    /// Waits for a route of the queue's topic.
    fn call_waits_for_route(&mut self, pulling: Pulling, queue: &MessageQueue, step: &mut Step<'_>) {
        let id = self.ops.add(Op::Pull(Box::new(Pulling { stage: Stage::Route, ..pulling })));
        self.look_up(queue.topic.clone(), None, Fiber::Op(id), step);
    }

    fn tell(&self, pulling: &Pulling, what: PullAnswer, step: &mut Step<'_>) {
        let group = self.consumers[pulling.consumer].group().clone();
        step.out.app(Return::Told { op: pulling.op, group, what: Box::new(what) });
    }

    fn tell_pulled(&self, pulling: &Pulling, result: PullResult, step: &mut Step<'_>) {
        self.tell(pulling, PullAnswer::Pulled(result), step);
    }
}

impl Pulling {
    fn fails(&self, exception: Exception, step: &mut Step<'_>) {
        self.fails_with(exception.into_error(0, true), step);
    }

    fn fails_with(&self, error: AppError, step: &mut Step<'_>) {
        step.out.app(Return::Failed { op: self.op, error });
    }

    /// No address is known under the broker's name.
    fn broker_not_exist(&self, queue: &MessageQueue, step: &mut Step<'_>) {
        self.fails(Exception::client(not_exist(&queue.broker)), step);
    }
}

/// Source: `MixAll.DEFAULT_CONSUMER_GROUP`.
const DEFAULT_CONSUMER_GROUP: &str = "DEFAULT_CONSUMER";
/// Source: `MQAdminImpl.timeoutMillis`.
const ADMIN_TIMEOUT_MS: i64 = 6000;
