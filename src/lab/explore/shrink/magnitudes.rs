//! Passes 6, 7 and 9: how long, how much and when, in numbers that a person would choose.

use toml::Value;

use crate::lab::explore::shrink::document::{Path, at, leaves, millis, row, rows, span};
use crate::lab::explore::shrink::search::Search;

/// Faults: shorter, smaller, with a policy that has a name.
pub(super) fn faults(search: &mut Search<'_>) {
    for number in 0..rows(&search.document, "fault").len() {
        let mut places = Vec::new();
        let fault = Value::Table(rows(&search.document, "fault")[number].clone());
        leaves(&fault, &vec!["fault".to_owned(), number.to_string()], &mut places);
        for place in places {
            let key = place.last().map_or("", String::as_str);
            match (key, at(&mut search.document, &place).cloned()) {
                ("at" | "name", _) | (_, None) => {}
                ("keep", Some(_)) => {
                    for policy in ["lose-all-unsynced", "keep-all"] {
                        if set(search, &place, Value::String(policy.to_owned())) {
                            break;
                        }
                    }
                }
                (_, Some(value)) => smaller(search, &place, &value),
            }
        }
        // A fault that heals by itself needs no end.
        search.change(|document| {
            if let Some(fault) = row(document, "fault", number) {
                fault.remove("lasts");
            }
        });
    }
}

/// Halves as long as that goes.
fn smaller(search: &mut Search<'_>, place: &Path, value: &Value) {
    let is_span = value.is_str();
    let Some(mut now) = millis(value).or_else(|| value.as_integer().and_then(|number| u64::try_from(number).ok()))
    else {
        return;
    };
    while 1 < now && !search.is_spent() {
        let half = now / 2;
        let next = if is_span { span(half) } else { Value::Integer(i64::try_from(half).unwrap_or(1)) };
        if !set(search, place, next) {
            return;
        }
        now = half;
    }
}

/// Roads and disks without spread.
pub(super) fn roads(search: &mut Search<'_>) {
    let constant = |search: &mut Search<'_>, place: &Path| {
        if at(&mut search.document, place).is_some() {
            set(search, place, Value::String("1ms..1ms".to_owned()));
        }
    };
    constant(search, &["cluster", "network", "latency"].map(str::to_owned).to_vec());
    for number in 0..rows(&search.document, "broker").len() {
        constant(search, &["broker", &number.to_string(), "disk", "fsync"].map(str::to_owned).to_vec());
    }
}

/// Every moment and span in round numbers, the roundest that will do.
pub(super) fn rounded(search: &mut Search<'_>) {
    let mut places = Vec::new();
    leaves(&Value::Table(search.document.clone()), &Vec::new(), &mut places);
    // The end is where the first pass has put it: a liveness violation needs it there.
    places.retain(|place| place.first().is_none_or(|key| key != "until"));
    for place in places {
        let Some(value) = at(&mut search.document, &place).cloned() else { continue };
        let Some(now) = millis(&value) else { continue };
        for unit in [60_000, 10_000, 5_000, 1_000, 500, 100, 10] {
            if now.is_multiple_of(unit) {
                // `5000ms` is `5s`.
                set(search, &place, span(now));
                break;
            }
            let (below, above) = (now / unit * unit, now.div_ceil(unit) * unit);
            // Not further away than half of what it is: a round number is to be like the old one.
            let is_near = |new: u64| 0 < new && new.abs_diff(now) <= now / 2;
            if [below, above].into_iter().any(|new| is_near(new) && set(search, &place, span(new))) {
                break;
            }
        }
    }
}

fn set(search: &mut Search<'_>, place: &Path, value: Value) -> bool {
    search.change(|document| {
        if let Some(old) = at(document, place) {
            *old = value;
        }
    })
}
