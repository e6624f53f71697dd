//! Every case of `tests/golden/store`, replayed operation by operation against what the real 4.3.2 classes returned.
//!
//! Nothing about a case is written down here: other cases of the same shape can be dropped into the folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mqlab::mq::message::id::offset_msg_id;
use mqlab::mq::message::property::{Properties, names};
use mqlab::mq::message::record;
use mqlab::mq::message::{Host, Name, PhysicalOffset, QueueOffset, tags_code};
use mqlab::mq::profile::Profile;
use mqlab::mq::store::batch::{self, NewBatch};
use mqlab::mq::store::config::{Role, StoreConfig};
use mqlab::mq::store::delay::SCHEDULE_TOPIC;
use mqlab::mq::store::get::GetRequest;
use mqlab::mq::store::index::KeyQuery;
use mqlab::mq::store::outcome::{Put, PutStatus};
use mqlab::mq::store::record::NewMessage;
use mqlab::mq::store::{ABORT, Clock, Flag, MessageStore};
use mqlab::mq::time::{Millis, Span, Time};
use serde_json::{Value, json};

use super::machine::{AnyDisk, KINDS, Kind, Machine};

#[test]
fn every_case_is_replayed_on_both_disks() {
    let cases = cases();
    for case in &cases {
        for kind in KINDS {
            Replay::run(case, kind);
        }
    }
    assert!(!cases.is_empty(), "there are cases");
}

struct Case {
    name: String,
    folder: PathBuf,
    config: Value,
    operations: Vec<Value>,
    results: BTreeMap<i64, Value>,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/store");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders.into_iter().map(Case::read).collect()
}

impl Case {
    fn read(folder: PathBuf) -> Case {
        let json =
            |file: &str| -> Value { serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap() };
        let operations = json("input.json")["operations"].as_array().unwrap().clone();
        let results = json("results.json")["results"].as_array().unwrap().clone();
        let results = results.into_iter().map(|result| (result["seq"].as_i64().unwrap(), result)).collect();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        Case { name, config: json("config.json")["messageStoreConfig"].clone(), operations, results, folder }
    }
}

fn config_of(json: &Value) -> StoreConfig {
    let mut config = StoreConfig::default();
    for (key, value) in json.as_object().unwrap() {
        let number = value.as_i64().unwrap_or(0);
        let millis = Span::from_millis(number as u64);
        match key.as_str() {
            "mapedFileSizeCommitLog" => config.commit_log_file_size = number as u64,
            "mapedFileSizeConsumeQueue" => config.consume_queue_file_size = number as u64,
            "maxMessageSize" => config.max_message_size = number as i32,
            "flushDiskType" => config.sync_flush = value == "SYNC_FLUSH",
            "flushIntervalCommitLog" => config.flush_interval = millis,
            "flushCommitLogThoroughInterval" => config.flush_thorough_interval = millis,
            "flushIntervalConsumeQueue" => config.flush_queue_interval = millis,
            "maxTransferBytesOnMessageInMemory" => config.max_transfer_bytes_in_memory = number as usize,
            "maxTransferCountOnMessageInMemory" => config.max_transfer_count_in_memory = number as usize,
            "maxHashSlotNum" => config.max_hash_slot_num = number as i32,
            "maxIndexNum" => config.max_index_num = number as i32,
            "brokerRole" => {
                config.role = match value.as_str().unwrap() {
                    "ASYNC_MASTER" => Role::AsyncMaster,
                    "SYNC_MASTER" => Role::SyncMaster,
                    "SLAVE" => Role::Slave,
                    other => panic!("role `{other}` is not known to this test"),
                }
            }
            "messageDelayLevel" => config.message_delay_level = value.as_str().unwrap().into(),
            other => panic!("setting `{other}` is not known to this test"),
        }
    }
    config
}

struct Replay<'a> {
    case: &'a Case,
    kind: Kind,
    config: StoreConfig,
    machine: Option<Machine>,
    rest: Option<AnyDisk>,
    /// A store that was shut down: it still answers, with refusals.
    stopped: Option<MessageStore>,
    wall: i64,
    mono: Time,
    /// Files whose modification time was set, and to what.
    touched: Vec<(String, i64)>,
}

