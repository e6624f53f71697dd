//! What few seeds have: each needs an occasion that traffic alone does not bring. Each has a stream of its own, so that a seed
//! that has none of it is what it would be if there were no such thing.

use std::fmt::Write;

use crate::lab::explore::swarm::occasion::Occasion;
use crate::lab::explore::swarm::pick::Picks;
use crate::lab::explore::swarm::traffic::Times;

/// Which of it a seed has.
pub(super) struct Rare {
    /// Two tags with one hash.
    pub(super) twin_tags: bool,
    /// The first group filters by a condition on a property that some messages lack.
    pub(super) condition: bool,
    /// Brokers refuse messages beyond a size, and some are sent.
    too_large: bool,
    /// Brokers write their checkpoint every second, not once a minute.
    checkpoints: bool,
    /// An operator moves the first group back.
    reset: bool,
    /// Producers send all they have in the first third: what then happens meets what waits for its time, and nothing else.
    pub(super) is_early: bool,
    /// Milliseconds of calm in front of the first fault, in which that comes to its end.
    pub(super) calm: u64,
    /// What the seed is about.
    pub(super) occasion: Occasion,
}

/// The condition.
pub(super) const CONDITION: &str = "region = 'east'";
/// A group that is moved waits for ten seconds and shares its queues out anew.
const CALM: u64 = 20_000;
/// Messages that are larger are refused by brokers.
const LARGEST: u64 = 3_600;

impl Rare {
    pub(super) fn draw(picks: &Picks, occasion: Occasion) -> Rare {
        let has_tags = !picks.omits("tags");
        let own = |what: &str, out_of: u64| picks.of(&["rare", what]).chance(1, out_of);
        let reset = own("reset", 8) && occasion == Occasion::None;
        Rare {
            twin_tags: has_tags && own("twin-tags", 3),
            condition: !has_tags && own("condition", 5),
            too_large: own("too-large", 10),
            checkpoints: own("checkpoints", 4),
            reset,
            is_early: own("early", 4),
            calm: if reset { CALM } else { occasion.calm() },
            occasion,
        }
    }

    /// Lines of every broker's file.
    pub(super) fn settings(&self) -> String {
        let mut text = self.occasion.settings().to_owned();
        if self.condition {
            text.push_str("enablePropertyFilter=true\\n");
        }
        if self.checkpoints {
            text.push_str("flushConsumeQueueThoroughInterval=1000\\n");
        }
        if self.too_large {
            let _ = write!(text, "maxMessageSize={LARGEST}\\n");
        }
        text
    }

    /// A size that is not refused, with all that is added on the way.
    pub(super) fn size(&self, drawn: u64) -> u64 {
        if self.too_large { drawn.min(LARGEST / 2) } else { drawn }
    }

    /// What the first producer sends besides.
    pub(super) fn sends(&self, out: &mut String, times: &Times) {
        self.occasion.sends(out, times);
        if self.too_large {
            let _ = writeln!(out, "[[producer.send]]\ntopic = \"orders\"\nmode = \"sync\"\ncount = 2\nevery = \"2s\"");
            let _ = writeln!(out, "wait = \"2s\"\nkey = \"large-{{n}}\"\nsize = 4000");
        }
    }

    /// The operator, once everybody has found each other. Runs begin at 16:00 on the 10th of November 2018.
    pub(super) fn operator(&self, out: &mut String, picks: &Picks, times: &Times) {
        if !self.reset {
            return;
        }
        let mut pick = picks.of(&["rare", "operator"]);
        let start = times.warm - CALM;
        let wait = pick.between(10, 2_000);
        let back_to = pick.between(start / 2_000, (start + wait) / 1_000).min(59);
        let _ = writeln!(out, "\n[[operator]]\nname = \"ops\"\nstart = \"{start}ms\"\n[[operator.reset]]");
        let _ = writeln!(out, "wait = \"{wait}ms\"\ngroup = \"billing\"\ntopic = \"orders\"");
        let _ = writeln!(out, "to = \"201811101600{back_to:02}\"");
    }
}
