//! The device fails, or the system refuses.

use mqlab::lab::fault::device::{Access, Chance, FileSystem, FullShows, Occurs, Opening, Wrong};
use mqlab::mq::profile::Profile;
use mqlab::mq::store::Flag;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::outcome::News;

use super::{BOTH, CURSORS, Row, SECOND, SIM, always, begin, config_news, heal, holds, outcome, status};
use crate::store::machine::Kind;
use crate::store::survival::{config, readable};

pub const ROWS: &[Row] = &[
    Row {
        wrong: "device full: the log's next file cannot be made",
        upstream: "the put that needs it answers CREATE_MAPEDFILE_FAILED, the blank record is written; the next put tries \
                   again. Source: `CommitLog.putMessage`, `AllocateMappedFileService.mmapOperation`",
        on: SIM,
        shown: |rig| {
            let mut machine = rig.boot().unwrap();
            begin(&mut machine.disk, "any", Wrong::Full { capacity: 0, shows: Some(FullShows::Create) });
            let first = status(&mut machine, 0);
            heal(&mut machine);
            format!("{first}, healed {}, {}", status(&mut machine, 1), holds(&mut machine))
        },
        expected: "CREATE_MAPEDFILE_FAILED, healed PUT_OK, 1 files, 1 readable",
    },
    Row {
        wrong: "the log's next file cannot be made: something else lies in its place",
        upstream: "the same",
        on: BOTH,
        shown: |rig| {
            rig.block(SECOND);
            let mut machine = rig.boot().unwrap();
            let statuses: Vec<_> = (0..30).map(|number| status(&mut machine, number)).collect();
            let stored = statuses.iter().take_while(|status| **status == "PUT_OK").count();
            format!("{stored} stored, then {}, {} behind", statuses[stored], machine.store.behind())
        },
        expected: "29 stored, then CREATE_MAPEDFILE_FAILED, 0 behind",
    },
    Row {
        wrong: "device full: a consume queue's file cannot be made",
        upstream: "tried thirty times, a second apart; then puts are refused until a restart. Source: \
                   `ConsumeQueue.putMessagePositionInfoWrapper`, `RunningFlags.makeLogicsQueueError`",
        on: SIM,
        shown: |rig| {
            let mut machine = rig.boot().unwrap();
            assert_eq!(status(&mut machine, 0), "PUT_OK");
            begin(&mut machine.disk, "consumequeue", Wrong::Full { capacity: 0, shows: Some(FullShows::Create) });
            assert_eq!(status(&mut machine, 1), "PUT_OK");
            machine.pass(28_900);
            let before = machine.store.flags();
            machine.pass(200);
            let after = machine.store.flags() == Flag::WriteLogicsQueueError as u32;
            format!("{before}, {after}, {}", status(&mut machine, 2))
        },
        expected: "0, true, SERVICE_NOT_AVAILABLE",
    },
    Row {
        wrong: "device full beyond its last watermark",
        upstream: "puts are refused, gets are not; below it they are taken again. Source: \
                   `CleanCommitLogService.isSpaceToDelete`, `RunningFlags.isWriteable`",
        on: SIM,
        shown: |rig| {
            let mut machine = rig.boot().unwrap();
            assert_eq!(status(&mut machine, 0), "PUT_OK");
            machine.live(70_000);
            begin(&mut machine.disk, "any", Wrong::Full { capacity: 12_400, shows: Some(FullShows::Touch) });
            machine.store.clean_commit_log(machine.disk.lend(), machine.clock);
            let full = status(&mut machine, 1);
            let kept = readable(&mut machine).len();
            heal(&mut machine);
            machine.store.clean_commit_log(machine.disk.lend(), machine.clock);
            format!("{full}, {kept} readable, healed {}", status(&mut machine, 2))
        },
        expected: "SERVICE_NOT_AVAILABLE, 1 readable, healed PUT_OK",
    },
    Row {
        wrong: "EIO where a consume queue's unit is written",
        upstream: "logged, and the position moves on: the entry is zeros for ever, its message is lost to consumers. \
                   Source: `MappedFile.appendMessage(byte[])`, `ConsumeQueue.putMessagePositionInfo`",
        on: SIM,
        shown: |rig| {
            let mut machine = rig.boot().unwrap();
            let occurs = Occurs { chance: Chance::Nth(1), sticky: false };
            begin(&mut machine.disk, "consumequeue", Wrong::CallFails { on: Access::Write, occurs });
            let statuses = [0, 2, 4].map(|number| status(&mut machine, number));
            let max = machine.store.max_queue_offset("orders", 0);
            format!("{statuses:?}, {max:?}, {} readable, flags {}", readable(&mut machine).len(), machine.store.flags())
        },
        expected: "[\"PUT_OK\", \"PUT_OK\", \"PUT_OK\"], QueueOffset(3), 2 readable, flags 0",
    },
    Row {
        wrong: "EIO where a config file is written",
        upstream: "logged, the file before stays whole, tried again at the next tick. Source: `ConfigManager.persist`",
        on: SIM,
        shown: |rig| {
            rig.replace(CURSORS, b"{\"offsetTable\":{1:7}}");
            let mut machine = rig.boot().unwrap();
            begin(&mut machine.disk, "config", Wrong::CallFails { on: Access::Write, occurs: always() });
            machine.store.write_config(machine.disk.lend(), CURSORS, "{}".to_owned());
            machine.answer();
            let kept = machine.disk.lend().get(CURSORS).unwrap();
            format!("{}; {}", config_news(&machine), String::from_utf8_lossy(&kept))
        },
        expected: "config/delayOffset.json: input/output error; {\"offsetTable\":{1:7}}",
    },
    Row {
        wrong: "EIO where a config file is read, and a sound .bak",
        upstream: "the .bak is read. Source: `ConfigManager.load`, `loadBak`",
        on: SIM,
        shown: |rig| {
            rig.replace(CURSORS, b"{\"offsetTable\":{1:7}}");
            rig.replace("config/delayOffset.json.bak", b"{\"offsetTable\":{1:5}}");
            let mut disk = rig.disk();
            begin(&mut disk, CURSORS, Wrong::CallFails { on: Access::Read, occurs: always() });
            rig.disk = Some(disk);
            config_news(&rig.boot().unwrap())
        },
        expected: "config/delayOffset.json: input/output error, backup true",
    },
    Row {
        wrong: "a force of the log fails",
        upstream: "logged, and taken for done: the put is acknowledged (K01). Source: `MappedFile.flush`",
        on: SIM,
        shown: |rig| {
            let sync = StoreConfig { sync_flush: true, ..config() };
            let mut machine = rig.boot_as(&Profile::FAITHFUL, sync).unwrap();
            begin(
                &mut machine.disk,
                "commitlog",
                Wrong::SyncFails { occurs: always(), system: FileSystem::Ext4Ordered },
            );
            let acked = status(&mut machine, 0);
            let end = machine.store.log_end().0;
            let failed = machine.news.iter().any(|news| matches!(news, News::FlushFailed { .. }));
            format!(
                "{acked}, durable {}, told {failed}, writeable {}",
                machine.store.flushed().0 == end,
                machine.store.is_writeable()
            )
        },
        expected: "PUT_OK, durable true, told true, writeable true",
    },
    Row {
        wrong: "a force of the log fails, K01 repaired",
        upstream: "none of upstream's: the put is not acknowledged, and no other is taken",
        on: SIM,
        shown: |rig| {
            let sync = StoreConfig { sync_flush: true, ..config() };
            let mut machine = rig.boot_as(&Profile::with_fix("K01").unwrap(), sync).unwrap();
            begin(
                &mut machine.disk,
                "commitlog",
                Wrong::SyncFails { occurs: always(), system: FileSystem::Ext4Ordered },
            );
            let first = status(&mut machine, 0);
            heal(&mut machine);
            format!("{first}, durable {}, then {}", machine.store.flushed().0, status(&mut machine, 1))
        },
        expected: "FLUSH_DISK_TIMEOUT, durable 0, then SERVICE_NOT_AVAILABLE",
    },
    Row {
        wrong: "a folder that cannot be written: the checkpoint",
        upstream: "`DefaultMessageStore.load` catches the exception of `StoreCheckpoint` and is false: the broker exits",
        on: BOTH,
        shown: |rig| {
            rig.block("checkpoint");
            let error = outcome(rig.boot());
            error.split(": ").next().unwrap_or_default().to_owned()
        },
        expected: "`checkpoint`",
    },
    Row {
        wrong: "a folder that cannot be written: the lock file",
        upstream: "the constructor of `DefaultMessageStore` throws, `BrokerController.initialize` is false",
        on: BOTH,
        shown: |rig| {
            rig.block("lock");
            let error = outcome(rig.boot());
            error.split(": ").next().unwrap_or_default().to_owned()
        },
        expected: "`lock`",
    },
    Row {
        wrong: "another process has the store",
        upstream: "`Lock failed,MQ already started`. Source: `DefaultMessageStore.start`",
        on: BOTH,
        shown: |rig| {
            let first = rig.boot().unwrap();
            match (rig.kind, first.disk) {
                (Kind::Mmap, kept) => {
                    let second = outcome(rig.boot());
                    drop(kept);
                    second
                }
                (Kind::Sim, kept) => {
                    rig.disk = Some(kept);
                    outcome(rig.boot())
                }
            }
        },
        expected: "Lock failed,MQ already started",
    },
    Row {
        wrong: "the process may map no more",
        upstream: "`FileChannel.map` throws an IOException, loading is false. Source: `MappedFileQueue.load`",
        on: SIM,
        shown: |rig| {
            rig.stopped(5);
            let mut disk = rig.disk();
            begin(&mut disk, "commitlog", Wrong::Refused { on: Opening::Map, occurs: always() });
            rig.disk = Some(disk);
            outcome(rig.boot())
        },
        expected: "`commitlog/00000000000000000000`: cannot allocate memory",
    },
    Row {
        wrong: "an index file that the device does not give",
        upstream: "it ends the loading of the index, and nobody looks at that. Source: `IndexService.load`",
        on: SIM,
        shown: |rig| {
            rig.stopped(5);
            let mut disk = rig.disk();
            let occurs = Occurs { chance: Chance::Nth(1), sticky: false };
            begin(&mut disk, "index", Wrong::Refused { on: Opening::Open, occurs });
            rig.disk = Some(disk);
            outcome(rig.boot())
        },
        expected: "1 files, 5 readable",
    },
];
