//! What a fault does, as a trace shows it when it begins, in Chinese. Names of nodes, files and settings stay as they are.

use crate::lab::locale::Lang;

/// What a fault does, as `kill broker-a`, in a language.
pub fn fault(text: &str, lang: Lang) -> String {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let known = VERBS.iter().find(|(own, _)| *own == verb);
    let Some((_, zh)) = known.filter(|_| lang == Lang::Zh) else { return text.to_owned() };
    let parts = match verb {
        "partition" => SIDES,
        "pause" => SERVICES,
        "slow-cpu" => TASKS,
        "flap" => CYCLES,
        _ => DETAILS,
    };
    // A phrase ends where a word does: `by` is none in `bystander`.
    let mut said = format!("{rest} ");
    for (own, zh) in parts.iter().chain(WAYS) {
        said = said.replace(own, zh);
    }
    match said.trim() {
        "" => (*zh).to_owned(),
        said => format!("{zh} {said}"),
    }
}

/// Every verb of a fault.
const VERBS: &[(&str, &str)] = &[
    ("kill", "杀进程"),
    ("power-loss", "断电"),
    ("restart", "重启"),
    ("stop", "正常停止"),
    ("pause", "暂停"),
    ("resume", "恢复运行"),
    ("cut", "切断网络"),
    ("heal", "恢复网络"),
    ("reset", "重置连接"),
    ("resets", "反复重置连接"),
    ("delay", "网络延迟"),
    ("latency", "随机延迟"),
    ("bandwidth", "限制带宽"),
    ("stall", "丢包重传"),
    ("datagram", "帧丢失、重复、乱序"),
    ("half-open", "半开连接"),
    ("clog", "发送堵塞"),
    ("refuse-connect", "拒绝连接"),
    ("full-table", "连接数已满"),
    ("port-exhaustion", "端口耗尽"),
    ("slow-accept", "接受连接变慢"),
    ("partition", "网络分区"),
    ("flap", "网络抖动"),
    ("swizzle", "逐个断网再乱序恢复"),
    ("split-view", "隐藏 Broker"),
    ("end", "结束故障"),
    ("slow-cpu", "处理变慢"),
    ("crash", "内存溢出崩溃"),
    ("rack-loss", "机架断电"),
    ("replace", "换上空机器"),
    ("restore", "恢复旧快照"),
    ("swap-disks", "对调磁盘"),
    ("twin", "同名的第二个进程"),
    ("reconfigure", "改配置后重启"),
    ("rolling-restart", "滚动重启"),
    ("clock-step", "时钟跳变"),
    ("clock-offset", "时钟偏差"),
    ("clock-drift", "时钟漂移"),
    ("clock-freeze", "时钟冻结"),
    ("clock-coarse", "时钟变粗"),
    ("clock-diverge", "时钟背离"),
    ("disk-full", "磁盘写满"),
    ("io-error", "读写报错"),
    ("map-error", "映射失败"),
    ("sync-error", "刷盘报错"),
    ("slow-sync", "刷盘变慢"),
    ("slow-disk", "磁盘变慢"),
    ("hung-disk", "磁盘挂起"),
    ("bit-flip", "磁盘位翻转"),
    ("read-flip", "读取位翻转"),
    ("misdirected", "页写错位置"),
    ("lost-write", "丢失写入"),
    ("bad-sector", "坏扇区"),
    ("truncate", "文件截短"),
    ("stale-page", "页回到旧内容"),
    ("refuse", "拒绝操作"),
];

/// What stands behind a verb's target; where one begins like another, the longer one first.
const DETAILS: &[(&str, &str)] = &[
    (" on average, exponential ", "（平均），指数分布 "),
    (" on average, lognormal ", "（平均），对数正态分布 "),
    (" on average, bimodal ", "（平均），双峰分布 "),
    (" on average, pareto ", "（平均），帕累托分布 "),
    (" on average ", "（平均） "),
    (", tried again after ", "，重试间隔 "),
    (", buffer ", "，缓冲 "),
    (" (not reachable over TCP) ", "（TCP 上不会发生） "),
    (": room for ", "：上限 "),
    (" ports ", " 个端口 "),
    (" down ", " 停机 "),
    (" every ", " 每隔 "),
    (" times ", " 倍 "),
    (" effects ", " 个动作 "),
    (" after ", " 之后 "),
    (" within ", " 在此期间内 "),
    (" old ", " 之前 "),
    (" millionths ", " ppm "),
    (" by ", " "),
    (" for ", " "),
    (" from ", "，看不到它的是 "),
    (" in ", " / "),
    (" to ", " 至 "),
    (": ", "："),
    (", ", "，"),
];

/// How often a road goes down and up.
const CYCLES: &[(&str, &str)] = &[(" times ", " 次，每次 "), (" down, ", " 断开、"), (" up ", " 连通 "), (": ", "：")];

/// How a network is divided.
const SIDES: &[(&str, &str)] = &[
    ("isolate ", "孤立 "),
    ("halves ", "随机两半 "),
    ("bridge ", "只留桥接 "),
    ("ring ", "环形 "),
    (" | others ", " | 其余 "),
    ("clients ", "客户端 "),
    ("brokers ", "Broker "),
    ("nameservers ", "NameServer "),
];

/// Which part of a process is paused.
const SERVICES: &[(&str, &str)] = &[
    (" flush ", " 刷盘服务 "),
    (" dispatch ", " 分发服务 "),
    (" ha ", " 主从复制服务 "),
    (" schedule ", " 延时消息服务 "),
    (" rebalance ", " 重平衡服务 "),
    (" heartbeat ", " 心跳服务 "),
    (" listener-pool ", " 消费线程池 "),
];

/// Which of a process's threads are slow.
const TASKS: &[(&str, &str)] = &[
    (" send: ", " 的发送线程："),
    (" pull: ", " 的拉取线程："),
    (" admin: ", " 的管理线程："),
    (" route: ", " 的路由线程："),
    (" times ", " 倍 "),
    (": ", "："),
];

/// What may stand behind any of them.
const WAYS: &[(&str, &str)] = &[(", one way ", "，单向 ")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faults_verb_is_spoken_and_its_names_stay() {
        assert_eq!(fault("delay ns-1 -> broker-a by 5s", Lang::Zh), "网络延迟 ns-1 -> broker-a 5s");
        assert_eq!(fault("kill broker-a", Lang::En), "kill broker-a");
        assert_eq!(fault("melt broker-a", Lang::Zh), "melt broker-a");
    }

    #[test]
    fn what_stands_behind_a_target_is_spoken_too() {
        let zh = |text| fault(text, Lang::Zh);
        assert_eq!(zh("partition isolate broker-a, one way"), "网络分区 孤立 broker-a，单向");
        assert_eq!(zh("pause broker-a ha"), "暂停 broker-a 主从复制服务");
        assert_eq!(
            zh("latency shop <-> *: 200us to 30ms on average, exponential"),
            "随机延迟 shop <-> *：200us 至 30ms（平均），指数分布"
        );
        // Names that hold a word of the language, and settings, stay whole.
        assert_eq!(zh("kill to-by-in"), "杀进程 to-by-in");
        assert_eq!(zh("reconfigure broker-a a=b,c"), "改配置后重启 broker-a a=b,c");
    }
}
