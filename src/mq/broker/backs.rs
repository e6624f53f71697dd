//! Messages that were given back and whose copies are not durable yet.
//!
//! The release answers at once, and the consumer lets the message go. Repaired (K03), it hears when the copy outlives the
//! power; if that never comes, it hears nothing, and goes on as it does when a broker is silent.

use crate::mq::broker::Broker;
use crate::mq::node::{ConnId, Step};
use crate::mq::store::outcome::{Put, PutStatus};
use crate::mq::wire::command::Command;

/// An answer that waits.
#[derive(Clone, Debug)]
pub(super) struct Unanswered {
    request: u64,
    conn: ConnId,
    is_oneway: bool,
    answer: Box<Command>,
}

impl Broker {
    /// Answers as soon as the record that was put is durable: at once, where nobody waits for that.
    pub(super) fn answer_durable(
        &mut self,
        put: &Put,
        (conn, is_oneway): (ConnId, bool),
        answer: Box<Command>,
        step: &mut Step<'_>,
    ) {
        let end = put.landed.map_or(0, |landed| landed.at.0 + i64::from(landed.size));
        match self.store.await_copy(Self::clock(step), end) {
            None => self.answer(conn, is_oneway, answer, step),
            Some(request) => self.backs.push(Unanswered { request, conn, is_oneway, answer }),
        }
    }

    /// A copy is durable, or never will be; whether it was one of these.
    pub(super) fn copy_done(&mut self, request: u64, status: PutStatus, step: &mut Step<'_>) -> bool {
        let Some(at) = self.backs.iter().position(|back| back.request == request) else { return false };
        let Unanswered { conn, is_oneway, answer, .. } = self.backs.remove(at);
        if status == PutStatus::PutOk {
            self.answer(conn, is_oneway, answer, step);
        }
        true
    }
}
