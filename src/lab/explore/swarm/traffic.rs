//! What the applications of a draft do, and when.

use std::fmt::Write;

use crate::lab::explore::swarm::Length;
use crate::lab::explore::swarm::cluster::Cluster;
use crate::lab::explore::swarm::pick::Picks;
use crate::lab::explore::swarm::rare::{CONDITION, Rare};

/// When what happens, in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Times {
    /// The clients boot.
    pub(super) start: u64,
    /// Everybody has found each other.
    pub(super) warm: u64,
    /// Spans in which faults begin.
    pub(super) bursts: Vec<(u64, u64)>,
    /// Everything that heals has healed.
    pub(super) healed: u64,
    /// The end at the latest.
    pub(super) until: u64,
}

/// Who is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    pub(super) producers: Vec<String>,
    pub(super) consumers: Vec<String>,
}

impl Times {
    pub(super) fn draw(picks: &Picks, cluster: &Cluster, (length, rare): (Length, &Rare)) -> Times {
        let mut pick = picks.of(&["times"]);
        // A slave's first report comes ten seconds after its boot; until then nothing waits for it.
        let start = if cluster.has_slave() { 11_000 } else { 1_000 };
        let warm = start + pick.between(3_000, 5_000) + rare.calm;
        let mut bursts = Vec::new();
        let mut at = warm;
        let (end, mean) = match length {
            Length::Standard => (warm + pick.between(6_000, 16_000).max(rare.occasion.burst()), 20_000),
            Length::Long => (warm + pick.spread(300_000, 6 * 3_600_000), 20_000),
        };
        while at < end {
            let burst = pick.between(mean / 2, mean * 3 / 2).min(end - at);
            bursts.push((at, at + burst));
            at += burst + pick.between(mean / 4, mean * 3 / 4);
        }
        let healed = end + 1_500;
        Times { start, warm, bursts, healed, until: healed + 420_000 }
    }
}

/// So long after everything has healed the first producer sends once more.
const AFTERWARDS: u64 = 1_000;

/// How long after another a member comes that is to be told apart from it, and what it takes for a message.
const STAGGER: u64 = 7_000;
const SLOW: u64 = 1_500;

/// Which features the workload has: each with its own coin.
struct Features<'a> {
    rare: &'a Rare,
    orderly: bool,
    delay: bool,
    transactions: bool,
    tags: bool,
    batches: bool,
    modes: bool,
    failures: bool,
    broadcast: bool,
    second_group: bool,
    slow: bool,
}

/// Writes topics, producers and consumers.
pub(super) fn write(out: &mut String, (picks, rare): (&Picks, &Rare), cluster: &Cluster, times: &Times) -> Clients {
    let on = |feature: &str| !picks.omits(feature);
    let features = Features {
        rare,
        orderly: (on("orderly") || rare.occasion.is_ordered()) && !rare.occasion.is_unordered(),
        delay: on("delay") && !rare.occasion.is_plain(),
        transactions: on("transactions") && !rare.occasion.is_plain(),
        tags: on("tags"),
        batches: on("batches"),
        modes: on("modes"),
        failures: on("failures") && !rare.occasion.is_plain(),
        broadcast: on("broadcast") && on("broadcast-too"),
        second_group: on("second-group"),
        slow: on("slow"),
    };
    let queues = picks.of(&["topic"]).between(1, if 1 < cluster.masters.len() { 2 } else { 4 });
    let names: Vec<String> = cluster.masters.iter().map(|master| format!("\"{}\"", master.name)).collect();
    let _ = writeln!(out, "\n[[topic]]\nname = \"orders\"\nqueues = {queues}\non = [{}]", names.join(", "));
    let mut clients = Clients::default();
    for number in 1..=picks.of(&["producers"]).between(1, 2) {
        let name = format!("shop-{number}");
        producer(out, picks, (&name, &features), times);
        clients.producers.push(name);
    }
    for (at, group) in ["billing", "stock"].into_iter().enumerate() {
        if at == 1 && !features.second_group {
            break;
        }
        let mut pick = picks.of(&["group", group]);
        let broadcast = at == 1 && features.broadcast;
        let orderly = features.orderly && !broadcast && (pick.chance(2, 3) || rare.occasion.is_ordered());
        let tags = features.tags && pick.chance(1, 2);
        let mut pick_of_dead = picks.of(&["hopeless", group]);
        let gives_up = features.failures && !broadcast && !orderly && pick_of_dead.chance(1, 3);
        let gives_up = gives_up.then(|| (pick_of_dead.between(1, 2), pick_of_dead.between(0, 2)));
        for number in 1..=pick.between(1, 3).max(rare.occasion.members()) {
            let name = format!("{group}-{number}");
            let staggered = rare.occasion.is_ordered().then_some(number - 1);
            let of = Group { group, broadcast, orderly, tags, gives_up, staggered };
            consumer(out, picks, (&name, &of, &features), times);
            clients.consumers.push(name);
        }
    }
    rare.occasion.consumer(out, times);
    rare.operator(out, picks, times);
    clients
}

