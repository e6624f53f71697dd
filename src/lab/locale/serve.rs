//! What `mqlab serve` says.

use crate::lab::locale::Words;

const fn w(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

/// A nameserver is there.
pub const NAMESERVER: Words = w("nameserver  {addr}  {node}\n", "名字服务    {addr}  {node}\n");
/// A broker is there.
pub const BROKER: Words =
    w("broker      {addr}  {node}  files: {folder}\n", "broker      {addr}  {node}  文件：{folder}\n");
/// All are.
pub const READY: Words = w(
    "ready in {ms} ms; Ctrl-C or `stop` ends it, `drop reply send-message 1 in 5` breaks something, `list` says what is broken\n",
    "{ms} 毫秒后就绪；Ctrl-C 或 `stop` 结束，`drop reply send-message 1 in 5` 制造故障，`list` 列出生效的故障\n",
);
/// Files go at the end.
pub const SCRATCH: Words =
    w("the files are temporary; `--data DIR` keeps them\n", "文件是临时的；要保留请用 `--data DIR`\n");
/// It is over.
pub const STOPPED: Words = w("stopped: every store is closed cleanly\n", "已停止：所有存储都已正常关闭\n");
/// See [`STOPPED`].
pub const STOPPED_AFTER_KILL: Words = w(
    "stopped: who was killed left a store as after a crash, which recovers at the next start\n",
    "已停止：被杀死的进程留下了如同崩溃之后的存储，下次启动时会恢复\n",
);
/// It is over, and not well.
pub const UNCLEAN: Words = w(
    "a process did not stop in time: its store is as after a crash, and recovers at the next start\n",
    "有进程未能按时停止：其存储如同崩溃之后，下次启动时会恢复\n",
);
/// A fault of the lab.
pub const PANICKED: Words = w(
    "{node} ended in a panic, a fault of mqlab itself: {why}\n",
    "{node} 因 panic 结束，这是 mqlab 自身的缺陷：{why}\n",
);
/// See [`PANICKED`].
pub const PANICKED_SOMEWHERE: Words =
    w("a node ended in a panic: this is a fault of mqlab itself\n", "有节点因 panic 结束：这是 mqlab 自身的缺陷\n");

/// A node's life.
pub const BOOTED: Words = w("{node} runs\n", "{node} 已启动\n");
/// See [`BOOTED`].
pub const KILLED: Words = w("{node} is killed\n", "{node} 已被杀死\n");
/// See [`BOOTED`].
pub const EXITED: Words = w("{node} has stopped\n", "{node} 已停止\n");
/// See [`BOOTED`].
pub const BOOT_FAILED: Words = w("{node} does not start: {why}\n", "{node} 无法启动：{why}\n");
/// A fault.
pub const BEGAN: Words = w("fault {number} begins: {text}\n", "故障 {number} 开始：{text}\n");
/// See [`BEGAN`].
pub const HEALED: Words = w("fault {number} ends: {text}\n", "故障 {number} 结束：{text}\n");
/// See [`BEGAN`].
pub const IN_FORCE: Words = w("fault {number}: {text}\n", "故障 {number}：{text}\n");
/// See [`BEGAN`].
pub const NONE_IN_FORCE: Words = w("no fault is in force\n", "没有生效的故障\n");
/// A stranger.
pub const BAD_FRAME: Words =
    w("{node} closed the connection of {peer}: {why}\n", "{node} 关闭了 {peer} 的连接：{why}\n");
/// See [`BAD_FRAME`].
pub const TOO_MANY: Words =
    w("{node} takes no more connections: there are as many as may be\n", "{node} 不再接受连接：已达上限\n");
/// See [`BAD_FRAME`].
pub const NO_FILES: Words = w(
    "{node} takes no more connections: the system gives no more files (`ulimit -n`)\n",
    "{node} 不再接受连接：系统不再提供文件描述符（`ulimit -n`）\n",
);
/// See [`BAD_FRAME`].
pub const TOO_MUCH_UNREAD: Words =
    w("{node} closed a connection: too many unfinished frames\n", "{node} 关闭了一个连接：未完成的帧过多\n");
/// See [`BAD_FRAME`].
pub const TOO_MUCH_UNSENT: Words =
    w("{node} reset a connection whose peer does not read\n", "{node} 重置了一个对端不读取的连接\n");

/// A word that cannot stand where it does.
pub const AT: Words =
    w("`{word}` at column {column}: wanted {wanted}\n", "第 {column} 列的 `{word}`：此处应为{wanted}\n");
/// A line that ends too early.
pub const ENDS: Words =
    w("the line ends at column {column}: wanted {wanted}\n", "该行在第 {column} 列结束：此处应为{wanted}\n");
/// A way out.
pub const NEAR: Words = w("  help: did you mean `{near}`?\n", "  帮助：是否想写 `{near}`？\n");
/// See [`NEAR`].
pub const ALLOWED: Words = w("  help: there are: {allowed}\n", "  帮助：可以写：{allowed}\n");
/// What a word had to be.
pub const WANTED: [Words; 9] = [
    w("what to do", "要做什么"),
    w("`request` or `reply`", " `request` 或 `reply`"),
    w("a request's name, e.g. `send-message`, or `any`", "请求名，如 `send-message`，或 `any`"),
    w("a span, e.g. `200ms`", "时长，如 `200ms`"),
    w("a node's name", "节点名"),
    w("`1`, as in `1 in 5`", " `1`，如 `1 in 5`"),
    w("a whole number from 1 on", "从 1 起的整数"),
    w("`1 in N`, `on NODE`, `for SPAN` or the end", " `1 in N`、`on NODE`、`for SPAN` 或行尾"),
    w("the end of the line", "行尾"),
];

/// Why it does not begin.
pub const EXPOSED: Words = w(
    "{listen} can be reached from other machines, and this broker asks nobody who they are\n  help: leave `--listen` out, or say `--expose` if that is meant\n",
    "{listen} 可以从别的机器访问，而这个 broker 不做任何身份验证\n  帮助：去掉 `--listen`；若确有此意，加上 `--expose`\n",
);
/// See [`EXPOSED`].
pub const PORT: Words = w(
    "port {port} of {listen} for {node} cannot be had: {why}\n  help: `{flag} 0` takes a free one, `{flag} N` another\n",
    "{node} 无法使用 {listen} 的端口 {port}：{why}\n  帮助：`{flag} 0` 使用空闲端口，`{flag} N` 使用另一个\n",
);
/// See [`EXPOSED`].
pub const NO_PORTS: Words = w(
    "there are no ports left for {node}\n  help: begin lower with `--broker-port` or `--nameserver-port`\n",
    "没有端口可供 {node} 使用\n  帮助：用 `--broker-port` 或 `--nameserver-port` 从更小的端口开始\n",
);
/// See [`EXPOSED`].
pub const FOLDER: Words = w(
    "{path} cannot be written: {why}\n  help: name a folder that you may write to\n",
    "无法写入 {path}：{why}\n  帮助：换一个有写权限的目录\n",
);
/// See [`EXPOSED`].
pub const NO_BOOT: Words = w(
    "{node} does not start: {why}\n  help: `mqlab inspect FOLDER --verify` looks at its files; `--data` names other ones\n",
    "{node} 无法启动：{why}\n  帮助：`mqlab inspect 目录 --verify` 检查其文件；用 `--data` 换一个目录\n",
);
/// See [`EXPOSED`].
pub const NAME: Words = w(
    "`{node}` cannot be a node's name here\n  help: names are a folder's, and each is another\n",
    "`{node}` 不能用作节点名\n  帮助：节点名就是目录名，且不能重复\n",
);
/// See [`EXPOSED`].
pub const SYSTEM: Words = w(
    "the system refuses: {why}\n  help: it may be out of files or threads\n",
    "系统拒绝：{why}\n  帮助：可能是文件描述符或线程不足\n",
);
/// See [`EXPOSED`].
pub const SETTING: Words = w(
    "`--set {text}` is no setting\n  help: `--set flushDiskType=SYNC_FLUSH`, or of one broker `--set broker-a.flushDiskType=SYNC_FLUSH`; brokers: {allowed}\n",
    "`--set {text}` 不是配置项\n  帮助：`--set flushDiskType=SYNC_FLUSH`，或只对一个 broker：`--set broker-a.flushDiskType=SYNC_FLUSH`；broker 有：{allowed}\n",
);
/// See [`EXPOSED`].
pub const UNREADABLE: Words = w(
    "{path} cannot be read: {why}\n  help: name a file of settings, as `mqbroker -c` takes it, or of faults, a line each\n",
    "无法读取 {path}：{why}\n  帮助：指定一个配置文件（与 `mqbroker -c` 相同），或每行一个故障的文件\n",
);
/// See [`EXPOSED`].
pub const NO_BROKER: Words = w(
    "`{name}` has no broker\n  help: name a scenario with one: `mqlab list`\n",
    "`{name}` 中没有 broker\n  帮助：选一个有 broker 的场景：`mqlab list`\n",
);
/// See [`EXPOSED`].
pub const SLAVE_ID: Words = w(
    "{node}: a slave's brokerId must be above 0\n  help: `--set {node}.brokerId=1`\n",
    "{node}：从节点的 brokerId 必须大于 0\n  帮助：`--set {node}.brokerId=1`\n",
);
/// A setting that is not what it looks.
pub const REMARK: Words = w("note: {key}: {what}\n", "提示：{key}：{what}\n");
