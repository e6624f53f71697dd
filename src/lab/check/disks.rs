//! The storage guarantees of a run: its disk images, taken at deaths and at the end, under the checkers of
//! [`storage`](crate::lab::check::storage).

use std::collections::BTreeMap;

use crate::lab::check::history::{DiskSeen, History, Image};
use crate::lab::check::logs::{Log, Logs};
use crate::lab::check::replicas::{self, Pair};
use crate::lab::check::storage::{self, Breach, Crash, LogEnd, Seen, Verified};
use crate::lab::check::{Guarantee, Judged};
use crate::lab::locale::Phrase;
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::{BrokerPlan, NodeKind, Plan};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{DiskEvent, NodeId, Seq, What};
use crate::mq::time::{Span, Time};

/// G60: every log at the end is well-formed.
pub(super) fn log_well_formed(history: &History) -> Judged {
    let records = records(history);
    let (en, zh) = (format!("{records} records, whole and in order"), format!("{records} 条记录完整且有序"));
    at_the_end(history, 60, (en, zh))
}

/// G61: every queue at the end agrees with its log.
pub(super) fn store_consistent(history: &History) -> Judged {
    let queues = history.stores().flat_map(|broker| broker.store.queues.values());
    let units: usize = queues.map(Vec::len).sum();
    let en = format!("{units} queue entries lead to their records");
    at_the_end(history, 61, (en, format!("{units} 个队列项都指向各自的记录")))
}

/// G62: every key of every log at the end is found through the index.
pub(super) fn index_recall(history: &History) -> Judged {
    let records = records(history);
    let (en, zh) = (format!("every key of {records} records is found"), format!("{records} 条记录的每个键都能找到"));
    at_the_end(history, 62, (en, zh))
}

fn records(history: &History) -> usize {
    history.stores().map(|broker| broker.store.records.len()).sum()
}

/// What of the one look at the final disks is about a guarantee.
fn at_the_end(history: &History, guarantee: u8, (en, zh): (String, String)) -> Judged {
    let mut found = Found::default();
    for (seq, verified) in history.verified.get_or_init(|| look(history)) {
        let own = verified.breaches.iter().filter(|breach| breach.guarantee.0 == guarantee);
        found.add(*seq, own.cloned().collect());
    }
    found.judge(history, en, zh)
}

/// Each broker's disk at the end, looked at whole. Where a store is well, another that holds the same is, too.
fn look(history: &History) -> Vec<(Seq, Verified)> {
    let last = |node: NodeId| history.disks.iter().rfind(|disk| disk.node == node);
    let disks = history.stores().filter(|broker| !history.is_off(broker.node)).filter_map(|broker| last(broker.node));
    let mut looked_at: Vec<Looked<'_>> = Vec::new();
    for disk in disks {
        let known = (log_end(history, disk), dispatched(history, disk));
        let is_twin = |other: &&Looked<'_>| other.is_well_and_the_same(disk, known);
        let verified = match looked_at.iter().find(is_twin) {
            Some(twin) => twin.verified.clone(),
            None => {
                let (cached, (end, dispatched_to)) = (Image(&disk.cached), known);
                storage::verify(Seen { end, dispatched_to, ..Seen::of(&cached) }, &mut |_| {})
            }
        };
        looked_at.push(Looked { disk, known, verified });
    }
    looked_at.into_iter().map(|looked| (looked.disk.seq, looked.verified)).collect()
}

/// A disk that was looked at, and what was known of it besides.
struct Looked<'a> {
    disk: &'a DiskSeen,
    known: (LogEnd, Option<u64>),
    verified: Verified,
}

impl Looked<'_> {
    fn is_well_and_the_same(&self, other: &DiskSeen, known: (LogEnd, Option<u64>)) -> bool {
        // An index file is named after the moment in which its broker began it, which is another for a slave.
        let index = self.disk.cached.written("index").map(|(_, file)| file);
        self.verified.breaches.is_empty()
            && self.known == known
            && self.disk.cached.agrees(&other.cached, &["commitlog", "consumequeue", "consumequeue_ext"])
            && index.eq(other.cached.written("index").map(|(_, file)| file))
    }
}

