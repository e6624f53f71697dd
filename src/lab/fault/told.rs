//! A fault as a scenario writes it: the verb, its target, and the numbers that tell two apart.

use crate::lab::fault::device::Files;
use crate::lab::fault::episode::FaultKind;
use crate::lab::fault::process::{Breaks, ClockWrong};
use crate::lab::fault::road::{RoadWrong, Shape, Share, Spread};
use crate::mq::message::Name;

impl FaultKind {
    /// The verb that a scenario writes.
    pub fn verb(&self) -> &'static str {
        match self {
            FaultKind::Kill { .. } => "kill",
            FaultKind::PowerLoss { .. } => "power-loss",
            FaultKind::Restart { .. } => "restart",
            FaultKind::Stop { .. } => "stop",
            FaultKind::Pause { .. } => "pause",
            FaultKind::Resume { .. } => "resume",
            FaultKind::Cut { .. } => "cut",
            FaultKind::Heal { .. } => "heal",
            FaultKind::Reset { .. } => "reset",
            FaultKind::Resets { .. } => "resets",
            FaultKind::Road { wrong, .. } => wrong.verb(),
            FaultKind::Partition { .. } => "partition",
            FaultKind::Flap { .. } => "flap",
            FaultKind::Swizzle { .. } => "swizzle",
            FaultKind::SplitView { .. } => "split-view",
            FaultKind::End { .. } => "end",
            FaultKind::Delay { .. } => "delay",
            FaultKind::ClockStep { .. } => "clock-step",
            FaultKind::PauseService { .. } => "pause",
            FaultKind::SlowCpu { .. } => "slow-cpu",
            FaultKind::Crash { .. } => "crash",
            FaultKind::RackLoss { .. } => "rack-loss",
            FaultKind::Replace { .. } => "replace",
            FaultKind::Restore { .. } => "restore",
            FaultKind::SwapDisks { .. } => "swap-disks",
            FaultKind::Twin { .. } => "twin",
            FaultKind::Rolling { .. } => "rolling-restart",
            FaultKind::Reconfigure { .. } => "reconfigure",
            FaultKind::Clock { wrong, .. } => wrong.verb(),
            FaultKind::Disk { wrong, .. } => wrong.verb(),
        }
    }

    /// What it is done to, by name: with the verb, what its draws are addressed by.
    pub fn target(&self) -> String {
        match self {
            FaultKind::Kill { node }
            | FaultKind::PowerLoss { node, .. }
            | FaultKind::Restart { node }
            | FaultKind::Stop { node }
            | FaultKind::Pause { node }
            | FaultKind::Resume { node }
            | FaultKind::SlowCpu { node, .. }
            | FaultKind::Crash { node, .. }
            | FaultKind::Replace { node }
            | FaultKind::Reconfigure { node, .. }
            | FaultKind::Restore { node, .. }
            | FaultKind::Twin { node, .. }
            | FaultKind::Clock { node, .. }
            | FaultKind::ClockStep { node, .. } => node.to_string(),
            FaultKind::PauseService { node, service } => format!("{node} {}", service.as_str()),
            FaultKind::RackLoss { nodes, .. } | FaultKind::Rolling { nodes, .. } => list(nodes),
            FaultKind::SwapDisks { one, other } => format!("{one} <-> {other}"),
            FaultKind::Cut { from, to, both }
            | FaultKind::Road { from, to, both, .. }
            | FaultKind::Flap { from, to, both, .. } => {
                format!("{from} {} {to}", if *both { "<->" } else { "->" })
            }
            FaultKind::Heal { from, to } | FaultKind::Reset { from, to, .. } | FaultKind::Resets { from, to, .. } => {
                format!("{from} <-> {to}")
            }
            FaultKind::Delay { from, to, .. } => format!("{from} -> {to}"),
            FaultKind::Partition { split, .. } => split.to_string(),
            FaultKind::Swizzle { nodes, .. } => list(nodes),
            FaultKind::SplitView { broker, nameserver } => format!("{broker} from {nameserver}"),
            FaultKind::End { fault } => fault.to_string(),
            FaultKind::Disk { node, files, .. } if *files == Files::ANY => node.to_string(),
            FaultKind::Disk { node, files, .. } => format!("{node} {files}"),
        }
    }

    /// The whole of it: what a trace shows when it begins.
    pub fn sentence(&self) -> Name {
        let (verb, target) = (self.verb(), self.target());
        let text = match self {
            FaultKind::Delay { by, .. } => format!("{verb} {target} by {by}"),
            FaultKind::ClockStep { millis, .. } => format!("{verb} {target} by {millis}ms"),
            FaultKind::Road { wrong, .. } => format!("{verb} {target}{}", details(wrong)),
            FaultKind::Partition { both: false, .. } => format!("{verb} {target}, one way"),
            FaultKind::Resets { mean, .. } => format!("{verb} {target} every {mean}"),
            FaultKind::Flap { down, up, cycles, .. } => {
                format!("{verb} {target}: {cycles} times {down} down, {up} up")
            }
            FaultKind::SlowCpu { times, task: Some(task), .. } => {
                format!("{verb} {target} {}: {times} times", task.as_str())
            }
            FaultKind::SlowCpu { times, .. } => format!("{verb} {target}: {times} times"),
            FaultKind::Crash { breaks: Breaks::After(effects), .. } => {
                format!("{verb} {target} after {effects} effects")
            }
            FaultKind::Crash { breaks: Breaks::Odds(odds), .. } => {
                format!("{verb} {target}: {} in {}", odds.times, odds.out_of)
            }
            FaultKind::RackLoss { within, .. } => format!("{verb} {target} within {within}"),
            FaultKind::Rolling { every, down, .. } => format!("{verb} {target} every {every}, {down} down"),
            FaultKind::Reconfigure { changes, .. } => {
                let set = changes.iter().map(|(key, value)| format!("{key}={value}"));
                format!("{verb} {target} {}", set.collect::<Vec<_>>().join(" "))
            }
            FaultKind::Restore { age, .. } => format!("{verb} {target}, {age} old"),
            FaultKind::Twin { twin, .. } => format!("{verb} {target}: {twin}"),
            FaultKind::Clock { wrong, .. } => match wrong {
                ClockWrong::Offset { millis } => format!("{verb} {target} by {millis}ms"),
                ClockWrong::Drift { millionths } => format!("{verb} {target} by {millionths} millionths"),
                ClockWrong::Freeze { span, .. } => format!("{verb} {target} for {span}"),
                ClockWrong::Coarse { millis } => format!("{verb} {target} to {millis}ms"),
                ClockWrong::Diverge { by } => format!("{verb} {target} by {by}"),
            },
            _ => format!("{verb} {target}"),
        };
        Name::from(text)
    }
}

