//! Faults of roads, processes, machines and clocks as a person writes them: one table a verb, each with the keys that mean
//! something to it and no others. Those of disks stand in [`device`](super::device).
//!
//! A road's `from` and `to` are every node if left out, and both directions are meant unless `one-way` says otherwise.

use serde::Deserialize;
use toml::Spanned;

use crate::lab::scenario::script::Text;

/// `latency`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LatencyScript {
    /// One end.
    pub from: Option<Text>,
    /// The other.
    pub to: Option<Text>,
    /// Whether only the way from `from` to `to` is meant.
    pub one_way: Option<Spanned<bool>>,
    /// The least.
    pub min: Option<Text>,
    /// The mean.
    pub mean: Option<Text>,
    /// `exponential`, `lognormal`, `bimodal` or `pareto`.
    pub shape: Option<Text>,
    /// Pareto's alpha.
    pub alpha: Option<Spanned<f64>>,
}

/// `bandwidth`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BandwidthScript {
    /// One end.
    pub from: Option<Text>,
    /// The other.
    pub to: Option<Text>,
    /// Whether only the way from `from` to `to` is meant.
    pub one_way: Option<Spanned<bool>>,
    /// Bytes in a second.
    pub rate: Option<Spanned<i64>>,
    /// Bytes under way beyond which the writer waits.
    pub buffer: Option<Spanned<i64>>,
}

/// `stall`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StallScript {
    /// One end.
    pub from: Option<Text>,
    /// The other.
    pub to: Option<Text>,
    /// Whether only the way from `from` to `to` is meant.
    pub one_way: Option<Spanned<bool>>,
    /// How often a try is lost.
    pub odds: Option<Text>,
    /// After how long it is tried again first.
    pub first: Option<Text>,
}

/// `datagram`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DatagramScript {
    /// One end.
    pub from: Option<Text>,
    /// The other.
    pub to: Option<Text>,
    /// Whether only the way from `from` to `to` is meant.
    pub one_way: Option<Spanned<bool>>,
    /// How often a frame is lost.
    pub drop: Option<Text>,
    /// How often it comes twice.
    pub twice: Option<Text>,
    /// How many others it may overtake.
    pub window: Option<Spanned<i64>>,
}

/// `reset` and `resets`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResetsScript {
    /// One end.
    pub from: Option<Text>,
    /// The other.
    pub to: Option<Text>,
    /// Of `resets`: how far apart two are on average.
    pub every: Option<Text>,
    /// `uniform`, `none` or `all`: what of the bytes under way arrives.
    pub prefix: Option<Text>,
}

/// `half-open`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct HalfOpenScript {
    /// Whose FIN and RST are not heard of.
    pub from: Option<Text>,
    /// Who does not hear of them.
    pub to: Option<Text>,
}

/// `partition`: one of the keys that say how.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PartitionScript {
    /// This node on one side.
    pub isolate: Option<Text>,
    /// These nodes on one side; drawn if there are none.
    pub side: Option<Spanned<Vec<Text>>>,
    /// Two halves that this node alone reaches both of.
    pub bridge: Option<Text>,
    /// Each reaches its neighbours only.
    pub ring: Option<Spanned<bool>>,
    /// `clients`, `brokers`, `nameservers`: these on one side …
    pub role: Option<Text>,
    /// … and these on the other.
    pub other_role: Option<Text>,
    /// Whether the second side still speaks to the first.
    pub one_way: Option<Spanned<bool>>,
}

/// `flap`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FlapScript {
    /// One end.
    pub from: Option<Text>,
    /// The other.
    pub to: Option<Text>,
    /// Whether only the way from `from` to `to` is meant.
    pub one_way: Option<Spanned<bool>>,
    /// How long it is down.
    pub down: Option<Text>,
    /// How long it is up.
    pub up: Option<Text>,
    /// How often.
    pub cycles: Option<Spanned<i64>>,
}

