//! A day in five numbers: what was acknowledged, lost and late, and how long nothing could be sent or was received.

use crate::lab::check::Judged;
use crate::lab::check::history::History;
use crate::lab::check::ids::{ById, Ids};
use crate::lab::scenario::count::CountRule;
use crate::lab::trace::log::Trace;
use crate::mq::time::{Span, Time};

/// The numbers of a run. The day lasts from the first send to the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Measures {
    /// Sends that were called.
    pub sent: usize,
    /// Those of them that got a result.
    pub acked: usize,
    /// Acknowledged, and on no disk at the end.
    pub lost: usize,
    /// Acknowledged, and handed to no listener within [`LATE`] of it, or never.
    pub late: usize,
    /// The longest time in which no send was acknowledged.
    pub send_gap: Span,
    /// The longest time in which no listener was handed anything.
    pub receive_gap: Span,
}

/// Later than this after its acknowledgement a delivery is late.
pub const LATE: Span = Span::from_secs(10);

impl Measures {
    /// The numbers of a trace.
    pub fn of(trace: &Trace) -> Measures {
        Measures::in_history(&History::of(trace))
    }

    pub(super) fn in_history(history: &History) -> Measures {
        let mut heard: ById<Time> = ById::default();
        for delivery in &history.deliveries {
            for id in delivery.ids() {
                heard.of(id).get_or_insert(delivery.at);
            }
        }
        let stored: Ids = history.copies_seen().filter_map(|copy| copy.id).collect();
        let mut measures = Measures { sent: history.sends.len(), ..Measures::default() };
        for (send, _, at, _) in history.acked() {
            measures.acked += 1;
            measures.lost += usize::from(send.id.is_none_or(|id| !stored.contains(id)));
            let heard = send.id.and_then(|id| heard.get(id));
            measures.late += usize::from(heard.is_none_or(|heard| at + LATE < *heard));
        }
        let calls = || history.sends.iter().map(|send| send.at);
        if let (Some(first), Some(last)) = (calls().min(), calls().max()) {
            measures.send_gap = longest((first, last), history.acked().map(|(_, _, at, _)| at));
            measures.receive_gap = longest((first, last), history.deliveries.iter().map(|delivery| delivery.at));
        }
        measures
    }
}

/// The longest stretch of a day without any of these moments.
fn longest((first, last): (Time, Time), moments: impl Iterator<Item = Time>) -> Span {
    let mut moments: Vec<Time> = moments.filter(|at| (first..=last).contains(at)).collect();
    moments.sort_unstable();
    let ends = moments.iter().copied().chain([last]);
    let begins = [first].into_iter().chain(moments.iter().copied());
    begins.zip(ends).map(|(from, to)| to.since(from)).max().unwrap_or(Span::ZERO)
}

/// One of the numbers against what is allowed.
pub(super) fn number(history: &History, which: Number, count: &CountRule) -> Judged {
    if history.sends.is_empty() {
        return Judged::inconclusive("nothing was sent", "没有发送任何消息");
    }
    let measures = Measures::in_history(history);
    let found = which.of(&measures);
    let (en, zh) = which.words();
    let (en, zh) = (format!("{found} {en} ({count} expected)"), format!("{zh} {found}（期望 {count}）"));
    match count.allows(found) {
        true => Judged::pass(en, zh),
        false => Judged::violation("count", Vec::new(), en, zh),
    }
}

/// Which of the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Number {
    Acked,
    Lost,
    Late,
    SendGap,
    ReceiveGap,
}

impl Number {
    fn of(self, measures: &Measures) -> u64 {
        match self {
            Number::Acked => measures.acked as u64,
            Number::Lost => measures.lost as u64,
            Number::Late => measures.late as u64,
            Number::SendGap => measures.send_gap.0 / 1_000_000_000,
            Number::ReceiveGap => measures.receive_gap.0 / 1_000_000_000,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Number::Acked => ("acknowledged", "已确认"),
            Number::Lost => ("acknowledged are on no disk", "已确认却不在任何磁盘上"),
            Number::Late => ("acknowledged came late or never", "已确认但迟到或未到"),
            Number::SendGap => ("s at most without a send", "最长无法发送的秒数"),
            Number::ReceiveGap => ("s at most without a delivery", "最长没有投递的秒数"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_reaches_from_one_moment_to_the_next_and_to_the_ends_of_the_day() {
        let at = |seconds: u64| Time(seconds * 1_000_000_000);
        let gap = |moments: &[u64]| longest((at(10), at(50)), moments.iter().map(|one| at(*one))).0 / 1_000_000_000;
        assert_eq!(gap(&[]), 40);
        assert_eq!(gap(&[12, 20, 49]), 29);
        assert_eq!(gap(&[5, 30, 90]), 20, "what lies outside the day does not count");
        assert_eq!(gap(&[10, 15, 20, 25]), 25, "to the end of the day");
    }
}
