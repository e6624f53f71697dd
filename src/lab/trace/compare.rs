//! Two traces as JSON lines: where they part.
//!
//! Of one build, two runs of a plan are the same line by line. Of two builds, numbers of steps and records differ for reasons
//! that are none: there, records are matched by node, incarnation, kind, and how many of that kind came before at that node.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// A record that has no equal on the other side.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Place {
    /// The step that left it.
    pub step: u64,
    /// Its number.
    pub seq: u64,
    /// True time.
    pub at: u64,
    /// Whose it is; nobody's is the lab's.
    pub node: Option<String>,
    /// That node's boot counter.
    pub incarnation: u64,
    /// What happened.
    pub kind: String,
    /// How many of that kind came before in that incarnation of that node.
    pub ordinal: u64,
    /// The record as it stands in the file.
    pub record: Value,
}

/// Where two traces part: the first record that differs, on both sides.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Parting {
    /// In the first trace; nothing if it has ended there.
    pub first: Option<Place>,
    /// In the second.
    pub second: Option<Place>,
}

/// How records find each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Match {
    /// One by one, in every field.
    InOrder,
    /// By node, incarnation, kind and ordinal; numbers that count over the whole world are not compared.
    ByOrdinal,
}

/// Counted over the whole world: one record more shifts all of them.
const WORLD_WIDE: [&str; 4] = ["step", "seq", "cause", "link"];

/// The first record in which two traces differ. Errors: the number of a line that is none of a trace, and why.
pub fn parting(first: &str, second: &str, how: Match) -> Result<Option<Parting>, (Side, String)> {
    let (first, second) =
        (places(first).map_err(|why| (Side::First, why))?, places(second).map_err(|why| (Side::Second, why))?);
    Ok(match how {
        Match::InOrder => {
            let same = first.iter().zip(&second).take_while(|(a, b)| a.record == b.record).count();
            let parting = Parting { first: first.get(same).cloned(), second: second.get(same).cloned() };
            (parting.first.is_some() || parting.second.is_some()).then_some(parting)
        }
        Match::ByOrdinal => by_ordinal(&first, &second),
    })
}

/// Which of two traces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The first.
    First,
    /// The second.
    Second,
}

type Key<'a> = (Option<&'a str>, u64, &'a str, u64);

fn key(place: &Place) -> Key<'_> {
    (place.node.as_deref(), place.incarnation, &place.kind, place.ordinal)
}

fn by_ordinal(first: &[Place], second: &[Place]) -> Option<Parting> {
    let theirs: BTreeMap<Key<'_>, &Place> = second.iter().map(|place| (key(place), place)).collect();
    let ours: BTreeMap<Key<'_>, &Place> = first.iter().map(|place| (key(place), place)).collect();
    let differs = |place: &&Place, others: &BTreeMap<Key<'_>, &Place>| {
        others.get(&key(place)).is_none_or(|other| bare(&other.record) != bare(&place.record))
    };
    let a = first.iter().find(|place| differs(place, &theirs));
    let b = second.iter().find(|place| differs(place, &ours));
    let seen_from = |place: &Place, others: &BTreeMap<Key<'_>, &Place>| others.get(&key(place)).map(|p| (*p).clone());
    // Which came first is a matter of true time, which both share.
    match (a, b) {
        (None, None) => None,
        (Some(a), b) if b.is_none_or(|b| (a.at, a.seq) <= (b.at, b.seq)) => {
            Some(Parting { first: Some(a.clone()), second: seen_from(a, &theirs) })
        }
        (_, Some(b)) => Some(Parting { first: seen_from(b, &ours), second: Some(b.clone()) }),
        (Some(a), None) => Some(Parting { first: Some(a.clone()), second: seen_from(a, &theirs) }),
    }
}

/// A record without the numbers that count over the whole world.
fn bare(record: &Value) -> Value {
    let mut record = record.clone();
    if let Value::Object(fields) = &mut record {
        WORLD_WIDE.iter().for_each(|name| drop(fields.remove(*name)));
    }
    record
}

