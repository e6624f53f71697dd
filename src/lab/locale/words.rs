//! Single words and short texts of the drawings.

use crate::lab::locale::{Lang, Words};

const fn w(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

/// A stage of a message's life.
pub const SENT: Words = w("sent", "发出");
/// See [`SENT`].
pub const STORED: Words = w("stored", "写入");
/// See [`SENT`].
pub const FLUSHED: Words = w("flushed", "落盘");
/// See [`SENT`].
pub const ACKED: Words = w("acked", "确认");
/// See [`SENT`].
pub const FAILED: Words = w("failed", "失败");
/// See [`SENT`].
pub const QUEUED: Words = w("queued", "入队");
/// See [`SENT`].
pub const DELIVERED: Words = w("delivered", "投递");
/// See [`SENT`].
pub const DONE: Words = w("consumed", "消费");

/// What may be said of a message.
pub const NOT_SENT: Words = w("not sent yet", "尚未发出");
/// See [`NOT_SENT`].
pub const IN_FLIGHT: Words = w("IN FLIGHT", "途中");
/// See [`NOT_SENT`].
pub const SEND_FAILED: Words = w("SEND FAILED", "发送失败");
/// See [`NOT_SENT`].
pub const STORED_NOT_ACKED: Words = w("STORED, NOT ACKED", "已写入，未确认");
/// See [`NOT_SENT`].
pub const ACKED_NOT_DURABLE: Words = w("ACKED, NOT DURABLE", "已确认，未落盘");
/// See [`NOT_SENT`].
pub const ACKED_DURABLE: Words = w("ACKED, DURABLE", "已确认，已落盘");
/// See [`NOT_SENT`].
pub const IN_HAND: Words = w("IN THE LISTENER'S HANDS", "处理中");
/// See [`NOT_SENT`].
pub const CONSUMED: Words = w("CONSUMED", "已消费");
/// See [`NOT_SENT`].
pub const LOST: Words = w("LOST", "已丢失");

/// A disk's content was kept for the checks.
pub const IMAGE_KEPT: Words = w("what its disk holds is kept for the checks", "保存磁盘内容，供检查使用");

/// What an application prints before a result that its callback was given, as the article's programs do.
pub const PRINTS_SENT: Words = w("Send succeeded! ", "发送成功了!");
/// See [`PRINTS_SENT`].
pub const PRINTS_NOT_SENT: Words = w("Send failed! ", "消息发送失败!");
/// See [`PRINTS_SENT`].
pub const PRINTS_CREATED: Words = w("topic created!", "topic创建成功!");
/// See [`PRINTS_SENT`].
pub const PRINTS_BODY: Words = w("Message:", "消息:");
/// See [`PRINTS_SENT`]; English as the release's quick start prints it.
pub const PRINTS_RECEIVED: Words = w("Receive New Messages: ", "接收到消息 -> ");
/// See [`PRINTS_SENT`]; as the release's example of a pull consumer prints it.
pub const PRINTS_QUEUE: Words = w("Consume from the queue: ", "Consume from the queue: ");
/// See [`PRINTS_SENT`].
pub const PRINTS_CHECKED: Words = w("State checked", "状态回查");

/// Reasons that nodes and roads give, in a language; others are upstream's own texts and stay as they are.
pub fn reason(text: &str, lang: Lang) -> &str {
    let known = REASONS.iter().find(|(reason, _)| *reason == text);
    known.map_or(text, |(_, words)| words.text(lang))
}

const REASONS: &[(&str, Words)] = &[
    ("arrived", w("a message arrived", "有新消息")),
    ("timeout", w("its time is up", "等待超时")),
    ("closed", w("the connection closed", "连接断开")),
    ("expired", w("it was silent for too long", "心跳超时")),
    ("unregistered", w("it signed off", "主动注销")),
    ("not-locked", w("its lock is missing", "没有锁")),
    ("lock-expired", w("its lock is older than 30 s", "锁已超过 30 秒未续")),
    ("paused", w("its offsets are being moved", "位点正在重置")),
    ("error", w("the pull failed", "拉取失败")),
    ("cached-messages", w("messages", "条消息")),
    ("cached-mib", w("MiB of messages", "MiB 消息")),
    ("cached-span", w("offsets from the first to the last message", "个位点的首尾跨度")),
    ("offset-moved", w("its place is not there any more", "位点越界")),
    ("refused", w("nobody listens there", "无人监听")),
    ("timed out", w("nobody answers", "没有应答")),
    ("producer", w("producer", "生产者")),
    ("consumer", w("consumer", "消费者")),
    ("asked-too-often", w("it was asked for too often", "回查次数已达上限")),
    ("too-old", w("it is older than the log keeps", "超过文件保留时间")),
    ("expired-meanwhile", w("its time of peace ended while it was looked at", "免检期恰在检查时结束")),
    ("unreadable", w("it cannot be read", "无法读取")),
    ("commit", w("commit", "提交")),
    ("rollback", w("rollback", "回滚")),
    ("unknown", w("unknown", "未知")),
    ("threw", w("an exception", "异常")),
    ("flush", w("the flush service", "刷盘服务")),
    ("dispatch", w("the dispatch service", "分发服务")),
    ("ha", w("the HA service", "主从复制服务")),
    ("schedule", w("the schedule service", "延时消息服务")),
    ("rebalance", w("the rebalance service", "重平衡服务")),
    ("heartbeat", w("the heartbeat service", "心跳服务")),
    ("listener-pool", w("the pool of its listeners", "消费线程池")),
    ("an empty one", w("an empty one", "空盘")),
    ("an old snapshot", w("an old snapshot", "旧快照")),
    ("another machine's", w("another machine's", "另一台机器的磁盘")),
    ("no space left on the device", w("no space left on the device", "磁盘空间不足")),
    (
        "no space: SIGBUS at the first touch of a hole",
        w("no space: SIGBUS at the first touch of a hole", "空间不足：首次写入空洞时 SIGBUS"),
    ),
    (
        "no space: pages are lost at the writeback",
        w("no space: pages are lost at the writeback", "空间不足：回写时丢页"),
    ),
    ("EIO at a write", w("EIO at a write", "写调用返回 EIO")),
    ("EIO at a read", w("EIO at a read", "读调用返回 EIO")),
    ("EIO under a load: SIGBUS", w("EIO under a load: SIGBUS", "读内存映射时 EIO：SIGBUS")),
    ("EIO under a store: SIGBUS", w("EIO under a store: SIGBUS", "写内存映射时 EIO：SIGBUS")),
    ("SIGBUS behind the file's end", w("SIGBUS behind the file's end", "越过文件末尾：SIGBUS")),
    ("a sync fails", w("a sync fails", "fsync 失败")),
    (
        "a sync fails, and the next one will say so",
        w("a sync fails, and the next one will say so", "fsync 失败，下一次才报错"),
    ),
    ("a sync answers for the one before", w("a sync answers for the one before", "这次 fsync 报出上一次的错误")),
    ("a sync is slow", w("a sync is slow", "fsync 变慢")),
    ("a bit is flipped at rest", w("a bit is flipped at rest", "磁盘上一位翻转")),
    ("a bit is flipped in one read", w("a bit is flipped in one read", "一次读取中一位翻转")),
    ("a page is written to the wrong place", w("a page is written to the wrong place", "页写到了错误的位置")),
    ("a page is read from the wrong place", w("a page is read from the wrong place", "页从错误的位置读出")),
    ("a page is not written", w("a page is not written", "页没有写入，却已确认")),
    ("a sector is bad from here on", w("a sector is bad from here on", "扇区从此损坏")),
    ("a sector cannot be read", w("a sector cannot be read", "扇区无法读取")),
    ("the file ends early", w("the file ends early", "文件被截短")),
    ("a page is as it was before", w("a page is as it was before", "页回到了旧内容")),
    ("permission denied", w("permission denied", "没有权限")),
    ("no mapping left", w("no mapping left", "内存映射数已用尽")),
    ("the lock is somebody else's", w("the lock is somebody else's", "锁被别人占用")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_reasons_are_spoken_and_others_stay() {
        assert_eq!(reason("arrived", Lang::Zh), "有新消息");
        let upstream = "connect to <172.17.0.1:10909> failed";
        assert_eq!(reason(upstream, Lang::Zh), upstream);
    }
}