/// Nothing was cut where no process died, and no clock was set where none was; with a topic that is deleted its queues' numbers
/// begin anew.
fn log_end(history: &History, disk: &DiskSeen) -> LogEnd {
    // What happened to a master happened to the log that its slave takes from it.
    let master = history.slaves.iter().find(|(_, slave)| slave.node == disk.node).and_then(|(master, _)| *master);
    let is_own = |node: &NodeId| *node == disk.node || Some(*node) == master;
    let blows = history.power_losses.iter().chain(&history.deaths).any(|(node, ..)| is_own(node));
    let is_anew = !history.deletions.is_empty();
    if blows || is_anew || history.clock_steps.iter().any(|(node, _)| is_own(node)) {
        LogEnd::MayBeCut
    } else {
        LogEnd::NeverCut
    }
}

/// A broker that is up has followed its log, except for what has just come.
fn dispatched(history: &History, disk: &DiskSeen) -> Option<u64> {
    // A slave that has just come back first takes what it missed, which was stored long ago.
    let is_slave = history.slaves.iter().any(|(_, slave)| slave.node == disk.node);
    // A slave is sent what its master has forced, and forces it once more.
    let forces = history.waits_for_force.unwrap_or_default();
    let follows = FOLLOWS + forces + if is_slave { forces } else { Span::ZERO };
    let takes = if is_slave { CATCHES_UP } else { Span::ZERO } + follows;
    let is_up = history.up_since.get(&disk.node).is_some_and(|since| *since + takes < history.end);
    let broker = history.stores().find(|broker| broker.node == disk.node)?;
    let settled = |stored: i64| stored.saturating_add(follows.as_millis() as i64) < disk.wall;
    let waits = |record: &LogRecord| history.waits_for_force.is_some() && !is_stable(disk, record);
    let last = broker.store.records.iter().rev().find(|record| settled(record.stored) && !waits(record))?;
    // A broker that was told that its sync failed forces nothing more, and hands out nothing that waits for that (K01, K04).
    let since = history.up_since.get(&disk.node).copied().unwrap_or(Time::ZERO);
    let stands_still = history.waits_for_force.is_some() && history.sick.moments(disk.node).any(|at| since <= at);
    (is_up && !stands_still).then_some(last.at + u64::from(last.size))
}

/// Whether a record of the log is on the medium as it is in the page cache.
fn is_stable(disk: &DiskSeen, record: &LogRecord) -> bool {
    let name = |at: u64| format!("commitlog/{at:020}");
    let all = "commitlog/".to_owned()..=name(record.at);
    let Some((path, cached)) = disk.cached.files.range(all).next_back() else { return false };
    let start: u64 = path.rsplit('/').next().and_then(|start| start.parse().ok()).unwrap_or_default();
    let own = record.at - start..record.at - start + u64::from(record.size);
    disk.stable.files.get(path).is_some_and(|stable| stable.read(own.clone()) == cached.read(own))
}

fn loses_tails(history: &History, master: Option<NodeId>) -> bool {
    let powerless = history.power_losses.iter().any(|(node, ..)| Some(*node) == master);
    powerless || master.is_some_and(|master| history.sick.is_sick(master, history.end))
}

fn is_sick(history: &History, disk: &DiskSeen) -> bool {
    history.sick.is_sick(disk.node, disk.at)
}

/// How far flushes had answered for a log when its machine lost power. An image that is taken then shows what is left: more
/// than that by luck, and of its last record perhaps a part only, which a recovery may take for torn.
fn forced(history: &History, trace: &Trace) -> BTreeMap<Seq, u64> {
    let mut forced = BTreeMap::new();
    if history.power_losses.is_empty() {
        return forced;
    }
    let mut logs = Logs::default();
    for record in trace.records() {
        logs.see(record);
        if matches!(record.what, What::Disk(DiskEvent::Image { .. })) {
            let log = record.node.and_then(|node| logs.of(node));
            forced.insert(record.seq, log.map_or(0, Log::stable_to));
        }
    }
    forced
}

