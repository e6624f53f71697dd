//! The governor: no fault takes away what an acknowledgement alive rests on.
//!
//! It hears the records as they come, and looks into the disks when a fault is about to begin: bytes that are the same on the
//! stable medium as in the page cache outlive a power loss; bytes that another machine that is up has in its page cache
//! outlive the first machine. A machine that is down holds what its disk holds. What is not acknowledged may go, copies that a
//! broker has made itself among it: that their originals are behind is what K03 is.

use std::collections::BTreeMap;

use crate::lab::fault::episode::{Episode, FaultKind};
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::sim::machine::Mood;
use crate::lab::sim::world::World;
use crate::lab::trace::image::DiskImage;
use crate::lab::trace::record::{App, NodeId, Record, What};
use crate::mq::app::{Return, SendResult};
use crate::mq::message::Name;

/// What was acknowledged, and where it lies.
#[derive(Debug)]
pub struct Governor {
    /// Where acknowledged records lie in the logs, by `brokerName`, as far as they may still be lost.
    live: BTreeMap<Name, Vec<u64>>,
    /// `brokerName`, log file size, for each node that is a broker.
    brokers: BTreeMap<NodeId, (Name, u64)>,
    /// Every node's name.
    names: Vec<Name>,
    /// How many faults it refused.
    pub refused: u64,
}

impl Governor {
    /// The governor of a plan's run.
    pub fn new(plan: &Plan) -> Governor {
        let brokers = plan.nodes.iter().enumerate().filter_map(|(number, node)| match &node.kind {
            NodeKind::Broker(broker) => {
                Some((NodeId(number as u16), (broker.broker_name.clone(), broker.commit_log_file_size)))
            }
            _ => None,
        });
        let names = plan.nodes.iter().map(|node| node.name.clone()).collect();
        Governor { live: BTreeMap::new(), brokers: brokers.collect(), names, refused: 0 }
    }

    /// Hears what happened.
    pub fn hear(&mut self, record: &Record) {
        if let What::App(App::Returned(answer)) = &record.what
            && let Return::Sent { result, .. } = &**answer
        {
            self.acknowledged(result);
        }
    }

    fn acknowledged(&mut self, result: &SendResult) {
        let live = self.live.entry(result.queue.broker.clone()).or_default();
        // Sixteen digits of address, sixteen of the place in the log; a batch has one for each of its messages.
        let places = result.offset_msg_id.split(',').filter_map(|id| id.get(16..)?.get(..16));
        live.extend(places.filter_map(|place| u64::from_str_radix(place, 16).ok()));
    }

    /// Whether the episode may begin.
    pub fn allows(&mut self, world: &World, episode: &Episode) -> bool {
        let victims: Vec<NodeId> = match &episode.kind {
            FaultKind::PowerLoss { node, .. } => self.named(std::slice::from_ref(node)),
            FaultKind::RackLoss { nodes, .. } => self.named(nodes),
            _ => return true,
        };
        let allowed = victims.iter().all(|victim| self.survives(world, *victim, &victims));
        self.refused += u64::from(!allowed);
        allowed
    }

    fn named(&self, names: &[Name]) -> Vec<NodeId> {
        let is_meant = |node: &NodeId| {
            let own = &self.names[usize::from(node.0)];
            names.is_empty() || names.iter().any(|name| name == own || *name == "*")
        };
        self.brokers.keys().copied().filter(is_meant).collect()
    }

    /// Whether everything acknowledged by the victim's name outlives the loss of power of all victims.
    fn survives(&mut self, world: &World, victim: NodeId, victims: &[NodeId]) -> bool {
        let Some((name, file_size)) = self.brokers.get(&victim).cloned() else { return true };
        let live = self.live.entry(name.clone()).or_default();
        let disk = world.disk(victim);
        let (cached, stable) = (disk.cached_image(), disk.stable_image());
        live.sort_unstable();
        live.dedup();
        live.retain(|at| !is_stable(&cached, &stable, file_size, *at));
        let twins = self.brokers.iter().filter(|(node, (other, _))| *other == name && !victims.contains(node));
        let others: Vec<_> = twins
            .filter(|(node, _)| world.mood(**node) != Mood::Down && world.mood(**node) != Mood::Off)
            .map(|(node, (_, size))| (world.disk(*node).cached_image(), *size))
            .collect();
        live.iter().all(|at| others.iter().any(|(image, size)| holds(image, *size, &cached, file_size, *at)))
    }
}

/// A record's bytes; nothing where there is none.
fn record(image: &DiskImage, file_size: u64, at: u64) -> Option<Vec<u8>> {
    let start = at / file_size * file_size;
    let file = image.files.get(&format!("commitlog/{start:020}"))?;
    let size = file.read(at - start..at - start + 4);
    let size = u32::from_be_bytes(size.try_into().ok()?);
    (0 < size).then(|| file.read(at - start..at - start + u64::from(size)))
}

fn is_stable(cached: &DiskImage, stable: &DiskImage, file_size: u64, at: u64) -> bool {
    let whole = record(cached, file_size, at);
    whole.is_some() && whole == record(stable, file_size, at)
}

fn holds(image: &DiskImage, size: u64, own: &DiskImage, own_size: u64, at: u64) -> bool {
    let whole = record(own, own_size, at);
    whole.is_some() && whole == record(image, size, at)
}