fn list(nodes: &[Name]) -> String {
    let names: Vec<&str> = nodes.iter().map(Name::as_str).collect();
    names.join(" ")
}

fn details(wrong: &RoadWrong) -> String {
    let share = |share: &Share| format!("{} in {}", share.times, share.out_of);
    match wrong {
        RoadWrong::Latency(Spread { min, mean, shape }) => match shape {
            Shape::Exponential => format!(": {min} to {mean} on average, exponential"),
            Shape::LogNormal => format!(": {min} to {mean} on average, lognormal"),
            Shape::Bimodal => format!(": {min} to {mean} on average, bimodal"),
            Shape::Pareto { hundredths } => {
                let (whole, part) = (hundredths / 100, hundredths % 100);
                format!(": {min} to {mean} on average, pareto {whole}.{part:02}")
            }
        },
        RoadWrong::Bandwidth { per_second, buffer } => format!(": {per_second} B/s, buffer {buffer} B"),
        RoadWrong::Stall { odds, first } => format!(": {}, tried again after {first}", share(odds)),
        // What it finds may be no finding on a network that RocketMQ runs on.
        RoadWrong::Datagram { .. } => " (not reachable over TCP)".to_owned(),
        RoadWrong::HalfOpen => String::new(),
        RoadWrong::Clog { odds, mean } => format!(": {}, {mean} on average", share(odds)),
        RoadWrong::RefuseConnect { odds } => format!(": {}", share(odds)),
        RoadWrong::FullTable { room } => format!(": room for {room}"),
        RoadWrong::PortExhaustion { ports } => format!(": {ports} ports"),
        RoadWrong::SlowAccept { min, max } => format!(": {min} to {max}"),
    }
}
