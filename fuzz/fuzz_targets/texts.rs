//! JSON as fastjson takes it, the oracle's JSON, the broker's five config files, and conditions of consumers in both readings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqlab::lab::oracle::{condition, json};
use mqlab::lab::scenario::plan::DiskPlan;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::broker::group::Groups;
use mqlab::mq::disk::Disk;
use mqlab::mq::fastjson::Json;
use mqlab::mq::filter::sql::Sql;
use mqlab::mq::store::delay_offset::DelayOffsets;
use mqlab::mq::time::Millis;

fuzz_target!(|input: (u8, &[u8])| {
    let (what, bytes) = input;
    if let Ok(json) = Json::parse(bytes) {
        let once = json.compact();
        let again = Json::parse(once.as_bytes()).expect("what is written is read");
        assert_eq!(again.compact(), once);
        let _ = json.pretty();
    }
    let _ = json::Json::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (sql, read) = (Sql::compile(text), condition::Condition::read(text));
        for value in ["", "5", "true", "x"] {
            let _ = sql.as_ref().map(|sql| sql.answer(&|_| Some(value)));
            let _ = read.as_ref().map(|read| read.answer(&|_| Some(value.to_owned())));
        }
    }
    let mut disk = SimDisk::new(&DiskPlan::default());
    let tail = if what & 1 == 0 { "" } else { ".bak" };
    for file in ["config/subscriptionGroup.json", "config/delayOffset.json"] {
        disk.put(&format!("{file}{tail}"), bytes).expect("there is room");
    }
    if let Ok((groups, _)) = Groups::load(&mut disk, true, Millis(0)) {
        let _ = groups.text();
    }
    if let Ok((offsets, _)) = DelayOffsets::load(&mut disk) {
        let _ = offsets.text();
    }
});
