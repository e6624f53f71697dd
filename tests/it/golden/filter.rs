//! Rows of filters: what a text compiles to, what it answers for a message, what it throws in the release's words.

use mqlab::lab::oracle::condition::{self as oracle, Condition};
use mqlab::mq::filter::sql::Sql;
use mqlab::mq::filter::tag::{Subscription, SubscriptionError};
use serde_json::{Value, json};

use super::{Answer, same};

pub(super) fn sql92(input: &Value, expected: &Value) -> Answer {
    let properties = &input["properties"];
    let lookup = |name: &str| properties.get(name).and_then(Value::as_str);
    let got = match Sql::compile(input["expression"].as_str()?) {
        Err(error) => row("PARSE_ERROR", None, Some((error.cause.class, error.cause.to_string()))),
        Ok(sql) => {
            let text = Some(sql.to_string());
            match sql.answer(&lookup) {
                Ok(Some(true)) => row("TRUE", text, None),
                Ok(Some(false)) => row("FALSE", text, None),
                Ok(None) => row("NULL", text, None),
                Err(unanswered) => row("EVAL_ERROR", text, Some((unanswered.class(), unanswered.to_string()))),
            }
        }
    };
    same(&unprinted(got, expected), expected)
}

fn row(outcome: &str, compiled: Option<String>, thrown: Option<(&str, String)>) -> Value {
    let (class, error) = thrown.map_or((None, None), |(class, text)| (Some(class.to_owned()), Some(text)));
    json!({
        "outcome": outcome, "matches": outcome == "TRUE", "compiled": compiled, "errorClass": class, "error": error,
    })
}

/// Rows leave out what a virtual machine is free to print: the order of a hash set, the words of a failed cast.
fn unprinted(mut got: Value, expected: &Value) -> Value {
    let is_set = got["compiled"].as_str().is_some_and(|text| text.contains(" IN ( "));
    let is_cast = got["errorClass"] == "java.lang.ClassCastException";
    for (key, is_free) in [("compiled", is_set), ("error", is_cast)] {
        if is_free && expected[key].is_null() {
            got[key] = Value::Null;
        }
    }
    got
}

/// The lab's own reading of conditions answers as the release, wherever it reads one; it reads most.
#[test]
fn the_second_reading_agrees_with_the_release() {
    let text = std::fs::read_to_string(super::folder().join("sql92.json")).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (mut read, mut wrong) = (0, Vec::new());
    for row in &rows {
        let (input, outcome) = (&row["input"], row["expected"]["outcome"].as_str().unwrap());
        // Digits of other scripts and hexadecimal ones are Java's alone.
        let is_plain = |value: &Value| value.as_str().is_some_and(|text| !text.contains("0x") && !text.contains('٥'));
        if !input["properties"].as_object().is_some_and(|properties| properties.values().all(is_plain)) {
            continue;
        }
        let Some(condition) = Condition::read(input["expression"].as_str().unwrap()) else { continue };
        let answer = condition.answer(&|name| input["properties"].get(name)?.as_str().map(str::to_owned));
        let said = match answer {
            oracle::Answer::Yes => "TRUE",
            oracle::Answer::No => "FALSE",
            oracle::Answer::Unknown => "NULL",
            oracle::Answer::Fails => "EVAL_ERROR",
        };
        read += 1;
        if said != outcome {
            wrong.push(format!("{input} is {outcome}, the second reading says {said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {read} rows\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows.len() / 2 < read, "only {read} of {} rows are read", rows.len());
}

pub(super) fn tag_subscription(input: &Value, expected: &Value) -> Answer {
    let (expression, language) = (input["expression"].as_str(), input["type"].as_str());
    let built = match input["function"].as_str()? {
        "buildSubscriptionData" => Subscription::tags(expression),
        "build" => Subscription::build(expression, language),
        _ => return None,
    };
    let got = match built {
        Ok(built) => {
            let mut tags: Vec<&str> = built.tags.iter().map(|tag| &**tag).collect();
            tags.sort_by_key(|tag| tag.encode_utf16().collect::<Vec<u16>>());
            let mut codes = built.codes.clone();
            codes.sort_unstable();
            json!({
                "ok": true, "topic": input["topic"], "subString": &*built.expression, "tagsSet": tags, "codeSet": codes,
                "expressionType": &*built.language, "classFilterMode": false, "errorClass": null, "error": null,
            })
        }
        Err(error) => {
            let class = match error {
                SubscriptionError::OnlySeparators => "java.lang.Exception",
                SubscriptionError::Empty(_) => "java.lang.IllegalArgumentException",
            };
            json!({
                "ok": false, "topic": null, "subString": null, "tagsSet": null, "codeSet": null, "expressionType": null,
                "classFilterMode": null, "errorClass": class, "error": error.to_string(),
            })
        }
    };
    same(&got, expected)
}
