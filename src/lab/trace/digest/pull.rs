//! What is asked of pull consumers, and what they tell.

use crate::lab::trace::digest::{Fold, Folded};
use crate::mq::app::pull::{PullAnswer, PullCall, PullWanted};

impl Folded for PullCall {
    fn fold(&self, into: &mut Fold) {
        into.text(self.method());
        self.queue().cloned().fold(into);
        self.number().fold(into);
        match self {
            PullCall::Queues(topic) | PullCall::InBalance(topic) => topic.fold(into),
            PullCall::Pull(PullWanted { expression, max_nums, timeout, is_async, .. }) => {
                expression.fold(into);
                max_nums.fold(into);
                timeout.map(|span| span.0).fold(into);
                is_async.fold(into);
            }
            PullCall::FetchOffset { from_store, .. } => from_store.fold(into),
            PullCall::UpdateOffsetToBroker { is_oneway, .. } => is_oneway.fold(into),
            PullCall::SendBack(back) => {
                back.message.fold(into);
                back.broker.fold(into);
                back.group.fold(into);
            }
            PullCall::UpdateOffset { .. }
            | PullCall::SearchOffset { .. }
            | PullCall::MinOffset(_)
            | PullCall::MaxOffset(_) => {}
        }
    }
}

impl Folded for PullAnswer {
    fn fold(&self, into: &mut Fold) {
        match self {
            PullAnswer::Queues(queues) => {
                into.pair(queues.len() as u64, 1);
                queues.iter().for_each(|queue| queue.fold(into));
            }
            PullAnswer::Offset(offset) => into.pair(*offset as u64, 2),
            PullAnswer::Pulled(result) => {
                into.text(result.status.as_str());
                into.pair(result.next_begin_offset as u64, result.min_offset as u64);
                into.pair(result.max_offset as u64, 3);
                result.queue.fold(into);
                result.messages.as_slice().fold(into);
            }
        }
    }
}
