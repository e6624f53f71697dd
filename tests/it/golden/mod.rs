//! Every row of `tests/golden/protocol` against what the real 4.3.2 classes returned.
//!
//! Nothing about a row is written down here: other rows of the same shape can be dropped into the files. A file is consumed
//! by a check below, by another module named here, or waits for an issue by name; a file that does none of it fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

mod back;

mod filter;

mod format;

mod message;

mod send;

mod transaction;

mod wire;

/// What a check says of a row: what differs, if anything; `None` if it cannot read the row, which is a failure, too.
type Answer = Option<Result<(), String>>;

/// A check of one row.
type Check = fn(&Value, &Value) -> Answer;

/// Why a row is passed over, for those that ask for something that is not here.
type Waits = fn(&Value) -> Option<String>;

const CHECKED: &[(&str, Check)] = &[
    ("data_version.json", wire::data_version),
    ("java_hash.json", message::java_hash),
    ("json_body.json", wire::json_body),
    ("delay_level.json", message::delay_level),
    ("end_transaction.json", transaction::end_transaction),
    ("message_batch.json", message::message_batch),
    ("message_id.json", message::message_id),
    ("message_properties.json", message::message_properties),
    ("message_queue_order.json", message::message_queue_order),
    ("message_record.json", message::message_record),
    ("message_record_list.json", message::message_record_list),
    ("names.json", message::names_of),
    ("perm.json", wire::perm),
    ("remoting_bits.json", wire::remoting_bits),
    ("remoting_decode.json", wire::remoting_decode),
    ("remoting_encode.json", wire::remoting_encode),
    ("remoting_headers.json", wire::remoting_headers),
    ("send_message.json", send::send_message),
    ("send_message_back.json", back::send_message_back),
    ("sql92.json", filter::sql92),
    ("sysflag.json", message::sys_flags),
    ("tag_subscription.json", filter::tag_subscription),
    ("to_string.json", message::to_string),
    ("topic_config.json", wire::topic_config),
    ("unique_id.json", message::unique_id),
    ("util_format.json", format::util_format),
    ("zlib_body.json", message::zlib_body),
];

/// Consumed by `client.rs`.
const ELSEWHERE: &[&str] = &[
    "allocate.json",
    "select_queue.json",
    "latency_fault.json",
    "latency_select.json",
    "validators.json",
    "route_info.json",
    "process_queue.json",
];

/// Not consumed yet, with the issue that will.
const LATER: &[(&str, u32)] = &[];

/// Files of which some rows ask for what is not here.
const PARTLY: &[(&str, Waits)] = &[
    ("json_body.json", wire::body_waits),
    ("message_properties.json", message::properties_wait),
    ("names.json", message::name_waits),
    ("unique_id.json", message::zone_waits),
    ("util_format.json", format::waits),
];

#[test]
fn every_file_is_consumed_or_waits_for_an_issue_by_name() {
    let mut found: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    found.retain(|name| name.ends_with(".json"));
    found.sort();
    let mut known: Vec<&str> = CHECKED.iter().map(|(file, _)| *file).collect();
    known.extend(ELSEWHERE);
    known.extend(LATER.iter().map(|(file, _)| *file));
    known.sort_unstable();
    assert_eq!(found, known);
}

#[test]
fn every_row_is_as_the_release_says() {
    let mut wrong = Vec::new();
    for (file, check) in CHECKED {
        let rows: Vec<Value> = serde_json::from_str(&fs::read_to_string(folder().join(file)).unwrap()).unwrap();
        let waits = PARTLY.iter().find(|(partly, _)| partly == file).map(|(_, waits)| waits);
        let mut checked = 0;
        let mut passed_over: BTreeMap<String, usize> = BTreeMap::new();
        for (number, row) in rows.iter().enumerate() {
            let (input, expected) = (&row["input"], &row["expected"]);
            if let Some(why) = waits.and_then(|waits| waits(input)) {
                *passed_over.entry(why).or_insert(0) += 1;
                continue;
            }
            checked += 1;
            let got = match check(input, expected) {
                Some(Ok(())) => continue,
                Some(Err(got)) => got,
                None => "nobody here can read this row".to_owned(),
            };
            wrong.push(format!("{file} row {number}\n  input    {input}\n  expected {expected}\n  got      {got}"));
        }
        println!("{file}: {checked} of {} rows", rows.len());
        passed_over.iter().for_each(|(why, count)| println!("  {count} passed over: {why}"));
        assert!(0 < checked, "{file}: no row was checked");
    }
    let count = wrong.len();
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{count} rows are wrong\n{}", wrong.join("\n"));
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/protocol")
}

fn same<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T) -> Option<Result<(), String>> {
    Some(if got == expected { Ok(()) } else { Err(format!("{got:?}, expected {expected:?}")) })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
