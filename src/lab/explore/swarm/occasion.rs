//! What one seed in eight is about: a turn of events that storms almost never bring about by themselves, since several things
//! have to come together in order.
//!
//! ```text
//!  away       a master away for long, a consumer that comes back beside its slave · the same, with a slave that lags
//!  unasked    a consumer comes back and cannot ask one of two brokers
//!  expired    files that have expired are deleted, then a group comes that has never read
//!  refused    a broker forgets its leases, and the member that asks first is given what another still consumes
//!  pair       delayed messages fall due together while their broker is down, then it is stopped cleanly once more
//!  gone       one of several members of a group leaves for good
//!  slow pass  a pass over the queues takes seconds, then the broker dies
//!  roll       the key index rolls under a quick sender, then the power goes
//! ```
//!
//! Each has streams of its own, and the storm beside it is a light one.

use std::fmt::Write;

use crate::lab::explore::swarm::Wish;
use crate::lab::explore::swarm::pick::Picks;
use crate::lab::explore::swarm::traffic::Times;

/// Which it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Occasion {
    /// None: the storm alone.
    None,
    Away {
        lags: bool,
    },
    Unasked,
    Expired,
    Refused,
    Pair,
    Gone,
    SlowPass,
    Roll,
}

use Occasion::{Away, Expired, Gone, Pair, Refused, Roll, SlowPass, Unasked};

impl Occasion {
    pub(super) fn draw(picks: &Picks) -> Occasion {
        match picks.of(&["occasion"]).between(0, 63) {
            0 => Away { lags: false },
            1 => Away { lags: true },
            2 => Unasked,
            3 => Expired,
            4 => Pair,
            5 => Gone,
            6 => SlowPass,
            7 => Roll,
            8 => Refused,
            _ => Occasion::None,
        }
    }

    /// How many nameservers, and for each master whether it has a slave; nothing if any will do.
    pub(super) fn shape(self) -> Option<(u64, &'static [bool])> {
        match self {
            Away { .. } => Some((1, &[true])),
            Unasked => Some((1, &[false, false])),
            Expired | Refused | Pair | SlowPass | Roll => Some((1, &[false])),
            _ => None,
        }
    }

    /// Milliseconds of calm in front of the first fault.
    pub(super) fn calm(self) -> u64 {
        match self {
            // A slave has heard of its master's offsets, and more than a minute has gone by since.
            Away { .. } => 85_000,
            Unasked => 16_000,
            // A broker looks at its files a minute after its boot.
            Expired => 64_000,
            // Of two members the second has its heartbeat seven seconds after the first, each twice a minute.
            Refused => 28_000,
            _ => 0,
        }
    }

    /// How long the burst is at least.
    pub(super) fn burst(self) -> u64 {
        match self {
            Away { .. } | SlowPass | Pair => 12_000,
            Unasked => 18_000,
            _ => 0,
        }
    }

