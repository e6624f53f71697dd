//! One sentence for each kind of event; `{field}` stands for the event's field of that name.

use crate::lab::locale::Words;

/// The sentence for a kind; `None` for what is too small to be told.
pub fn of(kind: &str) -> Option<Words> {
    TOLD.iter().find(|(told, _)| *told == kind).map(|(_, words)| *words)
}

/// The sentence for a kind that a run's account leaves out, for who asks about one event; its fields are those of the JSON line.
pub fn small(kind: &str) -> Option<Words> {
    SMALL.iter().find(|(told, _)| *told == kind).map(|(_, words)| *words)
}

/// An operation failed that sent nothing: an operator's, or a topic's creation.
pub const CALL_FAILED: Words = w("is refused: {kind}: {text}", "未能完成：{kind}: {text}");

const fn w(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

const TOLD: &[(&str, Words)] = &[
    ("booted", w("booted", "进程启动")),
    ("boot-failed", w("could not boot: {why}", "启动失败：{why}")),
    ("exited", w("exited", "进程退出")),
    ("killed", w("KILLED, the page cache survives", "进程被杀，页缓存还在")),
    ("panicked", w("PANICKED: {why}", "崩溃：{why}")),
    ("power-lost", w("POWER LOST: {lost} dirty pages gone, {kept} kept", "断电：丢失 {lost} 个脏页，保留 {kept} 个")),
    ("paused", w("paused", "暂停")),
    ("resumed", w("goes on", "恢复运行")),
    ("stop-asked", w("is asked to stop", "被要求停止")),
    ("wall-stepped", w("wall clock steps by {millis} ms", "系统时钟跳变 {millis} 毫秒")),
    ("clock-bent", w("its clocks run {rate} millionths faster than true time", "时钟快于真实时间，百万分之 {rate}")),
    ("service-paused", w("{service} stands still", "{service} 停顿")),
    ("service-resumed", w("{service} goes on", "{service} 恢复")),
    ("disk-replaced", w("its disk is now {how}", "磁盘换成{how}")),
    ("refused", w("connection failed: {why}", "连接失败：{why}")),
    ("fault-begun", w("{what}", "{what}")),
    ("fault-ended", w("fault {name} ends", "故障 {name} 结束")),
    ("disk-fault", w("DISK: {what}, {file} at {at}", "磁盘故障：{what}，{file} 位置 {at}")),
    ("stopped", w("stopped cleanly", "正常停止")),
    (
        "recovered",
        w("recovered {records} records, the log ends at {log_end}", "恢复了 {records} 条记录，日志末尾 {log_end}"),
    ),
    (
        "route-learned",
        w("route {topic}: {brokers} broker, {queues} queues", "路由 {topic}：{brokers} 个 Broker，{queues} 个队列"),
    ),
    ("broker-registered", w("broker {broker} registers as {addr}", "Broker {broker} 注册，地址 {addr}")),
    ("broker-dropped", w("broker {broker} is dropped: {why}", "移除 Broker {broker}：{why}")),
    ("topic-created", w("topic {topic} with {queues} queues", "主题 {topic}，{queues} 个队列")),
    (
        "topic-deleted",
        w(
            "deletes topic {topic} and {queues} queues; the offsets of its groups stay",
            "删除主题 {topic} 和 {queues} 个队列；消费组的位点还在",
        ),
    ),
    (
        "route-forgotten",
        w("forgets the queues of {topic} at {brokers} brokers", "忘掉 {topic} 在 {brokers} 个 Broker 上的队列"),
    ),
    ("kv-put", w("sets {namespace}/{key} to {value}", "把 {namespace}/{key} 设为 {value}")),
    ("kv-deleted", w("deletes {namespace}/{key} (known {known})", "删除 {namespace}/{key}（已知 {known}）")),
    (
        "topic-ordered",
        w("hears whether {topic} has an order configuration: {order}", "得知 {topic} 是否有顺序配置：{order}"),
    ),
    ("write-wiped", w("closes {broker} for producers: {topics} topics", "对生产者关闭 {broker}：{topics} 个主题")),
    (
        "queue-picked",
        w(
            "picks {topic}/{queue_id} at {broker}, attempt {attempt}",
            "选择 {broker} 的 {topic}/{queue_id}，第 {attempt} 次尝试",
        ),
    ),
    ("attempt-failed", w("attempt {attempt} at {broker} failed: {why}", "第 {attempt} 次尝试 {broker} 失败：{why}")),
    (
        "request-refused",
        w("refuses request {request} with {code}: {remark}", "拒绝请求 {request}，代码 {code}：{remark}"),
    ),
    (
        "appended",
        w(
            "appends {topic}/{queue_id} #{queue_offset} @{at} len {size}, page cache",
            "追加 {topic}/{queue_id} #{queue_offset} @{at} 长 {size}，在页缓存",
        ),
    ),
    ("log-rolled", w("the log goes on in a new file at {at}", "日志换到新文件 {at}")),
    ("file-deleted", w("deletes the log file at {at}: {why}", "删除日志文件 {at}：{why}")),
    ("slave-connected", w("a slave connects from {slave}", "从节点 {slave} 连接")),
    ("slave-gone", w("the slave at {slave} is gone: {why}", "从节点 {slave} 断开：{why}")),
    ("slave-reported", w("the slave at {slave} has the log up to {offset}", "从节点 {slave} 报告日志到 {offset}")),
    (
        "transfer-begun",
        w(
            "the slave at {slave} asks from {requested}, is sent the log from {from}",
            "从节点 {slave} 请求 {requested}，从 {from} 开始传输日志",
        ),
    ),
    ("transferred", w("sends @{at} len {size} to the slave at {slave}", "向从节点 {slave} 传输 @{at} 长 {size}")),
    ("master-connected", w("connected to its master at {master}", "已连接主节点 {master}")),
    (
        "master-gone",
        w("the connection to its master at {master} is gone: {why}", "与主节点 {master} 的连接断开：{why}"),
    ),
    ("replicated", w("takes @{at} len {size} from its master, page cache", "从主节点复制 @{at} 长 {size}，在页缓存")),
    (
        "replica-diverged",
        w(
            "OFFERED @{pushed} while its own log ends at {own}: closes",
            "主节点发来 @{pushed}，而自己的日志到 {own}：断开",
        ),
    ),
    ("synchronized", w("takes over {what} from its master: {file}", "从主节点同步 {what}：{file}")),
    ("synchronize-failed", w("could not take over {what} from its master: {why}", "从主节点同步 {what} 失败：{why}")),
    ("disk-full", w("DISK FULL at {percent} %, puts are refused", "磁盘已满，使用 {percent} %，拒绝写入")),
    ("disk-ok", w("disk at {percent} %, puts are taken again", "磁盘使用 {percent} %，恢复写入")),
    ("flushed", w("log durable from {from} to {to}", "日志 {from} 到 {to} 已落盘")),
    ("flush-failed", w("FLUSH FAILED from {from} to {to}", "刷盘失败 {from} 到 {to}")),
    (
        "queued",
        w(
            "queue {topic}/{queue_id} entry {queue_offset} -> @{at}",
            "队列 {topic}/{queue_id} 第 {queue_offset} 项 -> @{at}",
        ),
    ),
    (
        "delayed-delivered",
        w(
            "delay level {level} #{offset} is due: {topic}/{queue_id} @{at}",
            "延时级别 {level} 第 {offset} 条到期：{topic}/{queue_id} @{at}",
        ),
    ),
    ("delayed-skipped", w("DROPS delay level {level} #{offset}: {why}", "丢弃延时级别 {level} 第 {offset} 条：{why}")),
    (
        "delayed-refused",
        w(
            "delay level {level} #{offset} is due and refused, again in 10 s: {why}",
            "延时级别 {level} 第 {offset} 条到期但被拒绝，10 秒后重试：{why}",
        ),
    ),
    (
        "sent-back",
        w(
            "takes @{at} back from {group}: retry {times}, delay level {level}",
            "{group} 退回 @{at}：第 {times} 次重试，延时级别 {level}",
        ),
    ),
    (
        "dead-lettered",
        w(
            "{group} gives @{at} up after {times} tries: dead letter, delay level {level}",
            "{group} 尝试 {times} 次后放弃 @{at}：死信，延时级别 {level}",
        ),
    ),
    ("send-back-failed", w("could not give @{at} back to {broker}: {why}", "无法把 @{at} 退回 {broker}：{why}")),
    (
        "consume-delayed",
        w(
            "keeps {count} of {topic}/{queue_id}, consumes again in {millis} ms",
            "留下 {topic}/{queue_id} 的 {count} 条，{millis} 毫秒后再消费",
        ),
    ),
    (
        "consume-dropped",
        w(
            "{topic}/{queue_id} @{queue_offset} failed and is let go: a broadcast is not tried again",
            "{topic}/{queue_id} 的 @{queue_offset} 消费失败，丢弃：广播不重试",
        ),
    ),
    (
        "reset-sent",
        w(
            "tells {members} members of {group} to begin elsewhere in {topic}",
            "通知 {group} 的 {members} 个成员重置 {topic} 的位点",
        ),
    ),
    (
        "reset-begun",
        w(
            "{group} lets go of {queues} queues of {topic} and waits for 10 s",
            "{group} 放开 {topic} 的 {queues} 个队列，等待 10 秒",
        ),
    ),
    (
        "offset-reset",
        w(
            "{topic}/{queue_id} of {broker} will go on at {queue_offset}",
            "{broker} 的 {topic}/{queue_id} 将从 {queue_offset} 继续",
        ),
    ),
    (
        "offsets-saved",
        w(
            "{group} wrote the offsets of {queues} queues into its own file",
            "{group} 把 {queues} 个队列的位点写进本机文件",
        ),
    ),
    ("offsets-not-saved", w("{group} could not write its offset file: {why}", "{group} 写不了位点文件：{why}")),
    (
        "held",
        w(
            "holds a pull of {topic}/{queue_id} from {queue_offset}",
            "挂起对 {topic}/{queue_id} 的拉取，位点 {queue_offset}",
        ),
    ),
    ("hold-released", w("held pull of {topic}/{queue_id} goes on: {why}", "挂起的拉取 {topic}/{queue_id} 继续：{why}")),
    (
        "pulled",
        w(
            "answers a pull of {topic}/{queue_id} from {queue_offset}: {count} messages",
            "回答 {topic}/{queue_id} 从 {queue_offset} 的拉取：{count} 条",
        ),
    ),
    ("client-registered", w("{role} {client} joins {group}", "{role} {client} 加入 {group}")),
    ("client-dropped", w("{client} leaves {group}: {why}", "{client} 离开 {group}：{why}")),
    (
        "assigned",
        w(
            "owns {topic}/{queue_id} of {broker}, from {queue_offset}",
            "分得 {broker} 的 {topic}/{queue_id}，从 {queue_offset} 开始",
        ),
    ),
    ("revoked", w("gives up {topic}/{queue_id} of {broker}", "放弃 {broker} 的 {topic}/{queue_id}")),
    (
        "received",
        w(
            "received {count} of {topic}/{queue_id} from {queue_offset}",
            "收到 {topic}/{queue_id} 的 {count} 条，从 {queue_offset}",
        ),
    ),
    (
        "pull-delayed",
        w(
            "waits {millis} ms before it pulls {topic}/{queue_id}: {why}",
            "等 {millis} 毫秒再拉 {topic}/{queue_id}：{why}",
        ),
    ),
    (
        "flow-controlled",
        w(
            "has {found} {why} of {topic}/{queue_id} in hand, more than {most}: pulls again in {millis} ms",
            "{topic}/{queue_id} 手里有 {found} {why}，超过 {most}：{millis} 毫秒后再拉",
        ),
    ),
    (
        "limits-shared",
        w(
            "{group} shares its limits among {queues} queues: each {messages} messages, {mib} MiB",
            "{group} 把上限分给 {queues} 个队列：每个 {messages} 条消息、{mib} MiB",
        ),
    ),
    (
        "offset-committed",
        w(
            "notes {group} at {queue_offset} of {topic}/{queue_id}",
            "记下 {group} 在 {topic}/{queue_id} 的进度 {queue_offset}",
        ),
    ),
    (
        "transaction-end-sent",
        w("tells {broker}: half #{half} is {state}", "告知 {broker}：半消息 #{half} 的结果是 {state}"),
    ),
    ("transaction-ended", w("half #{half} ends with {state}", "半消息 #{half} 的结局：{state}")),
    (
        "half-checked",
        w(
            "half #{half} has no answer: look {times}, asks {client} of {group}",
            "半消息 #{half} 没有结果：第 {times} 次回查，询问 {group} 的 {client}",
        ),
    ),
    (
        "half-put-back",
        w(
            "half #{half} is left in peace, look {times}, put back as #{again}",
            "半消息 #{half} 尚在免检期，第 {times} 次查看，重写为 #{again}",
        ),
    ),
    ("half-discarded", w("GIVES UP half #{half}: {why}", "放弃半消息 #{half}：{why}")),
    (
        "check-round-ended",
        w(
            "check round: half {half_from} -> {half_to}, op {op_from} -> {op_to}",
            "回查一轮：half {half_from} -> {half_to}，op {op_from} -> {op_to}",
        ),
    ),
    ("check-round-failed", w("CHECK ROUND FAILED at half #{half}: {why}", "回查在半消息 #{half} 处异常：{why}")),
    (
        "lock-granted",
        w("leases {topic}/{queue_id} to {client} of {group}", "把 {topic}/{queue_id} 的锁给 {group} 的 {client}"),
    ),
    (
        "lock-refused",
        w(
            "{client} may not lock {topic}/{queue_id}: {holder} holds it",
            "{client} 锁不到 {topic}/{queue_id}：{holder} 持有",
        ),
    ),
    (
        "lock-expired",
        w(
            "the lease of {client} of {group} on {topic}/{queue_id} HAS ENDED",
            "{group} 的 {client} 对 {topic}/{queue_id} 的锁已过期",
        ),
    ),
    (
        "lock-released",
        w("{client} of {group} lets {topic}/{queue_id} go", "{group} 的 {client} 释放 {topic}/{queue_id} 的锁"),
    ),
    ("queue-locked", w("holds the lock of {topic}/{queue_id} at {broker}", "持有 {broker} 上 {topic}/{queue_id} 的锁")),
    (
        "queue-lock-lost",
        w("has no lock of {topic}/{queue_id} at {broker} any more", "不再持有 {broker} 上 {topic}/{queue_id} 的锁"),
    ),
    (
        "consume-awaits-lock",
        w(
            "does not consume {topic}/{queue_id}: {why}; asks for the lock in {millis} ms",
            "暂不消费 {topic}/{queue_id}：{why}；{millis} 毫秒后申请锁",
        ),
    ),
    (
        "suspended",
        w(
            "suspends {topic}/{queue_id} at {queue_offset} for {millis} ms: nothing behind it is consumed",
            "{topic}/{queue_id} 在 {queue_offset} 处暂停 {millis} 毫秒：其后的消息都不消费",
        ),
    ),
    (
        "consume-yielded",
        w(
            "consumed {topic}/{queue_id} for a minute, lets its thread go for {millis} ms",
            "连续消费 {topic}/{queue_id} 已一分钟，让出线程 {millis} 毫秒",
        ),
    ),
    (
        "unlock-delayed",
        w(
            "keeps the lock of {topic}/{queue_id} at {broker} for {millis} ms: messages are cached",
            "{broker} 上 {topic}/{queue_id} 的锁再保留 {millis} 毫秒：还有缓存的消息",
        ),
    ),
    (
        "still-consuming",
        w(
            "cannot unlock {topic}/{queue_id} at {broker}: its listener is busy",
            "无法释放 {broker} 上 {topic}/{queue_id} 的锁：监听器还在处理",
        ),
    ),
    (
        "offset-fixed",
        w(
            "locked {topic}/{queue_id} for the first time: pulls from {queue_offset}, not {planned}",
            "首次锁定 {topic}/{queue_id}：从 {queue_offset} 拉取，而不是 {planned}",
        ),
    ),
    (
        "group-updated",
        w(
            "sets group {group}: consumes {consume}, retries {retries}, was known {known}",
            "设置消费组 {group}：允许消费 {consume}，重试 {retries} 次，此前已知 {known}",
        ),
    ),
    (
        "group-deleted",
        w(
            "deletes group {group} (known {known}); its offsets stay",
            "删除消费组 {group}（已知 {known}）；它的位点还在",
        ),
    ),
    ("group-created", w("makes group {group}", "创建消费组 {group}")),
    ("filter-registered", w("filter of {group} on {topic}: {why}", "{group} 在 {topic} 上的过滤条件：{why}")),
    (
        "filter-refused",
        w("CANNOT COMPILE the filter of {group} on {topic}: {why}", "{group} 在 {topic} 上的过滤条件无法编译：{why}"),
    ),
    (
        "filtered-out",
        w(
            "passes over {count} of {topic}/{queue_id} that {group} does not want",
            "跳过 {topic}/{queue_id} 中 {group} 不要的 {count} 条",
        ),
    ),
    (
        "tags-separated",
        w(
            "drops {count} of {topic}/{queue_id}: the hash of a tag it wants, another tag",
            "丢弃 {topic}/{queue_id} 中的 {count} 条：哈希与所订阅的标签相同，标签却不同",
        ),
    ),
    (
        "start-threw",
        w(
            "start() of {group} THROWS, the client runs on: {text}",
            "{group} 的 start() 抛出异常，客户端仍在运行：{text}",
        ),
    ),
    (
        "config-unreadable",
        w("cannot read {file}, takes {instead} instead: {why}", "无法读取 {file}，改用 {instead}：{why}"),
    ),
    ("config-failed", w("could not write {file}: {why}", "写入 {file} 失败：{why}")),
    ("call-send", w("send {message}", "发送 {message}")),
    ("sent-result", w("{status} {message}: {queue} #{offset}", "{status} {message}：{queue} #{offset}")),
    (
        "failed",
        w(
            "send of {message} FAILED after {attempts} attempts: {kind}: {text}",
            "发送 {message} 失败，尝试 {attempts} 次：{kind}: {text}",
        ),
    ),
    ("call-send-by", w("sends {message} {mode}{to}", "以 {mode} 方式发送 {message}{to}")),
    (
        "call-send-batch",
        w("sends {count} messages at once, the first is {message}", "一次发送 {count} 条消息，第一条是 {message}"),
    ),
    ("call-admin", w("mqadmin {what}", "mqadmin {what}")),
    ("administered", w("is told: {what}", "得到答复：{what}")),
    ("call-pull", w("calls {what}", "调用 {what}")),
    ("call-steer", w("calls {what}", "调用 {what}")),
    ("told", w("is told {what}", "得知 {what}")),
    ("pull-result", w("is given {what}", "拉到 {what}")),
    ("queues-changed", w("its queues of {topic} are now: {mine}", "它在 {topic} 的队列变为：{mine}")),
    ("call-transaction", w("sends {message} in a transaction", "在事务中发送 {message}")),
    (
        "execute-local",
        w("half {message} is stored, its local transaction runs", "半消息 {message} 已写入，执行本地事务"),
    ),
    ("check-local", w("is asked how {message} ended", "被询问 {message} 的结局")),
    ("select", w("its selector is asked for the queue of {message}", "询问选择器：{message} 发往哪个队列")),
    ("selected", w("selector answers {queue}", "选择器回答 {queue}")),
    ("decided", w("transaction listener answers {outcome}", "事务监听器回答 {outcome}")),
    ("noted", w("writes {key}: {value} into its ledger", "在自己的账本记下 {key}：{value}")),
    (
        "sent-in-transaction",
        w("{status} half {message} #{offset}, {state}", "{status} 半消息 {message} #{offset}，{state}"),
    ),
    ("listen", w("listener gets {messages}", "监听器收到 {messages}")),
    ("listened", w("listener answers {outcome}", "监听器回答 {outcome}")),
    ("info", w("died with a send open: nobody knows how it ended", "带着未完成的发送死去，结果未知")),
];

/// What is too small for an account of the whole.
const SMALL: &[(&str, Words)] = &[
    ("opening", w("opens a connection to {to}", "向 {to} 建立连接")),
    ("opened", w("connection {link} is open", "连接 {link} 已建立")),
    ("closed", w("connection {link} ends: {why}", "连接 {link} 结束：{why}")),
    ("sent", w("sends {label} to {to}", "向 {to} 发送 {label}")),
    ("arrived", w("gets {label} from {from}", "收到 {from} 的 {label}")),
    ("road-held", w("a frame of connection {link} waits behind a fault", "连接 {link} 上有一帧被故障挡住")),
    ("dropped", w("a frame is lost with connection {link}: {why}", "一帧随连接 {link} 丢失：{why}")),
    ("drained", w("the buffer of connection {link} has room again", "连接 {link} 的缓冲区又有空间")),
    ("armed", w("sets its timer {timer}", "设置定时器 {timer}")),
    ("disarmed", w("takes its timer {timer} back", "取消定时器 {timer}")),
    ("fired", w("its timer {timer} fires", "定时器 {timer} 到期")),
    ("stored", w("writes {len} bytes into {file} at {offset}", "向 {file} 的 {offset} 处写入 {len} 字节")),
    ("named", w("{what} {file}", "{what} {file}")),
    ("flush-asked", w("asks for {file} to be forced from {from} to {to}", "请求把 {file} 的 {from} 至 {to} 刷盘")),
    ("flush-done", w("what ticket {ticket} asked for is durable", "第 {ticket} 号刷盘请求已完成")),
    ("flush-error", w("what ticket {ticket} asked for failed: {error}", "第 {ticket} 号刷盘请求失败：{error}")),
    ("image", w("its disk is looked at: {files} files", "查看它的磁盘：{files} 个文件")),
    ("call-create-topic", w("creates topic {topic} with {queues} queues", "创建主题 {topic}，{queues} 个队列")),
    ("done", w("is answered", "得到答复")),
    ("rolled", w("the dice of {stream} show {got} of {of}", "{stream} 的骰子：{of} 中取 {got}")),
    ("started", w("is ready", "就绪")),
    (
        "queue-recovered",
        w("queue {topic}/{queue_id} holds {min} to {max}", "队列 {topic}/{queue_id} 的范围是 {min} 至 {max}"),
    ),
    ("route-answered", w("answers for {topic}: {brokers} brokers", "答复 {topic} 的路由：{brokers} 个 Broker")),
    ("registration-answered", w("{nameserver} has taken its registration in", "{nameserver} 接受了它的注册")),
    ("send-accepted", w("takes a message for {topic}/{queue_id} in", "接受发往 {topic}/{queue_id} 的消息")),
    (
        "dispatch-stopped",
        w("stays in front of the record at {at}, which cannot be read", "停在 {at} 处无法读取的记录之前"),
    ),
    ("dispatched", w("has followed the log over {at}, {size} bytes", "日志分发越过 {at}，{size} 字节")),
    (
        "checkpoint-written",
        w("writes its checkpoint: log {physic}, queues {logics}", "写检查点：日志 {physic}，队列 {logics}"),
    ),
    ("config-staged", w("writes {file} beside the old one", "在旧文件旁写入新的 {file}")),
    ("config-persisted", w("has written {file}", "写完 {file}")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_fill_the_same_fields() {
        let fields = |text: &str| {
            let mut names: Vec<String> =
                text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or("").to_owned()).collect();
            names.sort();
            names
        };
        for (kind, words) in TOLD.iter().chain(&[("failed", CALL_FAILED)]) {
            assert_eq!(fields(words.en), fields(words.zh), "{kind}");
        }
    }
}
