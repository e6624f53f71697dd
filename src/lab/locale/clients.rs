//! What `mqlab send`, `mqlab consume` and `mqlab admin` say.

use crate::lab::locale::Words;

const fn w(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

/// A nameserver's address is none.
pub const NAMESERVER: Words = w(
    "`{text}` is no nameserver's address: {why}\n  help: `--nameserver HOST:PORT`, with `;` between several\n",
    "`{text}` 不是名字服务的地址：{why}\n  帮助：`--nameserver HOST:PORT`，多个之间用 `;` 分隔\n",
);
/// See [`NAMESERVER`].
pub const FOLDER: Words = w(
    "{path} cannot be written: {why}\n  help: name a folder that you may write to\n",
    "无法写入 {path}：{why}\n  帮助：换一个有写权限的目录\n",
);
/// See [`NAMESERVER`].
pub const BOOT: Words = w(
    "the client does not start: {why}\n  help: mend what it names, or move it away\n",
    "客户端无法启动：{why}\n  帮助：修复它指出的问题，或将其移走\n",
);
/// See [`NAMESERVER`].
pub const SYSTEM: Words = w(
    "the system refuses: {why}\n  help: `ulimit -a` says what this process may have\n",
    "系统拒绝：{why}\n  帮助：`ulimit -a` 可查看本进程的限制\n",
);
/// The client or its driver ended in a panic.
pub const PANICKED: Words =
    w("the client ended in a panic: this is a fault of mqlab itself\n", "客户端因 panic 结束：这是 mqlab 自身的缺陷\n");
/// Standard input breaks off.
pub const INPUT: Words = w(
    "standard input cannot be read: {why}\n  help: each line is a body; bodies may stand behind the topic, too\n",
    "无法读取标准输入：{why}\n  帮助：每行是一个消息体；消息体也可以写在主题之后\n",
);
/// How sending went.
pub const SENT: Words = w("{ok} of {count} sent, all SEND_OK\n", "已发送 {ok}/{count} 条，全部 SEND_OK\n");
/// See [`SENT`].
pub const WRITTEN: Words =
    w("{ok} of {count} written; nobody says whether they arrived\n", "已写出 {ok}/{count} 条；没有人告知是否到达\n");
/// See [`SENT`].
pub const NOT_ALL_SENT: Words = w("{ok} of {count} sent with SEND_OK\n", "{count} 条中有 {ok} 条以 SEND_OK 发送\n");
/// A consumer begins.
pub const WAITING: Words = w(
    "waiting for messages of {topic} as a member of {group}; Ctrl-C ends it\n",
    "以 {group} 组成员的身份等待 {topic} 的消息；按 Ctrl-C 结束\n",
);
/// How consuming went.
pub const CONSUMED: Words =
    w("{done} messages done, {given} deliveries\n", "已完成 {done} 条消息，共投递 {given} 次\n");
/// A group that is none.
pub const NO_GROUP: Words =
    w("no group `{group}`\n  help: groups: {known}\n", "没有名为 `{group}` 的组\n  帮助：现有的组：{known}\n");
/// A consumer begins where no nameserver is.
pub const NOBODY: Words = w(
    "no nameserver is at {addr}; the client goes on trying\n  help: `mqlab serve` starts one, `--nameserver HOST:PORT` names another\n",
    "{addr} 处没有名字服务；客户端会继续尝试\n  帮助：`mqlab serve` 可启动一个，`--nameserver HOST:PORT` 可指定另一个\n",
);
