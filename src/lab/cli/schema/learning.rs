//! The schemas of what `mqlab learn` and `mqlab course` print.

use serde_json::{Value, json};

use super::{list, maybe, number, object, text, truth, whole};

fn stage() -> Value {
    json!({ "enum": ["new", "begun", "seen", "passed"] })
}

fn phrase() -> Value {
    object(&[("en", text()), ("zh", text())], &[])
}

/// `mqlab learn list`.
pub(super) fn lessons() -> Value {
    let lesson = object(
        &[
            ("id", text()),
            ("number", maybe(number())),
            ("title", phrase()),
            ("question", phrase()),
            ("tour", truth()),
            ("exercise", truth()),
            ("stage", stage()),
        ],
        &[],
    );
    whole("The lessons", object(&[("lessons", list(lesson))], &[]))
}

/// `mqlab learn check`.
pub(super) fn verdict() -> Value {
    let place = [("lesson", text()), ("file", text())];
    let with = |verdict: &str, more: &[(&str, Value)]| {
        let keys: Vec<(&str, Value)> = place
            .iter()
            .cloned()
            .chain([("verdict", json!({ "const": verdict }))])
            .chain(more.iter().cloned())
            .collect();
        object(&keys, &[])
    };
    let outcome = ["pass", "violation", "known", "inconclusive", "harness"];
    let missed = [
        ("touched", truth()),
        ("expect", text()),
        ("wanted", json!({ "enum": ["holds", "violated", "either"] })),
        ("outcome", json!({ "enum": outcome })),
        ("seed", number()),
        ("seen", phrase()),
        ("replay", text()),
    ];
    let problem =
        object(&[("message", text()), ("help", text()), ("line", maybe(number())), ("column", maybe(number()))], &[]);
    let shapes = [
        with("passed", &[("seeds", number())]),
        with("not-yet", &missed),
        with("broken", &[("seed", number()), ("text", text())]),
        with("invalid", &[("problems", list(problem))]),
    ];
    whole("What a copy came to", json!({ "anyOf": shapes }))
}

/// `mqlab learn progress`.
pub(super) fn progress() -> Value {
    let taken = object(
        &[
            ("stage", stage()),
            ("steps", number()),
            ("answers", number()),
            ("right", number()),
            ("hints", number()),
            ("solution", truth()),
            ("passed", truth()),
            ("copy", maybe(text())),
        ],
        &[],
    );
    let count = object(&[("all", number()), ("passed", number())], &[]);
    let lessons = json!({ "type": "object", "additionalProperties": taken });
    let keys = [("file", text()), ("next", maybe(text())), ("count", count), ("lessons", lessons)];
    whole("How far somebody is", object(&keys, &[]))
}

/// `mqlab course check`.
pub(super) fn course() -> Value {
    let kinds = ["resolves", "language", "width", "exercise", "unsolved", "solution", "wrong", "card", "run"];
    let problem = object(&[("kind", json!({ "enum": kinds })), ("en", text()), ("zh", text())], &[]);
    let lesson = object(
        &[
            ("id", text()),
            ("good", truth()),
            ("steps", number()),
            ("hints", number()),
            ("solutions", object(&[("given", number()), ("pass", number())], &[])),
            ("wrong", object(&[("given", number()), ("fail", number())], &[])),
            ("problems", list(problem)),
        ],
        &[],
    );
    whole("Whether each lesson is in order", object(&[("good", truth()), ("lessons", list(lesson))], &[]))
}
