//! The oracle reads every image of the golden stores, and agrees with what the release's own classes returned.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mqlab::lab::oracle::Files;
use mqlab::lab::oracle::index::{IndexFile, key_hash};
use mqlab::lab::oracle::layout::{Layout, QueueName};
use mqlab::lab::oracle::log::{Piece, Walk, with_record};
use mqlab::lab::oracle::queue::{Queue, Slot};
use mqlab::lab::oracle::record::Record;
use serde_json::Value;

/// The files of one folder, in memory.
#[derive(Clone, Debug, Default)]
pub struct Folder(pub BTreeMap<String, Vec<u8>>);

impl Folder {
    /// Reads a folder whole.
    pub fn read(root: &Path) -> Folder {
        let (mut files, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name: Vec<_> = path.strip_prefix(root).unwrap().iter().map(|part| part.to_string_lossy()).collect();
                files.insert(name.join("/"), fs::read(&path).unwrap());
            }
        }
        Folder(files)
    }
}

impl Files for Folder {
    fn list(&self) -> Vec<(String, u64)> {
        self.0.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect()
    }

    fn read(&self, path: &str, at: u64, len: usize) -> Cow<'_, [u8]> {
        let Some(bytes) = self.0.get(path) else { return Cow::Borrowed(&[]) };
        let at = bytes.len().min(at as usize);
        Cow::Borrowed(&bytes[at..bytes.len().min(at.saturating_add(len))])
    }
}

/// One image of a case of `tests/golden/store`.
pub fn image(case: &str, image: &str) -> Folder {
    Folder::read(&root().join(case).join(image))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/store")
}

/// A case of `tests/golden/store`.
pub struct Case {
    /// Its name.
    pub name: String,
    folder: PathBuf,
    config: Value,
    /// Each operation with its result.
    operations: Vec<(Value, Value)>,
}

/// An image of a case that was taken when the store's state was told.
pub struct Told<'a> {
    /// The image's name.
    pub image: &'a str,
    /// The state as the release told it.
    pub state: &'a Value,
}

impl Case {
    /// All of them.
    pub fn all() -> Vec<Case> {
        let mut folders: Vec<PathBuf> =
            fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders.into_iter().map(Case::read).collect()
    }

