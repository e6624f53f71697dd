//! The schemas of what `mqlab send` and `mqlab consume` print, a line for each thing.

use serde_json::{Value, json};

use super::{maybe, number, object, text, truth, whole};

/// `mqlab send`.
pub(super) fn send() -> Value {
    let statuses = ["SEND_OK", "FLUSH_DISK_TIMEOUT", "FLUSH_SLAVE_TIMEOUT", "SLAVE_NOT_AVAILABLE"];
    let result = object(
        &[
            ("number", number()),
            ("status", json!({ "enum": statuses })),
            ("msg_id", text()),
            ("offset_msg_id", text()),
            ("topic", text()),
            ("broker", text()),
            ("queue_id", number()),
            ("queue_offset", number()),
        ],
        &[],
    );
    let error = object(
        &[
            ("class", text()),
            ("code", number()),
            ("text", text()),
            ("attempts", number()),
            ("provably_not_stored", truth()),
        ],
        &[],
    );
    let failed = object(&[("number", number()), ("error", error)], &[]);
    whole("How a send went", json!({ "anyOf": [result, failed] }))
}

/// `mqlab consume`.
pub(super) fn consume() -> Value {
    let message = object(
        &[
            ("topic", text()),
            ("broker", text()),
            ("queue_id", number()),
            ("queue_offset", number()),
            ("msg_id", text()),
            ("born_timestamp", number()),
            ("store_timestamp", number()),
            ("reconsume_times", number()),
            ("tag", maybe(text())),
            ("keys", maybe(text())),
            ("properties", json!({ "type": "object", "additionalProperties": text() })),
            ("body", text()),
            ("answer", text()),
        ],
        &[],
    );
    let threw = object(&[("error", object(&[("class", text()), ("text", text())], &[]))], &[]);
    whole("A delivery", json!({ "anyOf": [message, threw] }))
}