impl Replay<'_> {
    fn run(case: &Case, kind: Kind) {
        let folder = tempfile::tempdir().unwrap();
        let mut replay = Replay {
            case,
            kind,
            config: config_of(&case.config),
            machine: None,
            rest: Some(AnyDisk::new(kind, folder.path().to_owned())),
            stopped: None,
            wall: 1_546_300_800_000,
            mono: Time::ZERO,
            touched: Vec::new(),
        };
        for operation in &case.operations {
            let seq = operation["seq"].as_i64().unwrap();
            replay.operation(operation, &case.results[&seq]);
        }
        if let Some(machine) = replay.machine.take() {
            replay.rest = Some(machine.disk);
        }
        replay.compare_folder("store");
    }

    #[track_caller]
    fn same(&self, operation: &Value, what: &str, got: impl PartialEq<Value> + std::fmt::Debug, expected: &Value) {
        let seq = &operation["seq"];
        let op = &operation["op"];
        assert!(
            got == *expected,
            "{} on {:?}, #{seq} {op}: {what} is {got:?}, expected {expected}",
            self.case.name,
            self.kind
        );
    }

    fn disk(&mut self) -> &mut AnyDisk {
        match &mut self.machine {
            Some(machine) => &mut machine.disk,
            None => self.rest.as_mut().expect("a disk at rest"),
        }
    }

    fn operation(&mut self, operation: &Value, expected: &Value) {
        match operation["op"].as_str().unwrap() {
            "open" => self.open(operation, expected),
            "put" | "putToCommitLog" => self.put(operation, expected),
            "putBatch" => self.put_batch(operation, expected),
            "get" => self.get(operation, expected),
            "minMax" => self.min_max(operation, expected),
            "offsetByTime" => self.offset_by_time(operation, expected),
            "storeTime" => self.store_time(operation, expected),
            "state" => self.state(operation, expected),
            "setFlag" => self.set_flag(operation, expected),
            "flags" => {
                let flags = i64::from(self.machine.as_ref().unwrap().store.flags());
                self.same(operation, "flag bits", flags, &expected["flagBits"]);
            }
            "checkpointFlush" => self.checkpoint_flush(operation, expected),
            "crash" => self.crash(),
            "damage" => {
                let bytes = unhex(operation["new"].as_str().unwrap());
                let (file, at) = (text(operation, "file"), operation["offset"].as_u64().unwrap());
                self.disk().damage(&file, at, &bytes);
            }
            "delete" => self.delete(&text(operation, "path")),
            "touch" => {
                let (path, time) = (text(operation, "path"), operation["modifiedTime"].as_i64().unwrap());
                self.disk().touch(&path, time);
                self.touched.push((path, time));
            }
            "waitDelivery" => self.wait_delivery(operation, expected),
            "records" => self.records(operation, expected),
            "cleanCommitLog" | "cleanConsumeQueue" => self.clean(operation, expected),
            "image" => self.compare_folder(&text(operation, "name")),
            "shutdown" => self.shut_down(operation, expected),
            "query" => self.query(operation, expected),
            other => panic!("{}: operation `{other}` is not known to this test", self.case.name),
        }
    }

    fn open(&mut self, operation: &Value, expected: &Value) {
        let mut disk = self.rest.take().expect("a disk at rest");
        let abort = disk.lend().list(ABORT).iter().any(|info| info.name == ABORT);
        self.same(operation, "abort", Value::from(abort), &expected["abortPresent"]);
        let clock = Clock { wall: Millis(self.wall), mono: self.mono };
        disk.set_clock(clock.wall);
        let mut store = MessageStore::load(self.config.clone(), Profile::FAITHFUL, disk.lend(), clock).unwrap();
        self.compare_state(operation, &store, &expected["afterLoad"]);
        self.same(operation, "flushedWhere", store.flushed().0, &expected["afterLoad"]["flushedWhere"]);
        if let Some(image) = operation.get("imageAfterLoad").and_then(Value::as_str) {
            self.rest = Some(disk);
            self.compare_folder(image);
            disk = self.rest.take().unwrap();
        }
        store.start(disk.lend(), clock).unwrap();
        self.compare_state(operation, &store, &expected["afterStart"]);
        self.machine = Some(Machine { disk, store, clock, done: BTreeMap::new(), news: Vec::new() });
        self.stopped = None;
        self.pass(60);
    }

    fn pass(&mut self, millis: u64) {
        let machine = self.machine.as_mut().expect("a running store");
        machine.pass(millis);
        self.mono = machine.clock.mono;
    }

    fn put(&mut self, operation: &Value, expected: &Value) {
        let stored = operation["storeTimestamp"].as_i64().or(operation["clock"].as_i64());
        self.wall = stored.unwrap_or(self.wall);
        let message = message_of(operation);
        if self.machine.is_none() {
            let store = self.stopped.as_mut().expect("a store that was shut down");
            let disk = self.rest.as_mut().unwrap();
            let clock = Clock { wall: Millis(self.wall), mono: self.mono };
            let put = store.put(disk.lend(), clock, &message);
            self.same(operation, "status", put.status.as_str(), &expected["putMessageStatus"]);
            return;
        }
        let wall = self.wall;
        let machine = self.machine.as_mut().unwrap();
        machine.clock.wall = Millis(wall);
        machine.disk.set_clock(Millis(wall));
        let put = match operation["op"] == "put" {
            true => machine.put(&message),
            false => machine.store.append_one(machine.disk.lend(), machine.clock, &message),
        };
        self.pass(60);
        let machine = self.machine.as_ref().unwrap();
        let status = put.waits.map_or(put.status, |request| machine.done[&request]);
        self.same(operation, "status", status.as_str(), &expected["putMessageStatus"]);
        self.compare_landed(operation, &put, message.store_host, expected);
        if expected.get("storedTopic").is_some() {
            self.compare_parked(operation, &put, expected);
        }
    }

    /// Batch records are stored with the time from before the lock, which is the one recorded.
    fn put_batch(&mut self, operation: &Value, expected: &Value) {
        self.wall = operation["storeTimestamp"].as_i64().unwrap_or(self.wall);
        let batch = batch_of(operation);
        let wall = self.wall;
        let machine = self.machine.as_mut().unwrap();
        machine.clock.wall = Millis(wall);
        machine.disk.set_clock(Millis(wall));
        let put = machine.store.put_batch(machine.disk.lend(), machine.clock, &batch);
        self.pass(60);
        let machine = self.machine.as_ref().unwrap();
        let status = put.waits.map_or(put.status, |request| machine.done[&request]);
        if let PutStatus::Thrown(thrown) = status {
            self.same(operation, "exception", thrown.to_string().as_str(), &expected["exception"]);
            return;
        }
        self.same(operation, "status", status.as_str(), &expected["putMessageStatus"]);
        self.compare_landed(operation, &put, batch.store_host, expected);
    }

    /// The record as it was readdressed to the schedule topic.
    fn compare_parked(&mut self, operation: &Value, put: &Put, expected: &Value) {
        let machine = self.machine.as_mut().unwrap();
        let bytes = machine.store.look(machine.disk.lend(), put.landed.unwrap().at).unwrap();
        let (stored, _) = record::decode(&bytes, 0).unwrap();
        self.same(operation, "parked in", i64::from(put.parked.unwrap()), &expected["storedQueueId"]);
        self.same(operation, "stored queue", i64::from(stored.queue_id), &expected["storedQueueId"]);
        self.same(operation, "stored topic", stored.message.topic.as_str(), &expected["storedTopic"]);
        let body = i32::from_be_bytes(bytes[84..88].try_into().unwrap()) as usize;
        let from = 88 + body + 1 + stored.message.topic.len() + 2;
        let text = String::from_utf8_lossy(&bytes[from..]).into_owned();
        self.same(operation, "stored properties", text.as_str(), &expected["storedProperties"]);
    }

    fn compare_landed(&self, operation: &Value, put: &Put, host: Host, expected: &Value) {
        let append = put.append.map_or(Value::Null, |append| append.as_str().into());
        self.same(operation, "append status", append, &expected["appendMessageStatus"]);
        let Some(landed) = put.landed else { return };
        self.same(operation, "wroteOffset", landed.at.0, &expected["wroteOffset"]);
        self.same(operation, "wroteBytes", i64::from(landed.size), &expected["wroteBytes"]);
        self.same(operation, "logicsOffset", landed.queue_offset.0, &expected["logicsOffset"]);
        self.same(operation, "msgNum", i64::from(landed.count), &expected["msgNum"]);
        if put.is_stored() {
            self.same(operation, "storeTimestamp", landed.store_timestamp.0, &expected["recordStoreTimestamp"]);
        }
        let id = match put.places[..] {
            [] => offset_msg_id(host, landed.at),
            [..] => batch::ids(host, &put.places),
        };
        self.same(operation, "msgId", id.as_str(), &expected["msgId"]);
    }

    /// Lets each copy be put at the moment at which the release's was: the log of the case says when.
    fn wait_delivery(&mut self, operation: &Value, expected: &Value) {
        let here = operation["seq"].as_i64().unwrap();
        let is_list = |later: &&Value| later["op"] == "records" && here < later["seq"].as_i64().unwrap();
        let list = self.case.operations.iter().find(is_list).expect("the records are listed later");
        let records = self.case.results[&list["seq"].as_i64().unwrap()]["records"].as_array().unwrap();
        let begin = self.machine.as_ref().unwrap().store.log_end().0;
        for record in records {
            let at = record["physicalOffset"].as_i64().unwrap();
            let machine = self.machine.as_mut().unwrap();
            if at < machine.store.log_end().0 {
                continue;
            }
            self.wall = record["storeTimestamp"].as_i64().unwrap();
            machine.step_wall(Millis(self.wall));
            self.pass(0);
            let end = self.machine.as_ref().unwrap().store.log_end().0;
            assert!(at < end, "{}: nobody delivered the record at {at}", self.case.name);
            self.pass(60);
        }
        let delivered = records.iter().filter(|record| begin <= record["physicalOffset"].as_i64().unwrap()).count();
        self.same(operation, "delivered", delivered as i64, &expected["delivered"]);
    }

    /// Every record of the log, read back one after another.
    fn records(&mut self, operation: &Value, expected: &Value) {
        let machine = self.machine.as_mut().unwrap();
        let (mut at, mut got) = (machine.store.log_begin(), Vec::new());
        while let Some(bytes) = machine.store.look(machine.disk.lend(), at) {
            let Some((stored, size)) = record::decode(&bytes, 0) else { break };
            let properties = &stored.message.properties;
            let tags = properties.get(names::TAGS).map_or(0, |tags| tags_code(tags));
            let code = match properties.get(names::DELAY).and_then(|level| level.parse().ok()) {
                Some(level) if stored.message.topic == SCHEDULE_TOPIC => {
                    machine.store.delays().deliver_timestamp(level, stored.store_timestamp).0
                }
                _ => tags,
            };
            got.push(json!({
                "physicalOffset": at.0,
                "size": size,
                "topic": stored.message.topic.as_str(),
                "queueId": stored.queue_id,
                "queueOffset": stored.queue_offset.0,
                "sysFlag": stored.sys_flag,
                "preparedTransactionOffset": stored.prepared_transaction_offset,
                "bornTimestamp": stored.born_timestamp.0,
                "storeTimestamp": stored.store_timestamp.0,
                "tagsCode": code,
                "body": base64(&stored.message.body),
            }));
            at = PhysicalOffset(at.0 + size as i64);
        }
        self.same(operation, "records", Value::Array(got), &expected["records"]);
    }

    fn get(&mut self, operation: &Value, expected: &Value) {
        let topic = Name::from(text(operation, "topic"));
        let filter = filter_of(operation["subExpression"].as_str());
        let request = GetRequest {
            topic: &topic,
            queue_id: operation["queueId"].as_i64().unwrap() as i32,
            offset: QueueOffset(operation["offset"].as_i64().unwrap()),
            max: operation["maxMsgNums"].as_i64().unwrap() as i32,
            filter: &filter,
        };
        let got = match &mut self.machine {
            Some(machine) => machine.store.get(machine.disk.lend(), &request),
            None => self.stopped.as_mut().unwrap().get(self.rest.as_mut().unwrap().lend(), &request),
        };
        let Some(got) = got else {
            assert!(expected["status"].is_null(), "{}: #{}", self.case.name, operation["seq"]);
            return;
        };
        self.same(operation, "status", got.status.as_str(), &expected["status"]);
        self.same(operation, "next", got.next.0, &expected["nextBeginOffset"]);
        self.same(operation, "min", got.min.0, &expected["minOffset"]);
        self.same(operation, "max", got.max.0, &expected["maxOffset"]);
        self.same(operation, "size", got.size as i64, &expected["bufferTotalSize"]);
        self.same(operation, "suggestion", got.suggest_slave, &expected["suggestPullingFromSlave"]);
        let messages = expected["messages"].as_array().cloned().unwrap_or_default();
        assert_eq!(got.messages.len(), messages.len(), "{}: #{}", self.case.name, operation["seq"]);
        for (bytes, message) in got.messages.iter().zip(&messages) {
            self.same(operation, "record size", bytes.len() as i64, &message["size"]);
            if let Some(raw) = message["bytes"].as_str() {
                assert_eq!(**bytes, unhex(raw), "{}: #{}", self.case.name, operation["seq"]);
            } else {
                let place = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
                self.same(operation, "queue offset", place(20), &message["queueOffset"]);
                self.same(operation, "physical offset", place(28), &message["physicalOffset"]);
                let ip = u32::from_be_bytes(bytes[64..68].try_into().unwrap());
                let port = i32::from_be_bytes(bytes[68..72].try_into().unwrap());
                let id = offset_msg_id(Host { ip, port }, PhysicalOffset(place(28)));
                self.same(operation, "msgId", id.as_str(), &message["msgId"]);
            }
        }
    }

    fn min_max(&mut self, operation: &Value, expected: &Value) {
        let (topic, queue) = (text(operation, "topic"), operation["queueId"].as_i64().unwrap() as i32);
        let machine = self.machine.as_mut().unwrap();
        let (min, max) = (machine.store.min_queue_offset(&topic, queue), machine.store.max_queue_offset(&topic, queue));
        let earliest = machine.store.store_time_of(machine.disk.lend(), &topic, queue, min);
        self.same(operation, "min", min.0, &expected["minOffset"]);
        self.same(operation, "max", max.0, &expected["maxOffset"]);
        self.same(operation, "earliest", earliest, &expected["earliestMessageTime"]);
    }

    fn offset_by_time(&mut self, operation: &Value, expected: &Value) {
        let (topic, queue) = (text(operation, "topic"), operation["queueId"].as_i64().unwrap() as i32);
        let machine = self.machine.as_mut().unwrap();
        let time = operation["timestamp"].as_i64().unwrap();
        let offset = machine.store.offset_by_time(machine.disk.lend(), &topic, queue, time);
        self.same(operation, "offset", offset.0, &expected["offset"]);
    }

    fn store_time(&mut self, operation: &Value, expected: &Value) {
        let (topic, queue) = (text(operation, "topic"), operation["queueId"].as_i64().unwrap() as i32);
        let offset = QueueOffset(operation["offset"].as_i64().unwrap());
        let machine = self.machine.as_mut().unwrap();
        let time = machine.store.store_time_of(machine.disk.lend(), &topic, queue, offset);
        let place = machine.store.log_offset_of(machine.disk.lend(), &topic, queue, offset);
        self.same(operation, "store time", time, &expected["storeTimestamp"]);
        self.same(operation, "log offset", place.0, &expected["commitLogOffset"]);
    }

    fn query(&mut self, operation: &Value, expected: &Value) {
        let (topic, key) = (text(operation, "topic"), text(operation, "key"));
        let number = |field: &str| operation[field].as_i64().unwrap();
        let (max, begin, end) = (number("maxNum") as usize, number("begin"), number("end"));
        let query = KeyQuery { topic: &topic, key: &key, max, begin, end };
        let machine = self.machine.as_mut().unwrap();
        let indexed = machine.store.query_offset(machine.disk.lend(), query);
        let queried = machine.store.query_message(machine.disk.lend(), query);
        let offsets: Vec<i64> = indexed.offsets.iter().map(|offset| offset.0).collect();
        self.same(operation, "index offsets", Value::from(offsets), &expected["indexOffsets"]);
        let place = |bytes: &bytes::Bytes| i64::from_be_bytes(bytes[28..36].try_into().unwrap());
        let places: Vec<i64> = queried.messages.iter().map(place).collect();
        self.same(operation, "physical offsets", Value::from(places), &expected["physicalOffsets"]);
        let (time, offset) = (queried.last_update_timestamp, queried.last_update_offset);
        self.same(operation, "last update", time, &expected["indexLastUpdateTimestamp"]);
        self.same(operation, "last offset", offset, &expected["indexLastUpdatePhyoffset"]);
    }

    fn set_flag(&mut self, operation: &Value, expected: &Value) {
        let flag = match operation["flag"].as_str().unwrap() {
            "NOT_READABLE" => Flag::NotReadable,
            "NOT_WRITEABLE" => Flag::NotWriteable,
            "DISK_FULL" => Flag::DiskFull,
            other => panic!("flag `{other}` is not known to this test"),
        };
        let bits = self.machine.as_mut().unwrap().store.set_flag(flag, operation["on"].as_bool().unwrap());
        self.same(operation, "flag bits", i64::from(bits), &expected["flagBits"]);
    }

    /// Files that were touched are 80 hours old on the machine's clock, the others of log and queues have just been written.
    fn clean(&mut self, operation: &Value, expected: &Value) {
        let newest = self.touched.iter().map(|(_, time)| *time).max().unwrap_or(self.wall);
        let now = Millis(newest + 80 * 3_600_000);
        let machine = self.machine.as_mut().unwrap();
        for info in machine.disk.lend().list("co") {
            if !self.touched.iter().any(|(path, _)| *path == info.name) {
                machine.disk.touch(&info.name, now.0);
            }
        }
        let clock = Clock { wall: now, ..machine.clock };
        if operation["op"] == "cleanCommitLog" {
            if operation["manual"] == true {
                machine.store.delete_files_manually();
            }
            machine.store.clean_commit_log(machine.disk.lend(), clock);
        } else {
            machine.store.clean_consume_queues(machine.disk.lend(), clock);
        }
        self.state(operation, expected);
    }

    fn checkpoint_flush(&mut self, operation: &Value, expected: &Value) {
        let machine = self.machine.as_mut().unwrap();
        machine.store.flush_checkpoint(machine.disk.lend());
        machine.answer();
        let (physic, logics, index) = machine.store.checkpoint();
        self.same(operation, "physic", physic, &expected["physicMsgTimestamp"]);
        self.same(operation, "logics", logics, &expected["logicsMsgTimestamp"]);
        self.same(operation, "index", index, &expected["indexMsgTimestamp"]);
    }

    fn crash(&mut self) {
        let machine = self.machine.take().expect("a running store");
        self.rest = Some(machine.disk.after_kill());
    }

    fn delete(&mut self, path: &str) {
        let disk = self.disk().lend();
        let prefix = format!("{path}/");
        for info in disk.list(path) {
            if info.name == path || info.name.starts_with(&prefix) {
                disk.remove(&info.name).unwrap();
            }
        }
    }

    fn shut_down(&mut self, operation: &Value, expected: &Value) {
        let (mut disk, store) = self.machine.take().expect("a running store").shut_down();
        let abort = disk.lend().list(ABORT).iter().any(|info| info.name == ABORT);
        self.same(operation, "abort", Value::from(abort), &expected["abortPresent"]);
        self.rest = Some(disk);
        self.stopped = Some(store);
    }

    fn state(&mut self, operation: &Value, expected: &Value) {
        let machine = self.machine.as_ref().unwrap();
        self.compare_state(operation, &machine.store, expected);
    }

    fn compare_state(&self, operation: &Value, store: &MessageStore, expected: &Value) {
        self.same(operation, "minPhyOffset", store.log_begin().0, &expected["minPhyOffset"]);
        self.same(operation, "maxPhyOffset", store.log_end().0, &expected["maxPhyOffset"]);
        self.same(operation, "indexFileCount", store.index_files(), &expected["indexFileCount"]);
        let queues: BTreeMap<(String, i32), (i64, i64)> =
            store.each_queue().map(|(topic, queue, min, max)| ((topic.to_string(), queue), (min, max))).collect();
        for queue in expected["queues"].as_array().unwrap() {
            let key = (text(queue, "topic"), queue["queueId"].as_i64().unwrap() as i32);
            let (min, max) = queues.get(&key).copied().unwrap_or((-1, -1));
            self.same(operation, &format!("min of {key:?}"), min, &queue["minOffset"]);
            self.same(operation, &format!("max of {key:?}"), max, &queue["maxOffset"]);
        }
        let table: BTreeMap<String, i64> =
            store.topic_queue_table().map(|(topic, queue, next)| (format!("{topic}-{queue}"), next)).collect();
        for (key, next) in expected["topicQueueTable"].as_object().unwrap() {
            self.same(operation, &format!("next of {key}"), table.get(key).copied().unwrap_or(0), next);
        }
    }

    /// Byte by byte: log, queues and index whole, leftovers included; the checkpoint's times; abort.
    ///
    /// A log file that lies ahead of the end, all zeros, may be there or not. Index files are named after the machine's
    /// clock: their order and bytes count.
    fn compare_folder(&mut self, name: &str) {
        let folder = self.case.folder.join(name);
        let case = format!("{} on {:?}, `{name}`", self.case.name, self.kind);
        let disk = self.disk().lend();
        let mut expected = Vec::new();
        read_tree(&folder, "", &mut expected);
        for (file, bytes) in &expected {
            let got = disk.get(file).map(|bytes| bytes.to_vec());
            match file.split('/').next().unwrap() {
                "commitlog" if got.is_err() => {
                    assert!(bytes.iter().all(|byte| *byte == 0), "{case}: {file} is missing")
                }
                "commitlog" | "consumequeue" => {
                    let got = got.unwrap_or_else(|error| panic!("{case}: {file}: {error}"));
                    let differs = got.iter().zip(bytes).position(|(a, b)| a != b);
                    assert!(differs.is_none() && got.len() == bytes.len(), "{case}: {file} differs at {differs:?}");
                }
                "abort" => assert!(got.is_ok(), "{case}: abort is missing"),
                "lock" => assert_eq!(got.unwrap(), *bytes, "{case}: lock"),
                "checkpoint" => assert_eq!(got.unwrap()[..24], bytes[..24], "{case}: checkpoint"),
                "index" => {}
                other => panic!("{case}: `{other}` is not known to this test"),
            }
        }
        let indexes = |names: Vec<&String>| -> Vec<String> {
            let mut names: Vec<String> = names.into_iter().filter(|name| name.starts_with("index/")).cloned().collect();
            names.sort();
            names
        };
        let infos = disk.list("");
        let ours = indexes(infos.iter().map(|info| &info.name).collect());
        let theirs = indexes(expected.iter().map(|(name, _)| name).collect());
        assert_eq!(ours.len(), theirs.len(), "{case}: index files");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let (got, bytes) = (disk.get(ours).unwrap(), &expected.iter().find(|(name, _)| name == theirs).unwrap().1);
            let differs = got.iter().zip(bytes).position(|(a, b)| a != b);
            assert!(differs.is_none() && got.len() == bytes.len(), "{case}: {theirs} differs at {differs:?}");
        }
        let has = |file: &str| expected.iter().any(|(name, _)| name == file);
        for info in disk.list("") {
            let is_ours_alone = info.name == "abort" || info.name.starts_with("consumequeue/");
            assert!(!is_ours_alone || has(&info.name), "{case}: {} should not be there", info.name);
        }
    }
}