    fn read(folder: PathBuf) -> Case {
        let json =
            |file: &str| -> Value { serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap() };
        let results = json("results.json");
        let results: BTreeMap<i64, &Value> = results["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| (result["seq"].as_i64().unwrap(), result))
            .collect();
        let with_result = |operation: &Value| (operation.clone(), results[&operation["seq"].as_i64().unwrap()].clone());
        let operations = json("input.json")["operations"].as_array().unwrap().iter().map(with_result).collect();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        Case { name, config: json("config.json")["messageStoreConfig"].clone(), operations, folder }
    }

    /// The names of its images.
    pub fn images(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<String> = entries
            .filter(|path| path.is_dir())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// One image.
    pub fn image(&self, name: &str) -> Folder {
        Folder::read(&self.folder.join(name))
    }

    /// Images with the state that was told when they were taken: after each load, and at the end where nothing was put
    /// since the last state.
    pub fn told(&self) -> Vec<Told<'_>> {
        let mut told = Vec::new();
        let mut last = None;
        for (operation, result) in &self.operations {
            match operation["op"].as_str().unwrap() {
                "open" => {
                    last = Some(&result["afterStart"]);
                    if let Some(image) = operation["imageAfterLoad"].as_str() {
                        told.push(Told { image, state: &result["afterLoad"] });
                    }
                }
                "state" => last = Some(result),
                "put" | "putBatch" | "putToCommitLog" if !result["wroteOffset"].is_null() => last = None,
                _ => {}
            }
        }
        told.extend(last.map(|state| Told { image: "store", state }));
        told
    }
}

/// A delivery by the schedule writes records that no operation names.
const DELIVERS: &str = "08-delay-delivery";

/// Images of stores that lost their queues, or whose queues took in stale units: the units are not their records' own.
const STALE: &[&str] =
    &["16-torn-body", "18-torn-header", "19-corrupt-body-clean", "20-corrupt-body-abort", "22-corrupt-size"];

#[test]
fn logs_and_queues_reach_as_far_as_the_release_said() {
    let (mut images, mut records, mut units) = (0, 0, 0);
    for case in Case::all() {
        for Told { image, state } in case.told() {
            let folder = case.image(image);
            let layout = Layout::of(&folder);
            let at = format!("{}/{image}", case.name);
            let names = state["commitLogFiles"].as_array().unwrap();
            let ours: Vec<String> = layout.log.iter().map(|segment| format!("{:020}", segment.start)).collect();
            // A file that was made ahead may be there or not.
            assert!(names.iter().zip(&ours).all(|(theirs, ours)| theirs == ours), "{at}: {ours:?}, {names:?}");
            assert!(names.len().abs_diff(ours.len()) <= 1, "{at}: {ours:?}, {names:?}");
            assert_eq!(layout.index.len() as u64, state["indexFileCount"].as_u64().unwrap(), "{at}: index files");
            let end = state["maxPhyOffset"].as_u64().unwrap();
            let mut walk = Walk::new(&folder, &layout.log);
            // Recovery with nothing behind a blank leaves the end in front of it.
            while !layout.log.is_empty() && walk.at() < end {
                match walk.advance() {
                    Piece::Record(record) => {
                        records += 1;
                        assert_eq!(record.declared(), record.at as i64, "{at}");
                    }
                    Piece::Blank { size, room, .. } => assert_eq!(u64::from(size.unsigned_abs()), room, "{at}"),
                    // The damage in a file that recovery does not look at.
                    Piece::Flawed { at: place, flaw } if case.name == "23-corrupt-old-file" => {
                        assert_eq!(place, 588, "{at}: {flaw:?}");
                        assert!(walk.skip().is_some());
                    }
                    other => panic!("{at}: {other:?} in front of the end at {end}"),
                }
            }
            units += check_queues(&case, &at, &folder, &layout, state, end);
            images += 1;
        }
    }
    println!("{images} images, {records} records, {units} units");
    assert!(images >= 50, "{images} images were told of");
}

/// The queues reach as far as was said, and each unit in front of the log's end is its record's own.
fn check_queues(case: &Case, at: &str, folder: &Folder, layout: &Layout, state: &Value, end: u64) -> usize {
    let mut units = 0;
    for told in state["queues"].as_array().unwrap() {
        let name: QueueName = (text(told, "topic"), told["queueId"].as_i64().unwrap() as i32);
        let mut queue = Queue::new(folder, &layout.queues[&name]);
        let max = told["maxOffset"].as_i64().unwrap();
        for number in queue.begin()..max {
            let unit = match queue.slot(number) {
                Slot::Unit(unit) => unit,
                Slot::Filler => {
                    assert_eq!(case.name, "26-queues-lost-abort", "{at}: filler");
                    continue;
                }
                // A middle file is missing.
                Slot::Empty if case.name == "30-get-statuses" => continue,
                other => panic!("{at}: {other:?} at {number} of {name:?}, which reaches to {max}"),
            };
            units += 1;
            let is_own = |record: &Record<'_>| {
                let marks = record.marks();
                let tag_is_own = match record.delay_level(&marks) {
                    Some(_) => record.stored() < unit.tag,
                    None => unit.tag == record.tag(&marks),
                };
                record.topic == name.0.as_bytes()
                    && record.queue() == name.1
                    && record.queue_offset() == number
                    && record.size() == unit.size
                    && tag_is_own
            };
            let begin = layout.log.first().map_or(0, |segment| segment.start);
            let own = with_record(folder, &layout.log, unit.at, is_own);
            let is_excused = unit.at < begin
                || STALE.contains(&&*case.name)
                || case.name == "23-corrupt-old-file" && unit.at == 588
                || case.name == "17-torn-properties"
                || case.name == "21-corrupt-properties";
            assert!(own == Some(true) || is_excused, "{at}: {unit:?} of {name:?}");
            assert!(unit.at < end || is_excused, "{at}: {unit:?} behind the end at {end}");
        }
        // What follows is nothing, or is left over from what recovery cut.
        match queue.slot(max) {
            Slot::Empty => {}
            Slot::Unit(unit) => assert!(end <= unit.at || STALE.contains(&&*case.name), "{at}: {unit:?} of {name:?}"),
            other => panic!("{at}: {other:?} behind the end of {name:?}"),
        }
    }
    units
}