/// G63: what was stable when a broker's process or machine died is there at its next death, and at the end.
pub(super) fn keeps_stable(history: &History, trace: &Trace) -> Judged {
    let (mut found, forced) = (Found::default(), forced(history, trace));
    let is_by_power =
        |disk: &DiskSeen| history.power_losses.iter().any(|(node, _, at)| *node == disk.node && *at == disk.at);
    let mut deaths = 0;
    // A slave whose master lost its tail is cut to agree with it.
    let cut =
        |node: NodeId| history.slaves.iter().any(|(master, own)| own.node == node && loses_tails(history, *master));
    for broker in history.stores().filter(|broker| !cut(broker.node)) {
        let own: Vec<&DiskSeen> =
            history.disks.iter().filter(|disk| disk.node == broker.node && !is_sick(history, disk)).collect();
        for pair in own.windows(2) {
            deaths += 1;
            let (cached, stable, later) = (Image(&pair[0].cached), Image(&pair[0].stable), Image(&pair[1].cached));
            let end = forced
                .get(&pair[0].seq)
                .filter(|_| is_by_power(pair[0]))
                .map_or(LogEnd::MayBeCut, |to| LogEnd::At(*to));
            let crash = Crash { cached: Seen { end, ..Seen::of(&cached) }, stable: &stable };
            found.add(pair[1].seq, storage::keeps_stable(crash, Seen::of(&later)));
        }
    }
    if deaths == 0 {
        return Judged::inconclusive("no broker died", "没有 Broker 停止过");
    }
    found.judge(
        history,
        format!("{deaths} deaths lost nothing that was stable"),
        format!("{deaths} 次停止没有丢失已落盘的内容"),
    )
}

/// G64: at every death and at the end the stable checkpoint was not ahead of what is stable.
pub(super) fn checkpoint_safe(history: &History) -> Judged {
    let mut found = Found::default();
    let mut images = 0;
    let is_store = |disk: &&DiskSeen| history.stores().any(|broker| broker.node == disk.node);
    for disk in history.disks.iter().filter(|disk| is_store(disk) && !is_sick(history, disk)) {
        images += 1;
        found.add(disk.seq, storage::checkpoint_is_safe(Seen::of(&Image(&disk.stable))));
    }
    found.judge(history, format!("{images} checkpoints were not ahead"), format!("{images} 个检查点都没有超前"))
}

/// G65: every slave's log is a part of its master's, whenever it has had the time to be, and at the end.
///
/// At the end a pair is not judged whose master has died if nobody could have mended yet what came of that.
pub(super) fn replica_prefix(history: &History, trace: &Trace, plan: &Plan) -> Judged {
    let mut found = Found::default();
    let seen = replicas::follow(trace, plan, pairs(trace, plan));
    let forced = forced(history, trace);
    let last = |node: NodeId| history.disks.iter().rfind(|disk| disk.node == node);
    let (mut judged, mut settled, mut lost) = (0, 0, false);
    for seen in seen.iter().filter(|seen| !seen.is_spoilt) {
        let Pair { master, slave, .. } = seen.pair;
        let before = found.breaches.len();
        if let Some((clause, seq, at)) = seen.wrong {
            found.add(seq, vec![while_running(clause, trace.name(slave), at)]);
        }
        let ends = last(master).zip(last(slave));
        // Logs that are the same to the last byte end at the same place, unless a power loss says where.
        let is_same = |(theirs, ours): &(&DiskSeen, &DiskSeen)| {
            !history.is_off(slave) && theirs.cached.agrees(&ours.cached, &["commitlog"])
        };
        if let Some((theirs, ours)) = ends.filter(|ends| !is_same(ends)) {
            let (theirs, own) = (Image(&theirs.cached), Image(&ours.cached));
            let end = forced.get(&ours.seq).filter(|_| history.is_off(slave));
            let own = Seen { end: end.map_or(LogEnd::MayBeCut, |to| LogEnd::At(*to)), ..Seen::of(&own) };
            if !seen.is_excused(storage::log_end(own)) {
                found.add(ours.seq, storage::replica_is_prefix(Seen::of(&theirs), own));
            }
        }
        judged += 1;
        settled += seen.settled;
        let is_its = |(node, ..): &(NodeId, Seq, Time)| *node == master;
        let died = history.power_losses.iter().chain(&history.deaths).any(is_its);
        lost |= before < found.breaches.len() && died;
    }
    if judged == 0 {
        return Judged::inconclusive("no broker has a slave", "没有带从节点的 Broker");
    }
    let judged = found.judge(
        history,
        format!("{judged} slaves hold what their masters hold, looked at {settled} times"),
        format!("{judged} 个从节点与主节点一致，共检查 {settled} 次"),
    );
    // A master that lost its tail begins another one; nobody compares them.
    if lost && !plan.profile.fix_k02 { judged.known(DIVERGED_TAIL) } else { judged }
}