fn places(text: &str) -> Result<Vec<Place>, String> {
    let mut counts: BTreeMap<(Option<String>, u64, String), u64> = BTreeMap::new();
    let mut places = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let record: Value = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
        // The head and the foot have no kind.
        let Some(kind) = record.get("kind").and_then(Value::as_str).map(str::to_owned) else {
            let is_frame = ["format", "digest"].iter().any(|name| record.get(name).is_some());
            if !is_frame {
                return Err(format!("line {number} is no record, no head and no foot of a trace"));
            }
            continue;
        };
        let number_of = |name: &str| record.get(name).and_then(Value::as_u64).unwrap_or_default();
        let node = record.get("node").and_then(Value::as_str).map(str::to_owned);
        let incarnation = number_of("incarnation");
        let count = counts.entry((node.clone(), incarnation, kind.clone())).or_insert(0);
        let ordinal = *count;
        *count += 1;
        let (step, seq, at) = (number_of("step"), number_of("seq"), number_of("at"));
        places.push(Place { step, seq, at, node, incarnation, kind, ordinal, record });
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(rows: &[(u64, &str, &str, u64)]) -> String {
        let mut out = String::from("{\"format\":1}\n");
        for (seq, (at, node, kind, value)) in rows.iter().enumerate() {
            out.push_str(&format!(
                "{{\"step\":{seq},\"seq\":{seq},\"at\":{at},\"node\":\"{node}\",\"incarnation\":1,\"kind\":\"{kind}\",\"v\":{value}}}\n"
            ));
        }
        out.push_str("{\"digest\":\"0\"}\n");
        out
    }

    #[test]
    fn in_order_the_first_line_that_differs_is_named_with_its_ordinal() {
        let a = trace(&[(1, "a", "fired", 1), (2, "b", "fired", 1), (3, "a", "fired", 2), (4, "a", "sent", 2)]);
        let b = trace(&[(1, "a", "fired", 1), (2, "b", "fired", 1), (3, "a", "fired", 9), (4, "a", "sent", 7)]);
        assert_eq!(parting(&a, &a, Match::InOrder), Ok(None));
        let found = parting(&a, &b, Match::InOrder).unwrap().unwrap();
        let (first, second) = (found.first.unwrap(), found.second.unwrap());
        assert_eq!((first.seq, first.node.as_deref(), first.ordinal, first.kind.as_str()), (2, Some("a"), 1, "fired"));
        assert_eq!(second.record["v"], 9);
        let short = trace(&[(1, "a", "fired", 1)]);
        let found = parting(&short, &a, Match::InOrder).unwrap().unwrap();
        assert!(found.first.is_none() && found.second.unwrap().seq == 1);
    }

    #[test]
    fn a_record_more_at_one_node_shifts_no_other() {
        let a = trace(&[(1, "a", "fired", 1), (2, "b", "fired", 1), (3, "c", "sent", 1)]);
        // The same, and one more in between: only that one differs.
        let b = trace(&[(1, "a", "fired", 1), (1, "a", "rolled", 5), (2, "b", "fired", 1), (3, "c", "sent", 1)]);
        let found = parting(&a, &b, Match::ByOrdinal).unwrap().unwrap();
        assert!(found.first.is_none());
        assert_eq!(found.second.unwrap().kind, "rolled");
        // What differs later is not told before what differs first, from whichever side.
        let c = trace(&[(1, "a", "fired", 1), (2, "b", "fired", 1), (3, "c", "sent", 2)]);
        let found = parting(&b, &c, Match::ByOrdinal).unwrap().unwrap();
        assert_eq!(found.first.unwrap().kind, "rolled");
        let found = parting(&a, &c, Match::ByOrdinal).unwrap().unwrap();
        assert_eq!((found.first.unwrap().seq, found.second.unwrap().seq), (2, 2));
        // Another order of two nodes' records is no difference.
        let d = trace(&[(2, "b", "fired", 1), (1, "a", "fired", 1), (3, "c", "sent", 1)]);
        assert_eq!(parting(&a, &d, Match::ByOrdinal), Ok(None));
        assert!(parting(&a, &d, Match::InOrder).unwrap().is_some());
    }

    #[test]
    fn what_is_no_trace_is_told_by_its_line() {
        let good = trace(&[(1, "a", "fired", 1)]);
        let (side, why) = parting(&good, "{\"format\":1}\n{\"at\":", Match::ByOrdinal).unwrap_err();
        assert!(side == Side::Second && why.starts_with("line 2"), "{why}");
        let (side, why) = parting("{\"x\":1}\n", &good, Match::InOrder).unwrap_err();
        assert!(side == Side::First && why.contains("no record"), "{why}");
    }
}
