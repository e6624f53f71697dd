//! A `[[fault]]` as a person writes it: its moment, and one verb out of these, each a table of its own.

use serde::Deserialize;
use toml::Spanned;

use crate::lab::scenario::device;
use crate::lab::scenario::script::Text;
use crate::lab::scenario::table::Table;
use crate::lab::scenario::wrong;

/// A fault: one verb with its target.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultScript {
    /// Its name, for moments and overrides.
    pub name: Option<Text>,
    /// When it begins: a moment.
    pub at: Option<Text>,
    /// How long it lasts; for ever if left out.
    pub lasts: Option<Text>,
    /// Whether it is left out of the run; it stands, and never begins.
    pub off: Option<bool>,
    /// The process dies.
    pub kill: Option<Spanned<Table<TargetScript>>>,
    /// The machine loses power.
    pub power_loss: Option<Spanned<Table<PowerScript>>>,
    /// The process boots again.
    pub restart: Option<Spanned<Table<TargetScript>>>,
    /// The operator stops the process.
    pub stop: Option<Spanned<Table<TargetScript>>>,
    /// The process gets no steps.
    pub pause: Option<Spanned<Table<wrong::PauseScript>>>,
    /// It goes on.
    pub resume: Option<Spanned<Table<TargetScript>>>,
    /// Nothing passes between two nodes.
    pub cut: Option<Spanned<Table<RoadScript>>>,
    /// Cuts end.
    pub heal: Option<Spanned<Table<RoadScript>>>,
    /// Connections are reset.
    pub reset: Option<Spanned<Table<wrong::ResetsScript>>>,
    /// Connections are reset again and again.
    pub resets: Option<Spanned<Table<wrong::ResetsScript>>>,
    /// Frames take drawn times.
    pub latency: Option<Spanned<Table<wrong::LatencyScript>>>,
    /// A road is narrow.
    pub bandwidth: Option<Spanned<Table<wrong::BandwidthScript>>>,
    /// Segments are lost, TCP tries again.
    pub stall: Option<Spanned<Table<wrong::StallScript>>>,
    /// Frames are lost, doubled, overtaken: not reachable over TCP.
    pub datagram: Option<Spanned<Table<wrong::DatagramScript>>>,
    /// Ends are not heard of.
    pub half_open: Option<Spanned<Table<wrong::HalfOpenScript>>>,
    /// The nodes are divided.
    pub partition: Option<Spanned<Table<wrong::PartitionScript>>>,
    /// A road goes down and up.
    pub flap: Option<Spanned<Table<wrong::FlapScript>>>,
    /// Sends are stuck.
    pub clog: Option<Spanned<Table<wrong::ClogScript>>>,
    /// Nodes lose their roads one by one.
    pub swizzle: Option<Spanned<Table<wrong::SwizzleScript>>>,
    /// Connects are refused.
    pub refuse_connect: Option<Spanned<Table<wrong::ConnectScript>>>,
    /// A machine takes no more connections.
    pub full_table: Option<Spanned<Table<wrong::FullTableScript>>>,
    /// A machine has no port left to open a connection from.
    pub port_exhaustion: Option<Spanned<Table<wrong::PortsScript>>>,
    /// Connects are accepted late.
    pub slow_accept: Option<Spanned<Table<wrong::ConnectScript>>>,
    /// A nameserver does not see a broker.
    pub split_view: Option<Spanned<Table<wrong::SplitViewScript>>>,
    /// Another fault ends.
    pub end: Option<Spanned<Table<wrong::EndScript>>>,
    /// Each step takes longer.
    pub slow_cpu: Option<Spanned<Table<wrong::SlowCpuScript>>>,
    /// A handler runs out of memory.
    pub crash: Option<Spanned<Table<wrong::CrashScript>>>,
    /// Several machines lose power.
    pub rack_loss: Option<Spanned<Table<wrong::RackScript>>>,
    /// A broker boots again with other settings.
    pub reconfigure: Option<Spanned<Table<wrong::ReconfigureScript>>>,
    /// One process after the other goes and comes back.
    pub rolling_restart: Option<Spanned<Table<wrong::RollingScript>>>,
    /// A machine is gone, an empty one comes.
    pub replace: Option<Spanned<Table<TargetScript>>>,
    /// An old snapshot comes back.
    pub restore: Option<Spanned<Table<wrong::RestoreScript>>>,
    /// Two machines have each other's disks.
    pub swap_disks: Option<Spanned<Table<wrong::SwapScript>>>,
    /// A second process has a broker's name.
    pub twin: Option<Spanned<Table<TargetScript>>>,
    /// A wall clock is off.
    pub clock_offset: Option<Spanned<Table<wrong::ClockByScript>>>,
    /// Clocks run faster or slower.
    pub clock_drift: Option<Spanned<Table<wrong::DriftScript>>>,
    /// Clocks stand still and catch up.
    pub clock_freeze: Option<Spanned<Table<wrong::FreezeScript>>>,
    /// A wall clock moves in steps.
    pub clock_coarse: Option<Spanned<Table<wrong::CoarseScript>>>,
    /// The monotonic clock jumps ahead.
    pub clock_diverge: Option<Spanned<Table<wrong::ClockByScript>>>,
    /// Frames take longer.
    pub delay: Option<Spanned<Table<RoadScript>>>,
    /// A wall clock steps.
    pub clock_skew: Option<Spanned<Table<SkewScript>>>,
    /// The device is full.
    pub disk_full: Option<Spanned<Table<device::FullScript>>>,
    /// A call answers EIO.
    pub io_error: Option<Spanned<Table<device::CallScript>>>,
    /// A mapped access meets an error.
    pub map_error: Option<Spanned<Table<device::CallScript>>>,
    /// A sync fails.
    pub sync_error: Option<Spanned<Table<device::SyncScript>>>,
    /// A sync takes longer.
    pub slow_sync: Option<Spanned<Table<device::SlowSyncScript>>>,
    /// Whatever waits for the device waits longer.
    pub slow_disk: Option<Spanned<Table<device::SlowDiskScript>>>,
    /// Nothing that waits for the device comes back.
    pub hung_disk: Option<Spanned<Table<device::HungScript>>>,
    /// Bits are flipped at rest.
    pub bit_flip: Option<Spanned<Table<device::FlipScript>>>,
    /// A bit is flipped in one read.
    pub read_flip: Option<Spanned<Table<device::NthScript>>>,
    /// A page goes to the wrong place.
    pub misdirected: Option<Spanned<Table<device::MisdirectedScript>>>,
    /// A page is not written, and the sync says that it is.
    pub lost_write: Option<Spanned<Table<device::NthScript>>>,
    /// A part of a file cannot be read.
    pub bad_sector: Option<Spanned<Table<device::SectorScript>>>,
    /// A file is shorter than it was.
    pub truncate: Option<Spanned<Table<device::CutScript>>>,
    /// A page is as it was before.
    pub stale_page: Option<Spanned<Table<device::StaleScript>>>,
    /// The system refuses a file.
    pub refuse: Option<Spanned<Table<device::CallScript>>>,
}

/// A fault's node.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct TargetScript {
    /// By name.
    pub node: Text,
}

/// A power loss.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct PowerScript {
    /// By name.
    pub node: Text,
    /// What of the unflushed pages survives.
    pub keep: Option<Text>,
}

/// A road between two nodes.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoadScript {
    /// One end; every node if left out.
    pub from: Option<Text>,
    /// The other end; every node if left out.
    pub to: Option<Text>,
    /// Whether only the way from `from` to `to` is meant.
    pub one_way: Option<Spanned<bool>>,
    /// A delay's span.
    pub by: Option<Text>,
}

/// A wall clock's step.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SkewScript {
    /// By name.
    pub node: Text,
    /// Forward (`2s`) or back (`-2s`).
    pub by: Text,
}
