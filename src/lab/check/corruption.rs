//! G66: corruption is not a crash. A recovery may drop a torn tail; what flushes had answered for it may not drop in silence.
//!
//! Looked at are bits that changed by themselves in a master's log, at places that were durable. When the broker boots over
//! one, it has to say so, by not booting above all; a log that then ends at the place, or is written anew from there, was cut.
//! A slave may cut its log: it takes the range from its master again. Nor can damage be told from a torn tail where the power
//! went before the boot, and with it what else the store knew of the range.

use std::collections::BTreeSet;

use crate::lab::check::Judged;
use crate::lab::check::history::{History, Image};
use crate::lab::check::logs::{Logs, log_file};
use crate::lab::check::signs::IS_FLIPPED;
use crate::lab::oracle::store::Store;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{DiskEvent, Machine, NodeId, Record, Seq, What};

/// A bit of a log that changed by itself where the log was durable.
struct Scar {
    node: NodeId,
    place: u64,
    struck: Seq,
    /// The first boot over it.
    booted: Option<Seq>,
    /// Somebody was told, or nobody has to be any more: the disk was another one, or lied besides.
    is_over: bool,
}

/// What was durable and is damaged is never dropped in silence.
pub(super) fn corruption_told(history: &History, trace: &Trace, plan: &Plan) -> Judged {
    if history.signs.flips.is_empty() {
        return Judged::inconclusive("nothing durable was damaged", "没有已落盘的数据被损坏");
    }
    let (mut logs, mut scars, mut dark) = (Logs::default(), Vec::new(), BTreeSet::new());
    for record in trace.records() {
        if let Some(node) = record.node
            && is_master(plan, node)
        {
            match &record.what {
                What::Machine(Machine::PowerLost { .. }) => _ = dark.insert(node),
                What::Machine(Machine::Booted) if dark.remove(&node) => scars.retain(|scar: &Scar| scar.node != node),
                _ => {}
            }
            scars.extend(scar(record, node, &logs));
            for scar in scars.iter_mut().filter(|scar| scar.node == node && !scar.is_over) {
                if let Some(cut) = cut(scar, record) {
                    return told(scar, cut, plan);
                }
            }
        }
        logs.see(record);
    }
    match scars.iter().filter(|scar| scar.booted.is_some() || scar.is_over).count() {
        0 => Judged::inconclusive("no broker booted over what was damaged", "没有 Broker 在损坏的日志上重新启动"),
        booted => Judged::pass(
            format!("{booted} damaged places that a broker booted over, none of them dropped"),
            format!("Broker 在 {booted} 处损坏上重新启动，均未悄悄丢弃"),
        ),
    }
}

fn is_master(plan: &Plan, node: NodeId) -> bool {
    let node = plan.nodes.get(usize::from(node.0)).map(|node| &node.kind);
    matches!(node, Some(NodeKind::Broker(broker)) if broker.broker_id == 0)
}

/// A bit that has just changed in what was durable.
fn scar(record: &Record, node: NodeId, logs: &Logs) -> Option<Scar> {
    let What::Disk(DiskEvent::Wrong { what: IS_FLIPPED, file, at }) = &record.what else { return None };
    let place = log_file(file)? + at;
    let is_durable = logs.of(node).is_some_and(|log| place < log.stable_to());
    is_durable.then_some(Scar { node, place, struck: record.seq, booted: None, is_over: false })
}

/// Follows a scar; the record that shows that the log was cut there, if this one does.
fn cut(scar: &mut Scar, record: &Record) -> Option<Seq> {
    match &record.what {
        What::Machine(Machine::Booted) => _ = scar.booted.get_or_insert(record.seq),
        What::Machine(Machine::BootFailed { .. } | Machine::Panicked { .. } | Machine::DiskReplaced { .. }) => {
            scar.is_over = true;
        }
        What::Disk(DiskEvent::Wrong { what, .. }) if *what != IS_FLIPPED => scar.is_over = true,
        What::Disk(DiskEvent::FlushFailed { .. }) => scar.is_over = true,
        What::Disk(DiskEvent::Stored { file, at, .. }) if scar.booted.is_some() => {
            return log_file(file).filter(|first| first + at <= scar.place).map(|_| record.seq);
        }
        What::Disk(DiskEvent::Image { cached, .. }) if scar.booted.is_some() => {
            let store = Store::read(&Image(cached));
            // Where recovery has not met the damage, queues still lead behind it.
            return (store.end <= scar.place && store.dispatched() <= scar.place).then_some(record.seq);
        }
        _ => {}
    }
    None
}

fn told(scar: &Scar, cut: Seq, plan: &Plan) -> Judged {
    let judged = Judged::violation(
        "cut",
        [Some(scar.struck), scar.booted, Some(cut)].into_iter().flatten().collect(),
        format!(
            "the log was durable at {}, a bit of it changed, and a boot dropped it and what follows in silence",
            scar.place
        ),
        format!("日志在 {} 处早已落盘，其中一位发生变化，重启后该处及其后的内容被悄悄丢弃", scar.place),
    );
    if plan.profile.fixes("K09") { judged } else { judged.known(CUT_IN_SILENCE) }
}

/// Recovery cuts the log at the first record that it cannot read.
const CUT_IN_SILENCE: u8 = 9;
