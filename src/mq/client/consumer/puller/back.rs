//! A message that an application gives back by hand: nothing else would ever bring it again.
//!
//! Source: `DefaultMQPullConsumerImpl.sendMessageBack`.

use std::sync::Arc;

use crate::mq::app::pull::PullCall;
use crate::mq::app::{AppError, ErrorKind, Return};
use crate::mq::client::consumer::back::{Given, Giving};
use crate::mq::client::consumer::puller::{Pulling, Stage};
use crate::mq::client::producer::Op;
use crate::mq::client::{Client, Fiber, Woken};
use crate::mq::message::StoredMessage;
use crate::mq::node::Step;

impl Client {
    pub(super) fn begin_back(&mut self, mut pulling: Pulling, step: &mut Step<'_>) {
        let PullCall::SendBack(back) = &pulling.what else { return };
        let to = if back.broker.is_none() { Some(back.message.store_host) } else { None };
        let message = Arc::new(StoredMessage { broker: back.broker.clone(), ..back.message.clone() });
        let group = back.group.clone().filter(|group| !group.trim().is_empty());
        let giving = Giving { message, started: step.wall, delay_level: back.delay_level, to, group };
        let consumer = pulling.consumer;
        pulling.stage = Stage::Back(Box::new(giving.clone()));
        let id = self.ops.add(Op::Pull(Box::new(pulling)));
        self.give_back(consumer, &giving, Fiber::Op(id), step);
    }

    /// The broker took it; or the client's own producer sends a copy; or the application is told why nobody did.
    pub(super) fn back_goes_on(
        &mut self,
        id: u64,
        mut pulling: Pulling,
        giving: Giving,
        woken: Woken,
        step: &mut Step<'_>,
    ) {
        let thrown = match &woken {
            Woken::Sent(Err(text)) => Some(text.clone()),
            _ => None,
        };
        match self.given_back(pulling.consumer, &giving, woken, Fiber::Op(id), step) {
            Given::Taken => step.out.app(Return::Done { op: pulling.op }),
            Given::Again => {
                pulling.stage = Stage::Back(Box::new(giving));
                self.ops.waiting.insert(id, Op::Pull(Box::new(pulling)));
            }
            Given::Kept => {
                let text = thrown.unwrap_or_default();
                let (kind, code) = (ErrorKind::Client, -1);
                pulling.fails_with(AppError { kind, text, code, attempts: 0, provably_not_stored: false }, step);
            }
        }
    }
}
