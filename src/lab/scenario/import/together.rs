//! What several brokers' files say together: names, numbers, addresses and folders that do not go with each other.

use super::{File, Finding};

/// What is wrong between files.
pub(super) fn findings(files: &[File<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, file) in files.iter().enumerate() {
        findings.extend(master(file, files));
        for earlier in &files[..number] {
            findings.extend(twins(file, earlier));
            findings.extend(neighbours(file, earlier));
        }
        findings.extend(files.first().filter(|_| 0 < number).and_then(|first| registries(file, first)));
    }
    findings
}

/// A slave and its master, a master that waits and its slaves.
fn master(file: &File<'_>, files: &[File<'_>]) -> Option<Finding> {
    let name = file.broker_name();
    let others = || files.iter().filter(|other| other.broker_name() == name);
    if !file.is_slave() {
        let waits = file.value("brokerRole", "ASYNC_MASTER") == "SYNC_MASTER";
        return (waits && !others().any(File::is_slave)).then(|| {
            file.finds(
                "brokerRole",
                format!("{name} has no slave here: every send that waits is answered SLAVE_NOT_AVAILABLE"),
                format!("{name} 在这里没有从节点：所有等待的发送都会得到 SLAVE_NOT_AVAILABLE"),
            )
        });
    }
    let Some(master) = others().find(|other| !other.is_slave()) else {
        return Some(file.finds(
            "brokerName",
            format!("no master is called {name}: it registers, nobody objects, and it replicates nothing"),
            format!("没有名为 {name} 的主节点：它照样注册，没有人报错，但什么也不复制"),
        ));
    };
    for (key, default) in [("brokerClusterName", "DefaultCluster"), ("mapedFileSizeCommitLog", "1073741824")] {
        let (own, its) = (file.value(key, default), master.value(key, default));
        if own == its {
            continue;
        }
        let (en, zh) = match key {
            "brokerClusterName" => (
                format!("{own} is not the cluster of its master ({its}): it is listed apart from it"),
                format!("{own} 与主节点的集群（{its}）不同：两者会被列在不同集群"),
            ),
            _ => (
                format!("its master's files have {its} bytes: the logs do not lie over each other, and copying stops"),
                format!("主节点的文件是 {its} 字节：两边的日志对不上，复制会停止"),
            ),
        };
        return Some(file.finds(key, en, zh));
    }
    None
}

/// Two files of one name and number.
fn twins(file: &File<'_>, earlier: &File<'_>) -> Option<Finding> {
    let id = |file: &File<'_>| if file.is_slave() { file.number("brokerId", 0) } else { 0 };
    if file.broker_name() != earlier.broker_name() || id(file) != id(earlier) {
        return None;
    }
    let (name, id, other) = (file.broker_name(), id(file), earlier.name);
    Some(file.finds(
        if id == 0 { "brokerName" } else { "brokerId" },
        format!("{other} is {name} {id}, too: whoever registers last is the one that clients see"),
        format!("{other} 也是 {name} 的 {id} 号：后注册的会顶替前一个"),
    ))
}

/// Two brokers of one machine that want the same port or folder.
fn neighbours(file: &File<'_>, earlier: &File<'_>) -> Vec<Finding> {
    let (ip, other) = (file.value("brokerIP1", ""), earlier.value("brokerIP1", ""));
    if ip.is_empty() || ip != other {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let (own, its) = (ports(file), ports(earlier));
    if let Some((port, what)) = own.iter().find(|(port, _)| its.iter().any(|(other, _)| other == port)) {
        findings.push(file.finds(
            "listenPort",
            format!("{} on {ip} takes {port}, too ({what} here): the later one cannot listen", earlier.name),
            format!("{ip} 上的 {} 也用端口 {port}（这里是 {what}）：后启动的无法监听", earlier.name),
        ));
    }
    for (key, default) in [("storePathRootDir", "$HOME/store"), ("storePathCommitLog", "$HOME/store/commitlog")] {
        let folder = file.value(key, default);
        if folder != earlier.value(key, default) {
            continue;
        }
        let (en, zh) = match key {
            "storePathRootDir" => (
                format!("{} on {ip} has the same folder: Lock failed,MQ already started", earlier.name),
                format!("{ip} 上的 {} 用同一目录：Lock failed,MQ already started", earlier.name),
            ),
            _ => (
                format!(
                    "{} on {ip} writes into the same files, and no lock is there: both logs are lost",
                    earlier.name
                ),
                format!("{ip} 上的 {} 写同一批文件，且这里没有锁：两份日志都会损坏", earlier.name),
            ),
        };
        findings.push(file.finds(key, en, zh));
        break;
    }
    findings
}

/// What a broker listens on. Source: `BrokerStartup.createBrokerController`, `BrokerController.initialize`.
fn ports(file: &File<'_>) -> [(i64, &'static str); 3] {
    let port = file.number("listenPort", 10_911);
    [(port, "listenPort"), (port - 2, "listenPort - 2"), (port + 1, "haListenPort")]
}

/// Brokers that register in different places.
fn registries(file: &File<'_>, first: &File<'_>) -> Option<Finding> {
    let list = |file: &File<'_>| {
        let mut all: Vec<String> = file.value("namesrvAddr", "").split(';').map(|one| one.trim().to_owned()).collect();
        all.sort();
        all
    };
    let (own, its) = (list(file), list(first));
    (own != its).then(|| {
        file.finds(
            "namesrvAddr",
            format!(
                "{} registers at {}: clients of one nameserver do not see the other broker",
                first.name,
                its.join(";")
            ),
            format!("{} 注册到 {}：只连其中一个 NameServer 的客户端看不到另一个 Broker", first.name, its.join(";")),
        )
    })
}
