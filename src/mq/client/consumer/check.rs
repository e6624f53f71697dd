//! Before a consumer starts for good, a broker is asked whether it understands what it subscribes with.
//!
//! Tags are understood by all. What the broker refuses is thrown at the application out of `start()`, when the client is
//! already running: heartbeats, rebalancing and pulls go on without it, and each pull hears the same.
//! Source: `MQClientInstance.checkClientInBroker`, `MQClientAPIImpl.checkClientInBroker`.

use crate::mq::client::exception::Exception;
use crate::mq::client::remoting::{Mode, Request, Target, vip};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::filter::is_tag_type;
use crate::mq::message::{Name, Topic};
use crate::mq::node::Step;
use crate::mq::wire::body::{CheckClientBody, JsonBody};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::header::Header;

impl Client {
    /// The subscriptions to be looked at when the consumer `at` starts: those of all that have started in this process.
    pub(in crate::mq::client) fn to_check(&self, at: usize) -> Vec<(usize, Topic)> {
        let started = self.consumers.iter().enumerate().take(at + 1);
        let all = started.flat_map(|(number, consumer)| {
            consumer.subscriptions.iter().map(move |(topic, data)| (number, topic, &data.expression_type))
        });
        all.filter(|(.., language)| !is_tag_type(Some(language)))
            .map(|(number, topic, _)| (number, topic.clone()))
            .collect()
    }

    /// Asks some broker of the topic; without one nobody is asked.
    pub(in crate::mq::client) fn check_in_broker(&mut self, at: usize, topic: &Topic, step: &mut Step<'_>) {
        let addr = self.routes.some_broker_of(topic, step.dice);
        let (Some(addr), Some(data)) = (addr, self.consumers[at].subscriptions.get(topic)) else {
            return self.wake(Fiber::Boot, Woken::Go);
        };
        let body = CheckClientBody {
            client_id: self.client_id.clone(),
            group: self.consumers[at].config.group.clone(),
            subscription_data: Some(data.clone()),
        };
        let mut command = self.remoting.command(request::CHECK_CLIENT_CONFIG, Header::None);
        command.body = Some(body.encode());
        let waiter = Waiter::Fiber(Fiber::Boot);
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Sync, waiter };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
    }

    /// What the broker said; `start()` throws whatever is not a yes, and the rest of it is not run.
    pub(in crate::mq::client) fn checked(&mut self, at: usize, woken: Woken, step: &mut Step<'_>) -> bool {
        let thrown = match woken {
            Woken::Answered(Ok(command)) if command.code == response::SUCCESS => {
                self.remoting.recycle(command);
                return true;
            }
            Woken::Answered(Ok(command)) => {
                let text = command.remark.clone().unwrap_or_else(|| Name::from("null"));
                Exception::Client { code: command.code, text }
            }
            Woken::Answered(Err(_)) => Exception::client(NOT_UPGRADED),
            _ => return true,
        };
        let group = self.consumers[at].config.group.clone();
        step.out.say(Fact::StartThrew { group, text: Name::from(thrown.to_string()) });
        false
    }
}

/// Source: `MQClientInstance.checkClientInBroker`.
const NOT_UPGRADED: &str = "Check client in broker error, maybe because you use SQL92 to filter message, but server has not \
been upgraded to support!This error would not affect the launch of consumer, but may has impact on message receiving if you \
have use the new features which are not supported by server, please check the log!";
/// Source: `MQClientInstance.checkClientInBroker`: `3 * 1000`.
const TIMEOUT_MS: i64 = 3_000;