/// `clog`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClogScript {
    /// One end.
    pub from: Option<Text>,
    /// The other.
    pub to: Option<Text>,
    /// Whether only the way from `from` to `to` is meant.
    pub one_way: Option<Spanned<bool>>,
    /// How often a send is stuck.
    pub odds: Option<Text>,
    /// For how long, on average.
    pub mean: Option<Text>,
}

/// `swizzle`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SwizzleScript {
    /// Among which nodes; all if left out.
    pub nodes: Option<Vec<Text>>,
    /// How far apart two changes are.
    pub every: Option<Text>,
}

/// `refuse-connect` and `slow-accept`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct ConnectScript {
    /// Who connects.
    pub from: Option<Text>,
    /// Who accepts.
    pub to: Option<Text>,
    /// Of `refuse-connect`: how often.
    pub odds: Option<Text>,
    /// Of `slow-accept`: a span or a range.
    pub by: Option<Text>,
}

/// `full-table`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct FullTableScript {
    /// Who connects.
    pub from: Option<Text>,
    /// Who accepts.
    pub to: Option<Text>,
    /// How many connections it holds.
    pub room: Option<Spanned<i64>>,
}

/// `port-exhaustion`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct PortsScript {
    /// Who connects.
    pub from: Option<Text>,
    /// Where to.
    pub to: Option<Text>,
    /// How many ports there are to each machine.
    pub ports: Option<Spanned<i64>>,
}

/// `split-view`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SplitViewScript {
    /// Who is hidden.
    pub broker: Text,
    /// From whom.
    pub nameserver: Text,
}

/// `end`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct EndScript {
    /// Which fault.
    pub fault: Text,
}

/// `pause`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct PauseScript {
    /// The node.
    pub node: Text,
    /// One of its services; the whole process if left out.
    pub service: Option<Text>,
}

/// `slow-cpu`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SlowCpuScript {
    /// The node.
    pub node: Text,
    /// How many times as long a step takes.
    pub times: Option<Spanned<i64>>,
    /// Of one kind of task alone: `send`, `pull`, `admin` of a broker, `route` of a nameserver.
    pub task: Option<Text>,
}

/// `crash`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct CrashScript {
    /// The node.
    pub node: Text,
    /// After how many effects of its handlers.
    pub effects: Option<Spanned<i64>>,
    /// Each effect with these odds.
    pub odds: Option<Text>,
}

/// `rack-loss`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct RackScript {
    /// Which machines; all brokers if left out.
    pub nodes: Option<Vec<Text>>,
    /// Within which time.
    pub within: Option<Text>,
    /// What of the unflushed pages survives.
    pub keep: Option<Text>,
}

/// `reconfigure`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct ReconfigureScript {
    /// The broker.
    pub node: Text,
    /// Lines of a `.properties` file, over those that it had.
    pub properties: Text,
}

/// `rolling-restart`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct RollingScript {
    /// Which, in this order; all nameservers if left out.
    pub nodes: Option<Vec<Text>>,
    /// How far apart two of them go.
    pub every: Option<Text>,
    /// How long each is down.
    pub down: Option<Text>,
}

/// `restore`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct RestoreScript {
    /// The node.
    pub node: Text,
    /// How old the snapshot is when it comes back.
    pub age: Option<Text>,
}

/// `swap-disks`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SwapScript {
    /// The one.
    pub one: Text,
    /// The other.
    pub other: Text,
}

/// `clock-offset` and `clock-diverge`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct ClockByScript {
    /// The node.
    pub node: Text,
    /// By how much; an offset may be negative.
    pub by: Option<Text>,
}

/// `clock-drift`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct DriftScript {
    /// The node.
    pub node: Text,
    /// By how many millionths; negative is slower.
    pub millionths: Option<Spanned<i64>>,
}

/// `clock-freeze`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct FreezeScript {
    /// The node.
    pub node: Text,
    /// How long it stands still.
    pub span: Option<Text>,
    /// How many millionths faster it runs then until it has caught up; a small number is a smear.
    pub faster: Option<Spanned<i64>>,
}

/// `clock-coarse`.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct CoarseScript {
    /// The node.
    pub node: Text,
    /// Its step.
    pub to: Option<Text>,
}