fn producer(out: &mut String, picks: &Picks, (name, features): (&str, &Features<'_>), times: &Times) {
    let mut pick = picks.of(&["producer", name]);
    let transactional = features.transactions && pick.chance(1, 2);
    // A broker asks any member of the group how a transaction ended: one that runs none would never answer.
    let group = if features.transactions { name } else { "shop" };
    let _ = writeln!(out, "\n[[producer]]\nname = \"{name}\"\ngroup = \"{group}\"\nstart = \"{}ms\"", times.start);
    let _ = writeln!(out, "timeout = \"{}ms\"\nretries = {}", pick.spread(1_000, 5_000), pick.between(0, 3));
    if features.modes && pick.chance(1, 4) {
        out.push_str("latency_fault = true\n");
    }
    if features.modes && pick.chance(1, 4) {
        out.push_str("retry_another_broker = true\n");
    }
    let span = times.healed.saturating_sub(times.start) / if features.rare.is_early { 3 } else { 1 };
    let blocks = pick.between(1, 2);
    for block in 1..=blocks {
        let mut pick = picks.of(&["send", name, &block.to_string()]);
        // Somebody is acknowledged in every run: the first row of the first producer is that.
        let is_first = block == 1 && name == "shop-1";
        let count = pick.spread(if is_first { 8 } else { 4 }, 24);
        let every = (span / blocks / count).max(20);
        let _ = writeln!(out, "[[producer.send]]\ntopic = \"orders\"");
        let batch = features.batches && !transactional && pick.chance(1, 4);
        let mode = match pick.between(0, 9) {
            _ if transactional && block == 1 => "transaction",
            0..=1 if features.modes => "async",
            2 if features.modes && !is_first => "oneway",
            _ => "sync",
        };
        let _ = writeln!(out, "mode = \"{mode}\"\ncount = {count}\nevery = \"{every}ms\"\nwait = \"500ms\"");
        let keys = pick.between(if transactional { 4 } else { 1 }, 6);
        let _ = writeln!(out, "key = \"{name}-{block}-{{n%{keys}}}\"\nbody = \"{name} {block} {{n}}\"");
        if batch && mode == "sync" {
            let _ = writeln!(out, "batch = {}", pick.between(2, 4).min(count));
        } else if mode != "transaction" && mode != "oneway" && pick.chance(1, 2) {
            out.push_str("select = \"hash:key\"\n");
        }
        if features.tags {
            let tags = if features.rare.twin_tags { "Aa,BB,pay" } else { "create,pay,done" };
            let _ = writeln!(out, "tag = \"{{pick:{tags}}}\"");
        }
        if features.rare.condition {
            let region = picks.of(&["region", name, &block.to_string()]).one(&["'east'", "'west'", ""]);
            let region = if is_first { "east" } else { region.trim_matches('\'') };
            if !region.is_empty() {
                let _ = writeln!(out, "properties = {{ region = \"{region}\" }}");
            }
        }
        if pick.chance(1, 3) {
            let _ = writeln!(out, "size = {}", features.rare.size(pick.spread(16, 6_000)));
        }
        if features.delay && !batch && mode != "transaction" && pick.chance(1, 3) {
            let _ = writeln!(out, "delay_level = {}", pick.between(1, 3));
        }
        let mut half = picks.of(&["half-delay", name, &block.to_string()]);
        if features.delay && mode == "transaction" && half.chance(1, 4) {
            let _ = writeln!(out, "delay_level = {}", half.between(1, 3));
        }
        if features.modes && pick.chance(1, 8) {
            out.push_str("wait_store = false\n");
        }
    }
    if name == "shop-1" {
        features.rare.sends(out, times);
        last_sends(out, features, times);
    }
    if transactional {
        decisions(out, picks, name);
    }
}

/// What was sent when nothing was well may all have failed: whether it works again is asked in every run.
fn last_sends(out: &mut String, features: &Features<'_>, times: &Times) {
    let wait = times.healed + AFTERWARDS - times.start;
    let _ = writeln!(out, "[[producer.send]]\ntopic = \"orders\"\nmode = \"sync\"\ncount = 2\nevery = \"1s\"");
    let _ = writeln!(out, "wait = \"{wait}ms\"\nkey = \"last-{{n}}\"");
    if features.tags {
        out.push_str("tag = \"pay\"\n");
    }
    if features.rare.condition {
        out.push_str("properties = { region = \"east\" }\n");
    }
}

fn decisions(out: &mut String, picks: &Picks, name: &str) {
    let mut pick = picks.of(&["decide", name]);
    for (key, locals) in
        [(1, &["rollback", "unknown", "throw"] as &[&str]), (2, &["commit", "unknown", "null"]), (0, &["commit"])]
    {
        let _ = writeln!(out, "[[producer.on]]");
        if key != 0 {
            let _ = writeln!(out, "match = {{ key = \"{name}-1-{key}\" }}");
        }
        let _ = writeln!(out, "local = \"{}\"", pick.one(locals));
        let _ = writeln!(out, "check = [\"{}\", \"ledger\"]", pick.one(&["unknown", "ledger"]));
        if pick.chance(1, 4) {
            let _ = writeln!(out, "takes = \"{}ms\"", pick.spread(1, 3_000));
        }
    }
}

/// What the members of a group have in common.
struct Group<'a> {
    group: &'a str,
    broadcast: bool,
    orderly: bool,
    tags: bool,
    /// After how many tries it gives up, and the number of the key that always fails.
    gives_up: Option<(u64, u64)>,
    /// How many come before a member, where they come one after the other.
    staggered: Option<u64>,
}

