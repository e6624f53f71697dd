//! G04: what is handed out and what is stored says what was sent, letter by letter.
//!
//! Messages are told apart by the unique keys that acknowledgements name; of the others G03 says that somebody sent them.

use crate::lab::check::Judged;
use crate::lab::check::history::{CopySeen, History};
use crate::lab::check::letters::{SendSeen, label};
use crate::lab::check::wording::{Content, content_of, content_of_copy};
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::record::Seq;
use crate::mq::message::names;

/// Whether a copy says something else than what was sent.
pub(super) fn differs(send: &SendSeen, copy: &LogRecord) -> bool {
    let (said, kept) = (content_of(&send.message), content_of_copy(copy));
    // A half message that is put back loses the application's flag, and may say when it was stored first.
    if *copy.topic == *names::TRANS_HALF_TOPIC {
        return said.1 != kept.1 || said.2.iter().any(|pair| !kept.2.contains(pair));
    }
    // Where the release parks a copy its topic is the parking's.
    let is_parked = copy.topic.starts_with('%') || is_own(&copy.topic);
    send.message.flag != copy.flag || is_other(&said, &kept, is_parked)
}

fn is_other((topic, body, pairs): &Content<'_>, other: &Content<'_>, anywhere: bool) -> bool {
    (!anywhere && *topic != other.0) || *body != other.1 || *pairs != other.2
}

/// Topics in which the release parks copies.
pub(super) fn is_own(topic: &str) -> bool {
    topic == SCHEDULE_TOPIC || topic == names::TRANS_HALF_TOPIC
}

/// Every delivery, every pull and every copy of an acknowledged message says what was sent.
///
/// A disk that was struck may say anything of what its CRC does not cover: that is K17.
pub(super) fn content_integrity(history: &History, plan: &Plan) -> Judged {
    let mut looked_at = 0;
    let wrong = |send: &SendSeen, seen: Option<Seq>, where_en: &str, where_zh: &str| {
        let witness = [send.seq].into_iter().chain(seen).collect();
        let name = label(send);
        let judged = Judged::violation(
            "other content",
            witness,
            format!("{name} says something else {where_en} than what was sent"),
            format!("{name} {where_zh}与发送的不同"),
        );
        let is_struck = history.brokers.iter().any(|broker| history.signs.is_sick(broker.node));
        if is_struck && !plan.profile.fixes("K17") { judged.known(UNCOVERED) } else { judged }
    };
    for delivery in history.deliveries.iter().chain(&history.pulls) {
        for (brief, stored) in delivery.brief.iter().zip(&delivery.messages) {
            let Some(send) = brief.id.and_then(|id| history.sent(id)) else { continue };
            looked_at += 1;
            if brief.is_as_sent {
                continue;
            }
            let (said, got) = (content_of(&send.message), content_of(&stored.message));
            let is_retry = stored.message.topic.starts_with('%');
            if send.message.flag != stored.message.flag || is_other(&said, &got, is_retry) {
                return wrong(send, Some(delivery.seq), "where it is handed out", "投递的内容");
            }
        }
    }
    for CopySeen { id, is_as_sent, record: copy, .. } in history.copies_seen() {
        let Some(send) = id.and_then(|id| history.sent(id)) else { continue };
        // What nobody can read nobody is handed.
        if copy.is_garbled || *copy.topic == *names::TRANS_OP_TOPIC {
            continue;
        }
        looked_at += 1;
        if !is_as_sent && differs(send, copy) {
            return wrong(send, None, "in the log", "日志中的内容");
        }
    }
    match looked_at {
        0 => Judged::inconclusive("nothing that was acknowledged was seen again", "没有再见到已确认的消息"),
        _ => Judged::pass(
            format!("{looked_at} copies and deliveries as sent"),
            format!("{looked_at} 份副本与投递内容一致"),
        ),
    }
}

/// Source: `ScheduleMessageService.SCHEDULE_TOPIC`.
pub(super) const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";
/// The CRC covers the body alone, and is looked at by recovery alone: K17.
const UNCOVERED: u8 = 17;
