//! Moments as people write them: `1250ms`, `first:send-ok`, `nth(3):append@broker-a`, `before:fault:outage + 200ms`.
//!
//! A moment triggers an episode, boots a node, stops a player or carries a step of narration.

use std::ops::Range;

use crate::lab::fault::episode::{EventMatch, Trigger};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Fault, Record, What};
use crate::mq::message::Name;
use crate::mq::time::{Span, Time};

/// Why a text is no moment, no event or no span of time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct MomentError {
    /// Which bytes of the text are meant.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: String,
}

/// What people call a kind of record, where that is not its own name.
pub const ALIASES: &[(&str, &str)] = &[
    ("send", "call-send"),
    ("send-ok", "sent-result"),
    ("send-failed", "failed"),
    ("append", "appended"),
    ("flush", "flushed"),
    ("dispatch", "dispatched"),
    ("pull-held", "held"),
    ("pull", "pulled"),
    ("deliver", "listen"),
    ("consume", "listen"),
    ("consumed", "listened"),
    ("commit", "offset-committed"),
    ("power-loss", "power-lost"),
    ("kill", "killed"),
    ("boot", "booted"),
    ("recover", "recovered"),
];

/// The units of time, largest last, with their nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// A moment.
pub fn parse(text: &str) -> Result<Trigger, MomentError> {
    let (base, delay) = match text.split_once('+') {
        None => (text, Span::ZERO),
        Some((base, delay)) => {
            let at = text.len() - delay.len();
            (base, span_at(delay, at)?)
        }
    };
    let start = base.len() - base.trim_start().len();
    let base = base.trim();
    if base.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(Trigger::At(Time::ZERO + span_at(base, start)? + delay));
    }
    let (before, rest) = match base.strip_prefix("before:") {
        Some(rest) => (true, rest),
        None => (false, base.strip_prefix("after:").unwrap_or(base)),
    };
    let (nth, rest) = ordinal(rest, start + base.len() - rest.len())?;
    let event = event_at(rest, start + base.len() - rest.len())?;
    Ok(Trigger::After { event, nth, before, delay })
}

/// `first:` and `nth(3):`.
fn ordinal(text: &str, at: usize) -> Result<(u64, &str), MomentError> {
    if let Some(rest) = text.strip_prefix("first:") {
        return Ok((1, rest));
    }
    let Some(inside) = text.strip_prefix("nth(") else { return Ok((1, text)) };
    let bad = || MomentError {
        at: at..at + text.len(),
        message: format!("`{text}` does not say which occurrence"),
        help: "write `nth(3):append`, counted from 1".to_owned(),
    };
    let (number, rest) = inside.split_once("):").ok_or_else(bad)?;
    match number.parse() {
        Ok(nth) if nth > 0 => Ok((nth, rest)),
        _ => Err(bad()),
    }
}

/// An event: a kind of record, at any node or (`append@broker-a`) at one; or a fault by name (`fault:outage`).
pub fn event(text: &str) -> Result<EventMatch, MomentError> {
    event_at(text, 0)
}

fn event_at(text: &str, at: usize) -> Result<EventMatch, MomentError> {
    if let Some(name) = text.strip_prefix("fault:") {
        return Ok(EventMatch::Fault(Name::from(name)));
    }
    let (kind, node) = match text.split_once('@') {
        Some((kind, node)) => (kind, Some(Name::from(node))),
        None => (text, None),
    };
    let kind = ALIASES.iter().find(|(alias, _)| *alias == kind).map_or(kind, |(_, kind)| kind);
    if What::is_kind(kind) {
        return Ok(EventMatch::Kind { kind: Name::from(kind), node });
    }
    let known = What::kinds().chain(ALIASES.iter().map(|(alias, _)| *alias));
    let help = match nearest(kind, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a moment is a time (`1250ms`), `first:EVENT`, `nth(3):EVENT`, `before:X` or `after:X`, where X is an \
                 event such as `send-ok`, `append@broker-a`, or `fault:NAME`"
            .to_owned(),
    };
    Err(MomentError { at: at..at + text.len(), message: format!("`{kind}` is neither a time nor an event"), help })
}

/// A span of time with its unit: `250ms`, `1.5s`, `10m`.
pub fn span(text: &str) -> Result<Span, MomentError> {
    span_at(text, 0)
}

