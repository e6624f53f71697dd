//! The folder does not hold what it should.

use mqlab::mq::message::QueueOffset;
use mqlab::mq::profile::Profile;
use mqlab::mq::store::Flag;
use mqlab::mq::store::get::GetRequest;

use super::{BOTH, CURSORS, FIRST, Row, SECOND, config_news, holds, outcome, status};
use crate::store::machine::Kind;
use crate::store::survival::{config, logged, message};

pub const ROWS: &[Row] = &[
    Row {
        wrong: "a file where the queue's folder should be",
        upstream: "the same: `new RandomAccessFile` throws. Source: `MappedFile.init`",
        on: &[Kind::Mmap],
        shown: |rig| {
            let mut machine = rig.boot().unwrap();
            machine.disk.lend().put("consumequeue", b"no folder").unwrap();
            assert_eq!(status(&mut machine, 0), "PUT_OK");
            machine.pass(30_000);
            let after = machine.store.flags() == Flag::WriteLogicsQueueError as u32;
            format!("{after}, {}", status(&mut machine, 2))
        },
        expected: "true, SERVICE_NOT_AVAILABLE",
    },
    Row {
        wrong: "a segment is missing in the middle",
        upstream: "nobody looks: recovery goes on in the next file that is there, and what lay in the gap is passed over. \
                   Source: `MappedFileQueue.load`, `CommitLog.recoverNormally`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(60);
            rig.remove(SECOND);
            let mut machine = rig.boot().unwrap();
            let end = machine.store.log_end().0;
            let topic = "orders".into();
            let request =
                GetRequest { topic: &topic, queue_id: 0, offset: QueueOffset(15), max: 32, filter: &|_| true };
            let got = machine.store.get(machine.disk.lend(), &request).unwrap();
            let next = (got.status, got.messages.len(), got.next.0);
            let files = machine.store.commit_log_files();
            format!("{files} files, beyond the gap {}, {next:?}, {}", 8_192 < end, status(&mut machine, 61))
        },
        expected: "2 files, beyond the gap true, (MessageWasRemoving, 0, 20), PUT_OK",
    },
    Row {
        wrong: "a foreign file of another length in the log's folder",
        upstream: "it ends the loading, with success: it and what sorts behind it are left alone. Source: \
                   `MappedFileQueue.load`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            rig.replace("commitlog/notes.txt", b"short");
            outcome(rig.boot())
        },
        expected: "1 files, 5 readable",
    },
    Row {
        wrong: "a foreign file that sorts before the log's files",
        upstream: "the same, and so the whole log is left alone; the next put maps the first file again and writes over it",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            rig.replace("commitlog/.DS_Store", b"short");
            let mut machine = rig.boot().unwrap();
            let end = machine.store.log_end().0;
            let put = status(&mut machine, 0);
            format!("ends at {end}, {put}, {} logged", logged(&mut machine).len())
        },
        expected: "ends at 0, PUT_OK, 1 logged",
    },
    Row {
        wrong: "a foreign file of a segment's length in the log's folder",
        upstream: "`Long.parseLong` throws out of the constructor of `MappedFile`: loading is false, the broker exits",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            rig.replace("commitlog/notes.txt", &[b'x'; 4096]);
            outcome(rig.boot())
        },
        expected: "`commitlog/notes.txt`: the name of a mapped file is its offset in 20 digits",
    },
    Row {
        wrong: "a foreign file of its length in a queue's folder",
        upstream: "the same. Source: `DefaultMessageStore.loadConsumeQueue`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            rig.replace("consumequeue/orders/0/notes.txt", &[b'x'; 400]);
            outcome(rig.boot())
        },
        expected: "`consumequeue/orders/0/notes.txt`: the name of a mapped file is its offset in 20 digits",
    },
    Row {
        wrong: "a foreign folder among a topic's queues",
        upstream: "skipped: its name is no number. Source: `DefaultMessageStore.loadConsumeQueue`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            rig.replace("consumequeue/orders/old/notes.txt", b"short");
            outcome(rig.boot())
        },
        expected: "1 files, 5 readable",
    },
    Row {
        wrong: "a foreign file in the index's folder",
        upstream: "skipped: its name is no number. Source: `IndexService.load`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            rig.replace("index/notes.txt", b"short");
            outcome(rig.boot())
        },
        expected: "1 files, 5 readable",
    },
    Row {
        wrong: "a segment that is too short",
        upstream: "it ends the loading, with success: it and all behind it are left alone. Source: `MappedFileQueue.load`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(60);
            rig.replace(SECOND, &[0; 100]);
            outcome(rig.boot())
        },
        expected: "1 files, 29 readable",
    },
    Row {
        wrong: "a segment that is too short, when its turn comes",
        upstream: "mapping it makes it longer and keeps what it held, until that is written over. Source: `MappedFile.init`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(20);
            let third = "commitlog/00000000000000008192";
            rig.replace(third, &[7; 100]);
            let mut machine = rig.boot().unwrap();
            let stored =
                (20..40).map(|number| status(&mut machine, number)).filter(|status| *status == "PUT_OK").count();
            let ahead = machine.disk.lend().get(third).unwrap();
            format!("{stored} stored, {} bytes, {:?}", ahead.len(), &ahead[98..102])
        },
        expected: "20 stored, 4096 bytes, [7, 7, 0, 0]",
    },
    Row {
        wrong: "a segment that is too long, when its turn comes",
        upstream: "its beginning is mapped, and it stays too long: the next start leaves it alone with what was stored in \
                   it. Differs: here it is left alone at once, and puts are refused",
        on: BOTH,
        shown: |rig| {
            rig.stopped(20);
            rig.replace(SECOND, &[7; 5000]);
            let mut machine = rig.boot().unwrap();
            let statuses: Vec<_> = (20..40).map(|number| status(&mut machine, number)).collect();
            let kept = machine.disk.lend().get(SECOND).unwrap();
            format!("{}, {} bytes", statuses[19], kept.len())
        },
        expected: "CREATE_MAPEDFILE_FAILED, 5000 bytes",
    },
    Row {
        wrong: "a segment that is too long",
        upstream: "the same",
        on: BOTH,
        shown: |rig| {
            rig.stopped(60);
            rig.replace(SECOND, &[0; 5000]);
            outcome(rig.boot())
        },
        expected: "1 files, 29 readable",
    },
    Row {
        wrong: "a segment of no length, the first",
        upstream: "the same: nothing is loaded, and the next put begins the log anew",
        on: BOTH,
        shown: |rig| {
            rig.stopped(60);
            rig.replace(FIRST, b"");
            let mut machine = rig.boot().unwrap();
            let end = machine.store.log_end().0;
            format!("ends at {end}, {}", status(&mut machine, 0))
        },
        expected: "ends at 0, PUT_OK",
    },
    Row {
        wrong: "a queue's file of the wrong size",
        upstream: "it ends that queue's loading, with success; a clean start does not dispatch again, and the queue's \
                   messages cannot be consumed. Source: `MappedFileQueue.load`, `ConsumeQueue.load`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            rig.replace("consumequeue/orders/0/00000000000000000000", b"short");
            outcome(rig.boot())
        },
        expected: "1 files, 2 readable",
    },
    Row {
        wrong: "a checkpoint of no length",
        upstream: "the mapping makes it a page of zeros: its times are 0. Source: `StoreCheckpoint`",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            rig.replace("checkpoint", b"");
            let mut machine = rig.boot().unwrap();
            format!("{:?}, {}", machine.store.checkpoint(), holds(&mut machine))
        },
        expected: "(0, 0, 0), 1 files, 5 readable",
    },
    Row {
        wrong: "a checkpoint that is cut in its second time",
        upstream: "the same: what is there is read, the rest is zeros",
        on: BOTH,
        shown: |rig| {
            rig.stopped(5);
            let mut disk = rig.disk();
            let whole = disk.lend().get("checkpoint").unwrap();
            rig.disk = Some(disk.after_kill());
            rig.replace("checkpoint", &whole[..8]);
            let mut machine = rig.boot().unwrap();
            let (physic, logics, index) = machine.store.checkpoint();
            format!("{}, {logics}, {index}, {}", 0 < physic, holds(&mut machine))
        },
        expected: "true, 0, 0, 1 files, 5 readable",
    },
    Row {
        wrong: "an unreadable config file and a sound .bak",
        upstream: "the .bak is read. Source: `ConfigManager.load`, `loadBak`",
        on: BOTH,
        shown: |rig| {
            rig.replace(CURSORS, b"{\"offsetTable\":{1:7");
            rig.replace("config/delayOffset.json.bak", b"{\"offsetTable\":{1:5}}");
            config_news(&rig.boot().unwrap())
        },
        expected: "config/delayOffset.json: json at byte 19: expected `,` or `}`, backup true",
    },
    Row {
        wrong: "an unreadable config file and no .bak",
        upstream: "taken for a file that is not there: `loadBak` is true when it finds nothing",
        on: BOTH,
        shown: |rig| {
            rig.replace(CURSORS, b"no JSON");
            config_news(&rig.boot().unwrap())
        },
        expected: "config/delayOffset.json: json at byte 0: no value begins so, backup false",
    },
    Row {
        wrong: "an unreadable config file and an unreadable .bak",
        upstream: "`loadBak` is false: the broker exits",
        on: BOTH,
        shown: |rig| {
            rig.replace(CURSORS, b"{\"offsetTable\":{1:7");
            rig.replace("config/delayOffset.json.bak", b"]");
            outcome(rig.boot())
        },
        expected: "`config/delayOffset.json` cannot be read (json at byte 19: expected `,` or `}`), nor can \
                   `config/delayOffset.json.bak` (json at byte 0: no value begins so): mend one of them, or move both away \
                   to begin without",
    },
    Row {
        wrong: "an empty config file and a sound .bak",
        upstream: "the .bak is read, and nothing is said",
        on: BOTH,
        shown: |rig| {
            rig.replace(CURSORS, b"");
            rig.replace("config/delayOffset.json.bak", b"{\"offsetTable\":{1:5}}");
            config_news(&rig.boot().unwrap())
        },
        expected: "nothing said",
    },
    Row {
        wrong: "a durable record is damaged, K09 repaired",
        upstream: "none of upstream's, which cuts the log there: the file and the place are named",
        on: BOTH,
        shown: |rig| {
            let mut machine = rig.boot_as(&Profile::HARDENED, config()).unwrap();
            for number in 0..5 {
                assert_eq!(status(&mut machine, number), "PUT_OK");
            }
            let mut disk = machine.shut_down().0;
            let size = message(0).record_len() as u64;
            disk.damage(FIRST, 2 * size + 90, b"?");
            rig.disk = Some(disk.after_kill());
            let error = outcome(rig.boot_as(&Profile::HARDENED, config()));
            error.replace(&format!("at {}", 2 * size), "at the third record")
        },
        expected: "`commitlog/00000000000000000000` at the third record: the record was durable and is damaged; restore \
                   the file from a replica or a copy",
    },
];