    /// Lines of every broker's file.
    pub(super) fn settings(self) -> &'static str {
        match self {
            Expired => "fileReservedTime=0\\n",
            SlowPass => "flushConsumeQueueThoroughInterval=1000\\n",
            Roll => "flushConsumeQueueThoroughInterval=1000\\nmaxHashSlotNum=6\\nmaxIndexNum=24\\n",
            _ => "",
        }
    }

    /// How large log files are, where that is not left to chance.
    pub(super) fn log_file(self) -> Option<u64> {
        matches!(self, Expired | Roll).then_some(16 << 10)
    }

    /// Whether brokers force what they acknowledge, where that is not left to chance.
    pub(super) fn forces(self) -> Option<bool> {
        matches!(self, Roll | Pair).then_some(true)
    }

    /// Whether nothing is sent that leaves copies behind: those expire as well.
    pub(super) fn is_plain(self) -> bool {
        self == Expired
    }

    /// Whether retention looks at every hour.
    pub(super) fn cleans(self) -> bool {
        self == Expired
    }

    /// Whether groups are not ordered, as queues of an ordered one go by their locks.
    pub(super) fn is_unordered(self) -> bool {
        matches!(self, Away { .. } | Unasked)
    }

    /// How many members the first group has at least.
    pub(super) fn members(self) -> u64 {
        if matches!(self, Gone | Refused) { 2 } else { 1 }
    }

    /// Whether groups are ordered and slow, and their members come seven seconds one after the other.
    pub(super) fn is_ordered(self) -> bool {
        self == Refused
    }

    /// Whether the storm may have a fault of that verb.
    pub(super) fn bears(self, verb: &str) -> bool {
        // Files of the index are named by the clock, and one that was set back puts a new one in front of the others.
        self != Roll || !verb.starts_with("clock-")
    }

    /// How many faults a burst has besides.
    pub(super) fn storm(self) -> Option<u64> {
        (self != Occasion::None).then_some(1)
    }

    /// What the first producer sends besides.
    pub(super) fn sends(self, out: &mut String, times: &Times) {
        let (wait, rest) = match self {
            Expired => (500, "count = 48\nevery = \"1s\"\nsize = 1800".to_owned()),
            Pair => (times.warm - times.start, "count = 6\nevery = \"20ms\"\ndelay_level = 1".to_owned()),
            Refused => (times.warm - times.start, "count = 40\nevery = \"30ms\"".to_owned()),
            SlowPass => (times.warm - times.start, "count = 40\nevery = \"200ms\"".to_owned()),
            Roll => (times.warm - times.start, "count = 48\nevery = \"100ms\"\nsize = 3000".to_owned()),
            _ => return,
        };
        let _ = writeln!(out, "[[producer.send]]\ntopic = \"orders\"\nmode = \"sync\"\nwait = \"{wait}ms\"");
        let _ = writeln!(out, "key = \"more-{{n}}\"\n{rest}");
    }

    /// A group that comes late.
    pub(super) fn consumer(self, out: &mut String, times: &Times) {
        if self == Expired {
            let start = times.warm + LATE;
            let _ = writeln!(out, "\n[[consumer]]\nname = \"audit-1\"\ngroup = \"audit\"\nstart = \"{start}ms\"");
            let _ = writeln!(out, "model = \"clustering\"\nmode = \"concurrent\"\nfrom = \"first\"");
            let _ =
                writeln!(out, "subscribe = {{ orders = \"*\" }}\n[[consumer.on]]\nreply = [\"ok\"]\ntakes = \"5ms\"");
        }
    }

    /// What goes wrong.
    pub(super) fn wishes(self, picks: &Picks, times: &Times) -> Vec<Wish> {
        let mut pick = picks.of(&["occasion", "when"]);
        let warm = times.warm;
        let mut wishes = Vec::new();
        let mut wish = |at: u64, lasts: Option<u64>, verb: &'static str, body: &str| {
            let lasts = lasts.map(|lasts| lasts.min(times.healed.saturating_sub(at)));
            let name = format!("{verb}-of-{}", wishes.len() + 1);
            wishes.push(Wish { name, at, lasts, verb, body: format!("{{ {body} }}") });
        };
        let node = |name: &str| format!("node = \"{name}\"");
        match self {
            Occasion::None => {}
            Away { lags } => {
                let at = warm + pick.between(500, 1_500);
                if lags {
                    let since = times.start + pick.between(2_000, 6_000);
                    let body = format!("{}, service = \"ha\"", node("broker-a-s"));
                    wish(since, Some(at + 8_000 - since), "pause", &body);
                }
                wish(at, Some(pick.between(9_000, 12_000)), "kill", &node("broker-a"));
                wish(at + 1_000, Some(pick.between(500, 2_000)), "kill", &node("billing-1"));
            }
            Unasked => {
                let at = warm + pick.between(500, 1_500);
                let body = "from = \"billing-1\", to = \"broker-b\", one-way = false";
                wish(at, Some(pick.between(14_000, 17_000)), "cut", body);
                wish(at + 200, Some(pick.between(300, 1_000)), "kill", &node("billing-1"));
            }
            Expired => {}
            Refused => {
                let at = times.start + pick.between(34_500, 36_000);
                wish(at, Some(pick.between(500, 1_000)), "kill", &node("broker-a"));
            }
            Pair => {
                // They fall due a second after they were sent, and are delivered a second after the boot.
                let at = warm + pick.between(400, 1_000);
                wish(at, Some(2_000), "stop", &node("broker-a"));
                wish(at + 3_000 + pick.between(200, 3_000), Some(1_000), "stop", &node("broker-a"));
            }
            Gone => wish(warm + pick.between(500, 4_000), None, "stop", &node("billing-2")),
            SlowPass => {
                let at = warm + pick.between(200, 1_000);
                wish(at, Some(1_200), "slow-sync", &format!("{}, by = \"6500ms\"", node("broker-a")));
                wish(at + 6_500 + pick.between(200, 1_600), Some(1_000), "kill", &node("broker-a"));
            }
            Roll => {
                let keep = pick.one(&["lose-all-unsynced", "uniform", "log-lost/json-kept"]);
                let body = format!("{}, keep = \"{keep}\"", node("broker-a"));
                wish(warm + pick.between(1_500, 5_000), Some(1_500), "power-loss", &body);
            }
        }
        wishes
    }
}

/// When the late group comes, after the first fault may.
const LATE: u64 = 9_000;