fn consumer(out: &mut String, picks: &Picks, (name, of, features): (&str, &Group<'_>, &Features<'_>), times: &Times) {
    let mut pick = picks.of(&["consumer", name]);
    let mut shared = picks.of(&["members", of.group]);
    let late = pick.chance(1, 4);
    let start = if late { times.start + pick.between(1_000, 12_000) } else { times.start };
    let start = of.staggered.map_or(start, |before| times.start + before * STAGGER);
    let _ = writeln!(out, "\n[[consumer]]\nname = \"{name}\"\ngroup = \"{}\"\nstart = \"{start}ms\"", of.group);
    let model = if of.broadcast { "broadcasting" } else { "clustering" };
    let mode = if of.orderly { "orderly" } else { "concurrent" };
    let _ = writeln!(out, "model = \"{model}\"\nmode = \"{mode}\"\nfrom = \"first\"");
    let what = if of.tags { shared.one(&["create || pay", "pay || done", "create || pay || done"]) } else { "*" };
    let what = if of.tags && features.rare.twin_tags { "Aa || pay" } else { what };
    let _ = match features.rare.condition && of.group == "billing" {
        true => writeln!(out, "subscribe = {{ orders = {{ sql = \"{CONDITION}\" }} }}"),
        false => writeln!(out, "subscribe = {{ orders = \"{what}\" }}"),
    };
    let batch = if shared.chance(1, 3) { shared.between(2, 8) } else { 1 };
    let batch = if of.staggered.is_some() { 1 } else { batch };
    let _ = writeln!(out, "batch = {batch}\nallocate = \"{}\"", shared.one(&["averagely", "by-circle"]));
    if of.orderly {
        let _ = writeln!(out, "suspend = \"{}ms\"", pick.spread(100, 2_000));
    }
    if let Some((tries, key)) = of.gives_up {
        let _ = writeln!(out, "max_reconsume = {tries}\n[[consumer.on]]\nmatch = {{ key = \"shop-1-1-{key}\" }}");
        let _ = writeln!(out, "reply = [\"fail\"]\ntakes = \"5ms\"");
    }
    if features.failures && !of.broadcast {
        let first: &[&str] = if of.orderly { &["suspend", "throw"] } else { &["fail", "throw", "null"] };
        let key = format!("shop-{}-1-{}", shared.between(1, 2), shared.between(0, 2));
        let _ = writeln!(out, "[[consumer.on]]\nmatch = {{ key = \"{key}\" }}");
        let _ = writeln!(out, "reply = [\"{}\", \"ok\"]\ntakes = \"{}ms\"", pick.one(first), pick.spread(1, 100));
    }
    let takes = if features.slow { pick.spread(1, 1_500) } else { pick.spread(1, 20) };
    let takes = if of.staggered.is_some() { SLOW } else { takes };
    let _ = writeln!(out, "[[consumer.on]]\nreply = [\"ok\"]\ntakes = \"{takes}ms\"");
}
