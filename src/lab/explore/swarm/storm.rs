//! What is to go wrong in a draft.

use std::collections::BTreeSet;

use crate::lab::explore::swarm::cluster::Cluster;
use crate::lab::explore::swarm::kinds::{ALL, Kind};
use crate::lab::explore::swarm::occasion::Occasion;
use crate::lab::explore::swarm::pick::{Pick, Picks};
use crate::lab::explore::swarm::traffic::{Clients, Times};
use crate::lab::explore::swarm::{Bounds, Wish};

/// Where it happens.
pub(super) struct Scene<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) clients: &'a Clients,
    pub(super) times: &'a Times,
    pub(super) within: bool,
    pub(super) occasion: Occasion,
}

/// Draws the faults of a seed: three to six in a burst, of kinds that were not left out.
pub(super) fn draw(picks: &Picks, scene: &Scene<'_>, bounds: &Bounds) -> Vec<Wish> {
    let is_wanted =
        |verb: &str| (bounds.only.is_empty() || bounds.only.contains(verb)) && !bounds.without.contains(verb);
    let wanted = |kind: &&Kind| {
        let kept = !bounds.only.is_empty() || !picks.omits(kind.verb);
        kept && is_wanted(kind.verb) && (kind.within || !scene.within) && scene.occasion.bears(kind.verb)
    };
    let kinds: Vec<&Kind> = ALL.iter().filter(wanted).collect();
    if kinds.is_empty() {
        return Vec::new();
    }
    // Part of the cluster never comes back, in one seed of twelve.
    let core = picks.of(&["heal"]).chance(1, 12);
    let mut wishes: Vec<Wish> = scene.occasion.wishes(picks, scene.times);
    wishes.retain(|wish| is_wanted(wish.verb));
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (burst, (from, to)) in scene.times.bursts.iter().enumerate() {
        let mut pick = picks.of(&["burst", &burst.to_string()]);
        let count = pick.between(3, 6);
        for number in 0..scene.occasion.storm().unwrap_or(count) {
            let mut pick = picks.of(&["fault", &burst.to_string(), &number.to_string()]);
            let kind = *pick.weighted(&kinds, |kind| kind.weight);
            let at = on_a_tick(picks, (burst, number), pick.between(*from, *to), (kind.verb, *to));
            let Some(body) = (kind.body)(&mut pick, scene) else { continue };
            // Two alike would be one, and the second would draw other numbers without the first.
            let targets: Vec<&str> = body.split('"').skip(1).step_by(2).filter(|word| scene.is_node(word)).collect();
            let key = format!("{} {}", kind.verb, targets.join(" "));
            if !seen.insert(key) {
                continue;
            }
            // A store is started again when its disk is well, and has to have half a second left for that.
            let left = scene.times.healed - at - if kind.verb == "sync-error" { 1_000 } else { 0 };
            let lasts = kind.lasts.map(|(least, most)| pick.spread(least, most).min(left));
            let gone = core
                && lasts.is_some()
                && wishes.iter().all(|wish| wish.lasts.is_some())
                && may_stay(kind.verb)
                && scene.can_spare(&targets);
            let lasts = if gone { None } else { lasts };
            let name = format!("{}-{}", kind.verb, wishes.len() + 1);
            if kind.verb == "sync-error" {
                // A store that refuses after a failed sync does so until somebody starts it again.
                let node = body.split('"').nth(1).unwrap_or_default();
                let (name, at) = (format!("reboot-{}", wishes.len() + 1), scene.times.healed - 500);
                wishes.push(Wish { name, at, lasts: None, verb: "restart", body: format!("{{ node = \"{node}\" }}") });
            }
            wishes.push(Wish { name, at, lasts, verb: kind.verb, body });
        }
    }
    wishes.sort_by_key(|wish| wish.at);
    wishes
}

/// Of three losses of power, one comes when files that are written by the clock have just been written.
fn on_a_tick(picks: &Picks, (burst, number): (usize, u64), at: u64, (verb, to): (&str, u64)) -> u64 {
    let mut tick = picks.of(&["tick", &burst.to_string(), &number.to_string()]);
    let next = at.next_multiple_of(TICK) + tick.between(50, 900);
    if verb == "power-loss" && tick.chance(1, 3) && next <= to { next } else { at }
}

/// In milliseconds: brokers write offsets every five seconds from their boot on, and the levels' cursors every ten.
const TICK: u64 = 5_000;

/// What a core heal leaves as it is.
fn may_stay(verb: &str) -> bool {
    ["kill", "power-loss", "cut", "stop"].contains(&verb)
}

impl Scene<'_> {
    pub(super) fn nameserver(&self, pick: &mut Pick) -> String {
        format!("ns-{}", pick.between(1, self.cluster.nameservers))
    }

    pub(super) fn broker(&self, pick: &mut Pick) -> String {
        let brokers: Vec<&str> = self.cluster.brokers().collect();
        pick.one(&brokers).to_owned()
    }

    pub(super) fn master(&self, pick: &mut Pick) -> String {
        let masters: Vec<&str> = self.cluster.masters.iter().map(|master| &*master.name).collect();
        pick.one(&masters).to_owned()
    }

    pub(super) fn client(&self, pick: &mut Pick) -> String {
        let clients: Vec<&str> =
            self.clients.producers.iter().chain(&self.clients.consumers).map(|name| &**name).collect();
        pick.one(&clients).to_owned()
    }

    /// A broker half of the time, a client mostly otherwise.
    pub(super) fn any(&self, pick: &mut Pick) -> String {
        match pick.between(0, 9) {
            0..=4 => self.broker(pick),
            5..=8 => self.client(pick),
            _ => self.nameserver(pick),
        }
    }

    pub(super) fn is_broker(&self, name: &str) -> bool {
        self.cluster.brokers().any(|broker| broker == name)
    }

    /// Whether there is work to be seen without these for ever: slaves, or a master beside others.
    fn can_spare(&self, nodes: &[&str]) -> bool {
        let is_slave = |node: &&&str| self.cluster.masters.iter().any(|master| master.slave.as_deref() == Some(**node));
        let is_master = |node: &&str| self.cluster.masters.iter().any(|master| master.name == **node);
        match nodes.iter().find(is_slave) {
            Some(_) => nodes.iter().all(|node| is_slave(&node) || self.is_broker(node)),
            None => 1 < self.cluster.masters.len() && nodes.iter().all(is_master),
        }
    }

    fn is_node(&self, word: &str) -> bool {
        let is_client = self.clients.producers.iter().chain(&self.clients.consumers).any(|client| client == word);
        is_client || word == "*" || word.starts_with("ns-") || self.is_broker(word)
    }

    pub(super) fn slave_of(&self, broker: &str) -> Option<&str> {
        self.cluster.masters.iter().find(|master| master.name == broker)?.slave.as_deref()
    }
}
