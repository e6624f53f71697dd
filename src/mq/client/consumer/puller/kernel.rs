//! One pull: checked, sent to where the last answer pointed, decoded and filtered once more.
//!
//! Source: `DefaultMQPullConsumerImpl.pullSyncImpl`, `pullAsyncImpl`, `PullAPIWrapper.pullKernelImpl`, `processPullResult`.

use crate::mq::app::pull::{PullCall, PullResult, PullStatus, PullWanted};
use crate::mq::client::consumer::puller::{Pulling, Stage};
use crate::mq::client::consumer::{pull, subscription_of};
use crate::mq::client::exception::Exception;
use crate::mq::client::producer::Op;
use crate::mq::client::remoting::{Mode, Request, broker_exception};
use crate::mq::client::route::MASTER_ID;
use crate::mq::client::{Client, Fiber, Waiter};
use crate::mq::fact::Fact;
use crate::mq::filter::tag::Subscription;
use crate::mq::message::StoredMessage;
use crate::mq::message::sys_flag::pull::build;
use crate::mq::node::Step;
use crate::mq::wire::body::SubscriptionData;
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, PullHeader};

impl Client {
    pub(super) fn begin_pull(&mut self, pulling: Pulling, step: &mut Step<'_>) {
        let PullCall::Pull(wanted) = &pulling.what else { return };
        let wrong = match wanted {
            PullWanted { offset: ..0, .. } => Some("offset < 0"),
            PullWanted { max_nums: ..=0, .. } => Some("maxNums <= 0"),
            _ => None,
        };
        if let Some(text) = wrong {
            return pulling.fails(Exception::client(text), step);
        }
        self.consumers[pulling.consumer].subscribe_automatically(&wanted.queue.topic, step.wall);
        self.pull_kernel_of(pulling, false, step);
    }

    /// Sends the pull, once the broker's address is known.
    ///
    /// The subscription travels with it, so that neither heartbeats nor versions matter; nothing is committed on the way.
    pub(super) fn pull_kernel_of(&mut self, mut pulling: Pulling, refreshed: bool, step: &mut Step<'_>) {
        let PullCall::Pull(wanted) = &pulling.what else { return };
        let Ok(built) = Subscription::tags(wanted.expression.as_deref()) else {
            return pulling.fails(Exception::client("parse subscription error"), step);
        };
        let puller = self.consumers[pulling.consumer].puller();
        let from = puller.pull_from.get(&wanted.queue).copied().unwrap_or(MASTER_ID);
        let Some((addr, _)) = self.routes.subscribe_address(&wanted.queue.broker, from) else {
            let queue = wanted.queue.clone();
            return match refreshed {
                true => pulling.broker_not_exist(&queue, step),
                false => self.call_waits_for_route(pulling, &queue, step),
            };
        };
        let subscription = subscription_of(&wanted.queue.topic, built, step.wall);
        let timeout = match wanted.blocks {
            true => puller.config.consumer_timeout_when_suspend,
            false => wanted.timeout.unwrap_or(puller.config.consumer_pull_timeout),
        };
        let header = PullHeader {
            consumer_group: self.consumers[pulling.consumer].group().clone(),
            topic: wanted.queue.topic.clone(),
            queue_id: wanted.queue.queue_id,
            queue_offset: wanted.offset,
            max_msg_nums: wanted.max_nums,
            sys_flag: build(false, wanted.blocks, true, false),
            commit_offset: 0,
            suspend_timeout_millis: puller.config.broker_suspend_max_time.as_millis() as i64,
            subscription: Some(subscription.sub_string.clone()),
            sub_version: 0,
            expression_type: Some(TAG.into()),
        };
        let command = self.remoting.command(request::PULL_MESSAGE, Header::Pull(Box::new(header)));
        let mode = if wanted.is_async { Mode::Async } else { Mode::Sync };
        pulling.stage = Stage::Pulled(Box::new(subscription));
        let id = self.ops.add(Op::Pull(Box::new(pulling)));
        let waiter = Waiter::Fiber(Fiber::Op(id));
        let request = Request { command, timeout: timeout.as_millis() as i64, mode, waiter };
        self.remoting.invoke_at(addr, request, step.wall, step, &mut self.ready);
    }

    /// Source: `MQClientAPIImpl.processPullResponse`, `pullMessageAsync`.
    ///
    /// Differs: the text of a callback's exception ends behind `Request: `, where upstream prints the whole request.
    pub(super) fn pull_answered(
        &mut self,
        pulling: &Pulling,
        subscription: &SubscriptionData,
        answer: Result<Box<Command>, Exception>,
        step: &mut Step<'_>,
    ) {
        let PullCall::Pull(wanted) = &pulling.what else { return };
        let command = match answer {
            Ok(command) => command,
            Err(exception) if wanted.is_async => return pulling.fails(told_to_callback(exception), step),
            Err(exception) => return pulling.fails(exception, step),
        };
        let status = match command.code {
            response::SUCCESS => PullStatus::Found,
            response::PULL_NOT_FOUND => PullStatus::NoNewMsg,
            response::PULL_RETRY_IMMEDIATELY => PullStatus::NoMatchedMsg,
            response::PULL_OFFSET_MOVED => PullStatus::OffsetIllegal,
            _ => return pulling.fails(broker_exception(&command), step),
        };
        let Header::Pulled(header) = &command.header else {
            return pulling.fails(broker_exception(&command), step);
        };
        let queue = wanted.queue.clone();
        let suggested = header.suggest_which_broker_id;
        self.consumers[pulling.consumer].puller_mut().pull_from.insert(queue.clone(), suggested);
        let mut messages: Vec<StoredMessage> = Vec::new();
        if status == PullStatus::Found {
            let body = command.body.clone().unwrap_or_default();
            let bounds = self.pull.bounds(header);
            let (found, separated) = pull::decode(&body, &queue, Some(subscription), &bounds);
            if 0 < separated {
                let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
                step.out.say(Fact::TagsSeparated { topic, queue_id, count: separated });
            }
            messages.extend(found.iter().map(|message| (**message).clone()));
        }
        let result = PullResult {
            status,
            next_begin_offset: header.next_begin_offset,
            min_offset: header.min_offset,
            max_offset: header.max_offset,
            queue,
            messages,
        };
        self.remoting.recycle(command);
        self.tell_pulled(pulling, result, step);
    }
}

/// What a callback hears of a request that got no answer; what was thrown before it was written is thrown at the caller.
fn told_to_callback(exception: Exception) -> Exception {
    match exception {
        Exception::SendRequest(addr) => Exception::client(format!("send request failed to {addr}. Request: ")),
        Exception::Timeout { addr, millis } => {
            Exception::client(format!("wait response from {addr} timeout :{millis}ms. Request: "))
        }
        other => other,
    }
}

/// Source: `ExpressionType.TAG`.
const TAG: &str = "TAG";
