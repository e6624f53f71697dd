//! Who boots what: the one place where a plan's node becomes a process of the system.

use std::sync::Arc;

use crate::lab::scenario::plan::{NodeKind, NodePlan, Plan};
use crate::lab::sim::link::Roads;
use crate::lab::sim::machine::{Boot, BootApps, DiskSetup, MachineSetup};
use crate::lab::sim::world::Setup;
use crate::lab::trace::log::Role;
use crate::mq::message::Name;
use crate::mq::node::{Event, Node, Timer, TimerKey};

/// Upstream's `listenPort` of a nameserver.
pub const NAMESERVER_PORT: u16 = 9_876;

/// What a plan says of a world.
pub fn setup(plan: &Plan) -> Setup {
    let mut setup = Setup::new(plan.seed);
    setup.scenario = plan.scenario.clone();
    setup.start = plan.start;
    setup.until = plan.until;
    setup.roads =
        Roads { latency_min: plan.network.latency_min, latency_max: plan.network.latency_max, ..Roads::default() };
    setup.episodes = plan.episodes.as_slice().into();
    for node in &plan.nodes {
        setup.add_machine(machine(plan, node), node.boot.clone());
    }
    setup
}

fn machine(plan: &Plan, node: &NodePlan) -> MachineSetup {
    let (role, ports) = match &node.kind {
        NodeKind::Nameserver => (Role::Nameserver, vec![NAMESERVER_PORT]),
        // The port itself, the VIP channel's, and the replication port.
        NodeKind::Broker(broker) => {
            let port = broker.listen_port;
            (Role::Broker, vec![port, port.saturating_sub(2), port.saturating_add(1)])
        }
        NodeKind::Client(_) => (Role::Client, Vec::new()),
    };
    MachineSetup {
        name: node.name.clone(),
        role,
        ip: node.ip,
        ports,
        boot: process(plan, node),
        apps: applications(plan, node),
        disk: disk(node),
    }
}

/// A boot of a node made by hand: a fork of it, woken once.
pub(crate) fn by_hand(node: Box<dyn Node>) -> Boot {
    let pristine = Pristine(std::sync::Mutex::new(node));
    Arc::new(move |step| {
        let mut process = pristine.fork();
        process.on(Event::Fired { timer: TimerKey::of(Timer::Toy) }, step);
        Ok(process)
    })
}

/// A node is `Send` and need not be `Sync`: forks of it are taken one at a time.
struct Pristine(std::sync::Mutex<Box<dyn Node>>);

impl Pristine {
    fn fork(&self) -> Box<dyn Node> {
        match self.0.lock() {
            Ok(node) => node.fork(),
            Err(poisoned) => poisoned.into_inner().fork(),
        }
    }
}

/// The disk of a node of the plan.
fn disk(_node: &NodePlan) -> Option<DiskSetup> {
    None
}

/// The process of a node of the plan.
fn process(_plan: &Plan, node: &NodePlan) -> Boot {
    let kind = match node.kind {
        NodeKind::Nameserver => "nameserver",
        NodeKind::Broker(_) => "broker",
        NodeKind::Client(_) => "client",
    };
    let why = Name::from(format!("this build has no {kind}"));
    Arc::new(move |_| Err(why.clone()))
}

/// The applications of a client process of the plan.
fn applications(_plan: &Plan, _node: &NodePlan) -> Option<BootApps> {
    None
}