fn read_tree(folder: &Path, prefix: &str, out: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_tree(&entry.path(), &format!("{name}/"), out);
        } else {
            out.push((name, fs::read(entry.path()).unwrap()));
        }
    }
}

fn message_of(operation: &Value) -> NewMessage {
    let pairs = operation["properties"].as_array();
    let properties: String = pairs.into_iter().flatten().fold(String::new(), |mut text, pair| {
        text += pair[0].as_str().unwrap();
        text.push('\u{1}');
        text += pair[1].as_str().unwrap();
        text.push('\u{2}');
        text
    });
    let body = operation["body"].as_str().map(unbase64).unwrap_or_default();
    NewMessage {
        topic: text(operation, "topic").into(),
        queue_id: operation["queueId"].as_i64().unwrap() as i32,
        flag: operation["flag"].as_i64().unwrap() as i32,
        sys_flag: operation["sysFlag"].as_i64().unwrap() as i32,
        born_timestamp: Millis(operation["bornTimestamp"].as_i64().unwrap()),
        born_host: host(&text(operation, "bornHost")),
        store_host: host(&text(operation, "storeHost")),
        reconsume_times: operation["reconsumeTimes"].as_i64().unwrap() as i32,
        prepared_transaction_offset: operation["preparedTransactionOffset"].as_i64().unwrap(),
        body: body.into(),
        properties: properties.into(),
        map: None,
    }
}