/// K02: the log of a slave that is longer than its master's is never reconciled with it.
const DIVERGED_TAIL: u8 = 2;

fn while_running(clause: &'static str, slave: &str, at: u64) -> Breach {
    let (en, zh) = match clause {
        "ahead" => ("reaches further than its master's, which ends there", "比主节点的更长，主节点的到此为止"),
        _ => ("has older bytes there than its master's", "在此处的字节比主节点的更旧"),
    };
    let sentence = Phrase {
        en: format!("while it was connected, the log of {slave} {en}"),
        zh: format!("在连接期间，{slave} 的日志{zh}"),
    };
    Breach { guarantee: Guarantee(65), clause, file: "commitlog".to_owned(), offset: at, sentence }
}

/// Masters with their slaves.
fn pairs(trace: &Trace, plan: &Plan) -> impl Iterator<Item = Pair> {
    let brokers = || {
        plan.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Broker(broker) => Some((trace.node(&node.name)?, broker)),
            _ => None,
        })
    };
    let masters = brokers().filter(|(_, broker)| broker.broker_id == 0);
    masters.flat_map(move |(master, own)| {
        let slaves = brokers().filter(move |(_, other)| is_slave_of(own, other));
        slaves.map(move |(slave, _)| Pair { master, slave, file_size: own.commit_log_file_size })
    })
}

fn is_slave_of(master: &BrokerPlan, other: &BrokerPlan) -> bool {
    other.broker_id != 0 && other.broker_name == master.broker_name && other.cluster == master.cluster
}

/// Breaches with the records that hold their images.
#[derive(Default)]
struct Found {
    breaches: Vec<Breach>,
    witness: Vec<Seq>,
}

impl Found {
    fn add(&mut self, seq: Seq, breaches: Vec<Breach>) {
        if !breaches.is_empty() {
            self.witness.push(seq);
        }
        self.breaches.extend(breaches);
    }

    fn judge(self, history: &History, en: String, zh: String) -> Judged {
        if history.stores().next().is_none() {
            return Judged::inconclusive("no broker has a disk", "没有 Broker 磁盘");
        }
        let Some(first) = self.breaches.first() else { return Judged::pass(en, zh) };
        let (count, file, offset) = (self.breaches.len(), &first.file, first.offset);
        Judged::violation(
            first.clause,
            self.witness,
            format!("{count} places, first {file} at {offset}: {}", first.sentence.en),
            format!("共 {count} 处，首先是 {file} 的 {offset}：{}", first.sentence.zh),
        )
    }
}

/// How long a slave may take to find its master and to take what it missed.
const CATCHES_UP: Span = Span::from_secs(60);
/// How long dispatch may take: a thousand of its rounds.
const FOLLOWS: Span = Span::from_millis(1_000);