#[test]
fn every_put_that_no_recovery_cut_is_there_field_by_field() {
    let mut compared = 0;
    for case in Case::all().iter().filter(|case| case.name != DELIVERS) {
        let mut kept: Vec<(&Value, &Value)> = Vec::new();
        for (operation, result) in &case.operations {
            match operation["op"].as_str().unwrap() {
                "open" => {
                    let end = result["afterLoad"]["maxPhyOffset"].as_u64().unwrap();
                    kept.retain(|(_, result)| result["wroteOffset"].as_u64().unwrap() < end);
                }
                "put" | "putToCommitLog" if result["appendMessageStatus"] == "PUT_OK" => {
                    kept.push((operation, result));
                }
                _ => {}
            }
        }
        let folder = case.image("store");
        let layout = Layout::of(&folder);
        let begin = layout.log.first().map_or(0, |segment| segment.start);
        for (put, result) in kept {
            let at = result["wroteOffset"].as_u64().unwrap();
            let excused = at < begin || ["17-torn-properties", "21-corrupt-properties"].contains(&&*case.name);
            let is_it = with_record(&folder, &layout.log, at, |record| same(record, put, result));
            let is_damaged = case.name == "23-corrupt-old-file" && at == 588;
            assert!(is_it == Some(true) || excused || is_damaged, "{}: #{}", case.name, put["seq"]);
            compared += 1;
        }
    }
    println!("{compared} puts");
    assert!(compared > 1000, "{compared} puts were compared");
}

fn same(record: &Record<'_>, put: &Value, result: &Value) -> bool {
    let number = |name: &str| put[name].as_i64().unwrap();
    let host = |(ip, port): (std::net::Ipv4Addr, i32)| format!("{ip}:{port}");
    let topic = result["storedTopic"].as_str().unwrap_or_else(|| put["topic"].as_str().unwrap());
    let queue = result["storedQueueId"].as_i64().unwrap_or_else(|| number("queueId"));
    i64::from(record.size()) == result["wroteBytes"].as_i64().unwrap()
        && record.queue_offset() == result["logicsOffset"].as_i64().unwrap()
        && record.stored() == result["recordStoreTimestamp"].as_i64().unwrap()
        && record.topic == topic.as_bytes()
        && i64::from(record.queue()) == queue
        && i64::from(record.flag()) == number("flag")
        && i64::from(record.sys_flag()) == number("sysFlag")
        && record.born() == number("bornTimestamp")
        && host(record.born_host()) == put["bornHost"].as_str().unwrap()
        && host(record.store_host()) == put["storeHost"].as_str().unwrap()
        && i64::from(record.reconsumed()) == number("reconsumeTimes")
        && record.prepared() == number("preparedTransactionOffset")
}

#[test]
fn keys_are_found_where_the_release_found_them() {
    let mut queries = 0;
    for case in Case::all() {
        let (slots, entries) = (&case.config["maxHashSlotNum"], &case.config["maxIndexNum"]);
        for image in case.images() {
            let folder = case.image(&image);
            let layout = Layout::of(&folder);
            for file in IndexFile::all(&folder, &layout.index) {
                let Some(shape) = file.shape else { continue };
                let ours = (Value::from(shape.slots), Value::from(shape.entries));
                assert_eq!(ours, (slots.clone(), entries.clone()), "{}/{image}", case.name);
            }
        }
        // Queries after the last record was dispatched can be answered again from the files.
        let folder = case.image("store");
        let layout = Layout::of(&folder);
        for (query, result) in case.operations.iter().rev().take_while(|(operation, _)| operation["op"] != "put") {
            if query["op"] == "query" {
                assert_eq!(answer(&folder, &layout, query), result["indexOffsets"], "{}: {query}", case.name);
                queries += 1;
            }
        }
    }
    println!("{queries} queries");
    assert!(queries > 40, "{queries} queries were answered");
}

/// The index's own answer: newest file first, newest entry first, those whose time lies in the range.
fn answer(folder: &Folder, layout: &Layout, query: &Value) -> Value {
    let number = |name: &str| query[name].as_i64().unwrap();
    let (begin, end, most) = (number("begin"), number("end"), number("maxNum").min(64) as usize);
    let hash = key_hash(text(query, "topic").as_bytes(), text(query, "key").as_bytes());
    let mut found = Vec::new();
    for file in IndexFile::all(folder, &layout.index).iter_mut().rev() {
        let header = file.header;
        if header.begin_time <= end && begin <= header.end_time {
            for entry in file.chain(hash) {
                let time = file.time_of(&entry);
                if begin <= time && time <= end && found.len() < most {
                    found.push(entry.at);
                }
            }
        }
        if header.begin_time < begin || most <= found.len() {
            break;
        }
    }
    Value::from(found)
}

fn text(json: &Value, field: &str) -> String {
    json[field].as_str().unwrap_or_else(|| panic!("`{field}` of {json}")).to_owned()
}