fn batch_of(operation: &Value) -> NewBatch {
    let level = operation["delayLevel"].as_str().map(|level| format!("DELAY\u{1}{level}\u{2}"));
    NewBatch {
        topic: text(operation, "topic").into(),
        queue_id: operation["queueId"].as_i64().unwrap() as i32,
        sys_flag: operation["sysFlag"].as_i64().unwrap() as i32,
        born_timestamp: Millis(operation["bornTimestamp"].as_i64().unwrap()),
        born_host: host(&text(operation, "bornHost")),
        store_host: host(&text(operation, "storeHost")),
        reconsume_times: operation["reconsumeTimes"].as_i64().unwrap() as i32,
        properties: level.unwrap_or_default().into(),
        body: unbase64(&text(operation, "encodedBody")).into(),
    }
}

fn filter_of(expression: Option<&str>) -> impl Fn(i64) -> bool + use<> {
    let codes: Option<Vec<i64>> = match expression {
        None | Some("" | "*") => None,
        Some(text) => Some(text.split("||").map(str::trim).filter(|tag| !tag.is_empty()).map(tags_code).collect()),
    };
    move |code| codes.as_ref().is_none_or(|codes| codes.contains(&i64::from(code as i32)))
}

fn host(text: &str) -> Host {
    let (ip, port) = text.rsplit_once(':').unwrap();
    let ip: std::net::Ipv4Addr = ip.parse().unwrap();
    Host { ip: u32::from(ip), port: port.parse().unwrap() }
}

fn text(json: &Value, field: &str) -> String {
    json[field].as_str().unwrap_or_else(|| panic!("`{field}` of {json}")).to_owned()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digit = |place: usize| char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]);
        out.extend((0..4).map(|place| if place <= chunk.len() { digit(place) } else { '=' }));
    }
    out
}

fn unbase64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 6 | digit(*byte)) << (6 * (4 - chunk.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    out
}

#[test]
fn the_property_text_of_a_put_is_read_back_by_the_record_reader() {
    let case = cases().into_iter().find(|case| case.name == "01-plain").expect("the plain case");
    let put = case.operations.iter().find(|operation| operation["op"] == "put").unwrap();
    let message = message_of(put);
    assert!(record::FIXED < message.record_len());
    assert!(!Properties::decode(&message.properties).is_empty());
    assert_eq!(PutStatus::PutOk.as_str(), "PUT_OK");
}