fn span_at(text: &str, at: usize) -> Result<Span, MomentError> {
    let skipped = text.len() - text.trim_start().len();
    let (at, text) = (at + skipped, text.trim());
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let error = |message: String, help: &str| MomentError { at: at..at + text.len(), message, help: help.to_owned() };
    let units = "units are ns, us, ms, s, m and h: `250ms`, `1.5s`, `10m`";
    if number.is_empty() {
        return Err(error(format!("`{text}` is not a span of time"), units));
    }
    let Some(&(_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let message = match unit {
            "" => format!("`{text}` has no unit"),
            _ => format!("`{unit}` is not a unit of time"),
        };
        return Err(error(message, units));
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    scaled(whole, fraction, nanos).map(Span).ok_or_else(|| {
        error(format!("`{text}` does not come out in whole nanoseconds below 584 years"), "use a smaller unit")
    })
}

fn scaled(whole: &str, fraction: &str, nanos: u64) -> Option<u64> {
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = whole.checked_mul(nanos)?;
    let mut worth = nanos;
    for digit in fraction.bytes() {
        if !digit.is_ascii_digit() || !worth.is_multiple_of(10) && digit != b'0' {
            return None;
        }
        worth /= 10;
        total = total.checked_add(worth * u64::from(digit - b'0'))?;
    }
    Some(total)
}

/// A span or a range of spans: `20ms`, `1ms..4ms`; the ends in order.
pub fn spans(text: &str) -> Result<(Span, Span), MomentError> {
    let Some((low, high)) = text.split_once("..") else {
        return span(text).map(|span| (span, span));
    };
    let (min, max) = (span_at(low, 0)?, span_at(high, low.len() + 2)?);
    if max < min {
        let message = format!("the range `{text}` ends before it begins");
        return Err(MomentError { at: 0..text.len(), message, help: format!("write `{max}..{min}`") });
    }
    Ok((min, max))
}

/// The step at whose beginning a moment of a recorded run is reached; `None` if it never is.
///
/// After an event is the step behind its own; before it is its own step.
pub fn find(moment: &Trigger, trace: &Trace) -> Option<u64> {
    match moment {
        Trigger::At(at) => step_at(trace, *at),
        Trigger::After { event, nth, before, delay } => {
            let skip = usize::try_from(nth.saturating_sub(1)).ok()?;
            let record = trace.records().iter().filter(|record| is(event, record, trace)).nth(skip)?;
            match *delay {
                Span::ZERO => Some(record.step + u64::from(!before)),
                delay => step_at(trace, record.at + delay),
            }
        }
    }
}

/// How the beginning of a step is written, so that another run of the plan comes to it at the same place: after the last
/// thing that a node did in the step before, or by its time if none did anything there.
pub fn written(trace: &Trace, step: u64) -> String {
    let before = step.checked_sub(1).map_or(&[][..], |last| trace.step(last));
    let Some(record) = before.iter().rev().find(|record| record.node.is_some()) else {
        return format!("{}ns", trace.time(step).0);
    };
    let same = |other: &&Record| other.node == record.node && other.what.kind() == record.what.kind();
    let nth = trace.before(step).iter().filter(same).count();
    let node = record.node.map_or("?", |node| trace.name(node).as_str());
    format!("nth({nth}):{}@{node}", record.what.kind())
}

fn step_at(trace: &Trace, at: Time) -> Option<u64> {
    let records = trace.records();
    let behind = records.partition_point(|record| record.at < at);
    records.get(behind).map(|record| record.step)
}

/// Whether a record is such an event.
pub fn is(event: &EventMatch, record: &Record, trace: &Trace) -> bool {
    match event {
        EventMatch::Kind { kind, node } => {
            let here = node.as_ref().is_none_or(|node| record.node.is_some_and(|at| trace.name(at) == node));
            here && record.what.kind() == &**kind
        }
        EventMatch::Fault(wanted) => {
            matches!(&record.what, What::Fault(Fault::Begun { name, .. }) if name == wanted)
        }
    }
}

/// The nearest of some names, if one is near enough to have been meant.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |name: &&str| strsim::damerau_levenshtein(wrong, name) <= 1 + wrong.chars().count() / 4;
    names.into_iter().filter(near).min_by_key(|name| (strsim::damerau_levenshtein(wrong, name), name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_exact_and_have_units() {
        let cases = [("250ms", 250_000_000), ("1.25s", 1_250_000_000), ("40us", 40_000), ("2m", 120_000_000_000)];
        for (text, nanos) in cases {
            assert_eq!(span(text), Ok(Span(nanos)), "{text}");
        }
        for wrong in ["", "12", "12 parsecs", "s", "1.5ns", "99999999999h", "-1s", "1..2s", "1e3s"] {
            let error = span(wrong).unwrap_err();
            assert!(!error.message.is_empty() && error.at.end <= wrong.len(), "{wrong}: {error:?}");
        }
        assert_eq!(spans("1ms..4ms"), Ok((Span::from_millis(1), Span::from_millis(4))));
        assert_eq!(spans("4ms..1ms").unwrap_err().help, "write `1ms..4ms`");
    }

    #[test]
    fn moments_name_times_events_and_faults() {
        let after = |kind: &str, node: Option<&str>, nth, before, delay| Trigger::After {
            event: EventMatch::Kind { kind: kind.into(), node: node.map(Name::from) },
            nth,
            before,
            delay,
        };
        assert_eq!(parse("1250ms"), Ok(Trigger::At(Time(1_250_000_000))));
        assert_eq!(parse("first:send-ok"), Ok(after("sent-result", None, 1, false, Span::ZERO)));
        assert_eq!(parse("nth(3):append@broker-a"), Ok(after("appended", Some("broker-a"), 3, false, Span::ZERO)));
        assert_eq!(parse("before:nth(2):flush + 5ms"), Ok(after("flushed", None, 2, true, Span::from_millis(5))));
        let outage = Trigger::After {
            event: EventMatch::Fault("outage".into()),
            nth: 1,
            before: false,
            delay: Span::from_secs(1),
        };
        assert_eq!(parse("after:fault:outage + 1s"), Ok(outage));
    }

    #[test]
    fn what_is_no_moment_is_answered_with_the_nearest() {
        assert_eq!(parse("first:apend").unwrap_err().help, "did you mean `append`?");
        for wrong in ["", "soon", "nth(0):append", "nth(x):append", "nth(3", "1s + soon", "before:", "first:"] {
            let error = parse(wrong).unwrap_err();
            assert!(error.at.end <= wrong.len() && !error.help.is_empty(), "{wrong}: {error:?}");
        }
    }
}
