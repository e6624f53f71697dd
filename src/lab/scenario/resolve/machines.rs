//! Faults of processes, machines and clocks; what is left out is the catalogue's default.

use super::faults::Kinds;
use super::{Resolver, place};
use crate::lab::fault::episode::{Episode, FaultKind, Keep, Trigger};
use crate::lab::fault::process::{Breaks, ClockWrong, Service, Task};
use crate::lab::scenario::fault::FaultScript;
use crate::lab::scenario::plan::{NodeKind, NodePlan};
use crate::mq::message::Name;
use crate::mq::time::{Span, Time};

/// The verbs of this file, for those that name none.
pub(super) const VERBS: &str = "slow-cpu, crash, rack-loss, replace, restore, swap-disks, twin, reconfigure, \
                                rolling-restart, end, clock-offset, \
                                clock-drift, clock-freeze, clock-coarse, clock-diverge";

const MILLI: Span = Span::from_millis(1);
const DAY: Span = Span::from_secs(86_400);
const HOUR: Span = Span::from_secs(3_600);

impl Resolver<'_> {
    pub(super) fn machines(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(pause) = &table.pause {
            let script = pause.get_ref();
            let node = self.target(&script.node);
            let kind = match &script.service {
                None => FaultKind::Pause { node },
                Some(_) => {
                    let service = self.word(&script.service, "service", &Service::ALL);
                    FaultKind::PauseService { node, service }
                }
            };
            kinds.push((pause.span(), kind));
        }
        if let Some(slow) = &table.slow_cpu {
            let script = slow.get_ref();
            let times = self.number(&script.times, 20, 2..=1_000_000, "times") as u64;
            let task = script.task.is_some().then(|| self.word(&script.task, "task", &Task::ALL));
            let node = self.target(&script.node);
            let does = |task| match task {
                Task::Route => self.nameservers().contains(&node),
                _ => self.is_broker(&node),
            };
            if let Some(task) = task
                && self.nodes.contains(&node)
                && !does(task)
            {
                let message = format!("\"{node}\" has no threads of the kind \"{}\"", task.as_str());
                let help = "a broker has `send`, `pull` and `admin`, a nameserver has `route`";
                self.wrong("wrong_value", script.task.as_ref().map(|task| task.span()), message, help);
            }
            kinds.push((slow.span(), FaultKind::SlowCpu { node, times, task }));
        }
        if let Some(crash) = &table.crash {
            let script = crash.get_ref();
            self.either(&script.effects, &script.odds);
            let breaks = match &script.effects {
                Some(_) => Breaks::After(self.number(&script.effects, 0, 0..=i64::MAX, "effects") as u64),
                None => Breaks::Odds(self.share(&script.odds, (1, 1_000))),
            };
            kinds.push((crash.span(), FaultKind::Crash { node: self.target(&script.node), breaks }));
        }
        self.power(table, kinds);
        self.rolling(table, kinds);
        self.reconfigure(table, kinds);
        self.disks(table, kinds);
        self.clocks(table, kinds);
        if let Some(end) = &table.end {
            let fault = &end.get_ref().fault;
            let name = Name::from(fault.get_ref().as_str());
            if !self.faults.contains(&name) {
                self.unknown("fault", "Faults", fault, &self.faults.clone());
            }
            kinds.push((end.span(), FaultKind::End { fault: name }));
        }
    }

    fn power(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        let Some(rack) = &table.rack_loss else { return };
        let script = rack.get_ref();
        let nodes: Vec<Name> = match &script.nodes {
            Some(nodes) => nodes.iter().map(|node| self.target(node)).collect(),
            None => self.nodes.iter().filter(|node| self.is_broker(node)).cloned().collect(),
        };
        if nodes.is_empty() {
            let help = "name some, or leave `nodes` out: all brokers";
            self.wrong("wrong_value", Some(rack.span()), "no machine of this rack is named".into(), help);
        }
        let within = self.within(&script.within, Span::from_millis(100), Span::ZERO..=HOUR, "within");
        let keep = self.word(&script.keep, "keep", &Keep::ALL);
        kinds.push((rack.span(), FaultKind::RackLoss { nodes, within, keep }));
    }

    fn reconfigure(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        let Some(again) = &table.reconfigure else { return };
        let script = again.get_ref();
        let node = self.node(&script.node);
        if self.nodes.contains(&node) && !self.is_broker(&node) {
            let message = format!("\"{node}\" reads no properties");
            self.wrong("wrong_value", Some(script.node.span()), message, "name a broker");
        }
        let pairs = self.broker_properties(&node, &Some(script.properties.clone())).pairs;
        if pairs.is_empty() {
            let help = "e.g. `properties = \"flushDiskType=SYNC_FLUSH\"`";
            self.wrong("wrong_value", Some(script.properties.span()), "no setting changes".into(), help);
        }
        let changes = pairs.into_iter().map(|pair| (pair.key, pair.value)).collect();
        kinds.push((again.span(), FaultKind::Reconfigure { node, changes }));
    }

    fn rolling(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        let Some(rolling) = &table.rolling_restart else { return };
        let script = rolling.get_ref();
        let nodes: Vec<Name> = match &script.nodes {
            Some(nodes) => nodes.iter().map(|node| self.target(node)).collect(),
            None => self.nodes.iter().filter(|node| node.starts_with("ns-")).cloned().collect(),
        };
        if nodes.is_empty() {
            let help = "name some, or leave `nodes` out: all nameservers";
            self.wrong("wrong_value", Some(rolling.span()), "nobody is restarted here".into(), help);
        }
        let ten = Span::from_secs(10);
        let every = self.within(&script.every, ten, MILLI..=HOUR, "every");
        let down = self.within(&script.down, ten, MILLI..=HOUR, "down");
        kinds.push((rolling.span(), FaultKind::Rolling { nodes, every, down }));
    }

    fn disks(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(replace) = &table.replace {
            let node = self.target(&replace.get_ref().node);
            kinds.push((replace.span(), FaultKind::Replace { node }));
        }
        if let Some(restore) = &table.restore {
            let script = restore.get_ref();
            let node = self.with_disk(&script.node);
            let age = self.within(&script.age, HOUR, MILLI..=DAY, "age");
            kinds.push((restore.span(), FaultKind::Restore { node, age }));
        }
        if let Some(swap) = &table.swap_disks {
            let script = swap.get_ref();
            let (one, other) = (self.with_disk(&script.one), self.with_disk(&script.other));
            if one == other {
                let message = format!("\"{one}\" has its own disk already");
                self.wrong("contradiction", Some(script.other.span()), message, "name two brokers");
            }
            kinds.push((swap.span(), FaultKind::SwapDisks { one, other }));
        }
        if let Some(twin) = &table.twin {
            let text = &twin.get_ref().node;
            let node = self.node(text);
            if self.nodes.contains(&node) && !self.is_broker(&node) {
                let message = format!("\"{node}\" is no broker");
                self.wrong("wrong_value", Some(text.span()), message, "a twin has a broker's name and id");
            }
            let twin_name = Name::from(format!("{node}-twin"));
            kinds.push((twin.span(), FaultKind::Twin { node, twin: twin_name }));
        }
    }

    fn clocks(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        let mut clock = |at, node: Name, wrong| kinds.push((at, FaultKind::Clock { node, wrong }));
        if let Some(offset) = &table.clock_offset {
            let script = offset.get_ref();
            let millis = script.by.as_ref().map_or(1_000, |by| self.skew(by));
            clock(offset.span(), self.target(&script.node), ClockWrong::Offset { millis });
        }
        if let Some(drift) = &table.clock_drift {
            let script = drift.get_ref();
            let millionths = self.number(&script.millionths, 1_000, -500_000..=500_000, "millionths");
            if millionths == 0 {
                let message = "a clock that drifts by nothing is right".to_owned();
                self.wrong("wrong_value", place(&script.millionths), message, "e.g. `millionths = 1000`");
            }
            clock(drift.span(), self.target(&script.node), ClockWrong::Drift { millionths });
        }
        if let Some(freeze) = &table.clock_freeze {
            let script = freeze.get_ref();
            let span = self.within(&script.span, Span::from_secs(5), MILLI..=HOUR, "span");
            let faster = self.number(&script.faster, 1_000_000, 1..=1_000_000_000, "faster") as u64;
            clock(freeze.span(), self.target(&script.node), ClockWrong::Freeze { span, faster });
        }
        if let Some(coarse) = &table.clock_coarse {
            let script = coarse.get_ref();
            let step = self.within(&script.to, Span::from_millis(10), MILLI..=HOUR, "to");
            clock(coarse.span(), self.target(&script.node), ClockWrong::Coarse { millis: step.as_millis() });
        }
        if let Some(diverge) = &table.clock_diverge {
            let script = diverge.get_ref();
            let by = self.within(&script.by, Span::from_secs(10), MILLI..=DAY, "by");
            clock(diverge.span(), self.target(&script.node), ClockWrong::Diverge { by });
        }
    }

    /// The second machines that twins boot on: a broker's settings at an address of its own.
    pub(super) fn twins(&mut self, nodes: &mut Vec<NodePlan>, episodes: &[Episode]) {
        for episode in episodes {
            let FaultKind::Twin { node, twin } = &episode.kind else { continue };
            let taken = |name: &Name| nodes.iter().any(|other| other.name == *name);
            if taken(twin) {
                let message = format!("`{twin}` is there already");
                self.wrong("duplicate_name", None, message, "a broker has one twin; rename the other node");
                continue;
            }
            let Some(first) = nodes.iter().find(|other| other.name == *node) else { continue };
            let mut second = NodePlan { name: twin.clone(), boot: Trigger::At(Time::NEVER), ..first.clone() };
            // Brokers have 10.0.2.x; their twins 10.0.102.x.
            second.ip = first.ip + (100 << 8);
            if let NodeKind::Broker(broker) = &mut second.kind {
                broker.broker_ip1 = second.ip;
            }
            nodes.push(second);
        }
    }
}
