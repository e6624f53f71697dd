//! What one broker's file says, against what 4.3.2 makes of it.

use super::{File, Finding};
use crate::lab::locale::Phrase;
use crate::lab::scenario::remark;
use crate::mq::broker::properties::About;

/// Paths that no setter takes, and where upstream puts the thing: below `storePathRootDir`.
/// Source: `StorePathConfigHelper`.
const BELOW_THE_ROOT: &[(&str, &str)] = &[
    ("storePathConsumeQueue", "consumequeue"),
    ("storePathIndex", "index"),
    ("storeCheckpoint", "checkpoint"),
    ("abortFile", "abort"),
];
/// `DefaultMessageStore.CleanCommitLogService.diskSpaceCleanForciblyRatio`, in percent.
const CLEAN_FORCIBLY: i64 = 85;
/// A client's `maxMessageSize`. Source: `DefaultMQProducer`.
const CLIENT_MESSAGE_MAX: i64 = 4 << 20;
/// Bytes of a consume queue's unit. Source: `ConsumeQueue.CQ_STORE_UNIT_SIZE`.
const UNIT: i64 = 20;
/// Units of a consume queue's file by default. Source: `MessageStoreConfig.mapedFileSizeConsumeQueue`.
const UNITS: i64 = 300_000;

/// What is not what it looks in one file.
pub(super) fn findings(file: &File<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = file
        .remarks
        .iter()
        .filter(|remark| matters(&remark.about))
        .map(|remark| {
            let below = BELOW_THE_ROOT.iter().find(|(key, _)| remark.key == *key);
            let consequence = below.map_or_else(|| remark::words(remark), |(_, place)| lies(file, place));
            Finding { file: file.name.to_owned(), line: Some(remark.line), key: remark.key.to_string(), consequence }
        })
        .collect();
    findings.extend(id(file));
    findings.extend(sizes(file));
    if CLEAN_FORCIBLY < file.number("diskMaxUsedSpaceRatio", 75) {
        let ratio = file.number("diskMaxUsedSpaceRatio", 75);
        findings.push(file.finds(
            "diskMaxUsedSpaceRatio",
            format!(
                "when the disk is {ratio} % full it is over {CLEAN_FORCIBLY} %, too, where files are deleted whatever \
                 their age: fileReservedTime keeps nothing then"
            ),
            format!(
                "磁盘用到 {ratio}% 时已超过 {CLEAN_FORCIBLY}%，此时不论文件新旧都会强制删除：fileReservedTime 不再起作用"
            ),
        ));
    }
    if file.is_slave() && file.value("flushDiskType", "ASYNC_FLUSH") == "SYNC_FLUSH" {
        findings.push(file.finds(
            "flushDiskType",
            "nobody puts into a slave: what its master sends is flushed in the background whatever stands here",
            "从节点不接受写入：主节点发来的数据总在后台刷盘，与此项无关",
        ));
    }
    findings
}

/// That something works in the laboratory only as far as it goes there says nothing about the file.
fn matters(about: &About) -> bool {
    !matches!(about, About::Ignored(_))
}

fn lies(file: &File<'_>, place: &str) -> Phrase {
    let root = file.value("storePathRootDir", "$HOME/store");
    Phrase {
        en: format!("4.3.2 has no such setting, and says nothing: it lies at {root}/{place}"),
        zh: format!("4.3.2 没有这个配置项，也不会提示：实际位置是 {root}/{place}"),
    }
}

fn id(file: &File<'_>) -> Option<Finding> {
    let id = file.number("brokerId", 0);
    (!file.is_slave() && id != 0).then(|| {
        file.finds(
            "brokerId",
            format!("a master's id is 0, whatever is written ({id})"),
            format!("主节点的编号总是 0，写 {id} 也没用"),
        )
    })
}

fn sizes(file: &File<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let queue = file.number("mapedFileSizeConsumeQueue", UNITS * UNIT);
    if 0 < queue && queue < UNITS * UNIT && queue == UNITS {
        let entries = queue / UNIT;
        findings.push(file.finds(
            "mapedFileSizeConsumeQueue",
            format!("is in bytes: {entries} entries of {UNIT} bytes a file; {UNITS} entries are {}", UNITS * UNIT),
            format!("单位是字节：每个文件 {entries} 项（每项 {UNIT} 字节）；{UNITS} 项应写 {}", UNITS * UNIT),
        ));
    }
    let message = file.number("maxMessageSize", CLIENT_MESSAGE_MAX);
    if message < CLIENT_MESSAGE_MAX {
        findings.push(file.finds(
            "maxMessageSize",
            format!(
                "clients send up to {CLIENT_MESSAGE_MAX} bytes: what is over {message} is answered MESSAGE_ILLEGAL"
            ),
            format!("客户端默认可发 {CLIENT_MESSAGE_MAX} 字节：超过 {message} 的会得到 MESSAGE_ILLEGAL"),
        ));
    }
    findings
}
