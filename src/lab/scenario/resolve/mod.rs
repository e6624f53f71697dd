//! From a script to a plan: every default filled in, every name looked up, every number decided; all problems at once.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use crate::lab::fault::episode::{Episode, EventMatch, FaultKind, Trigger};
use crate::lab::fault::moment::{self, MomentError, nearest};
use crate::lab::locale::Phrase;
use crate::lab::scenario::hunt::Draws;
use crate::lab::scenario::lesson::Lesson;
use crate::lab::scenario::plan::{Network, NodePlan, Plan};
use crate::lab::scenario::report::Problem;
use crate::lab::scenario::script::{Script, Text};
use crate::lab::scenario::{FORMAT, read};
use crate::mq::message::Name;
use crate::mq::profile::{Profile, SWITCHES};
use crate::mq::time::{Millis, Span, Time};

mod card;
mod clients;
mod cluster;
mod device;
mod exercise;
mod expects;
mod faults;
mod lesson;
mod machines;
mod operators;
mod properties;
mod pullers;
mod roads;
mod sharing;

mod steered;

/// Names that are given already, each with what it stands for.
type Taken = BTreeMap<String, &'static str>;

/// What is known and what is wrong so far.
pub(super) struct Resolver<'a> {
    script: &'a Script,
    /// What the script was read from.
    text: &'a str,
    seed: u64,
    problems: Vec<Problem>,
    /// Every node's name, in order.
    nodes: Vec<Name>,
    /// Every fault's name.
    faults: Vec<Name>,
    /// What is not wrong, and should be known.
    notes: Vec<Phrase>,
}

/// No list of tables is longer.
const LIST_MAX: usize = 1_000;
/// 2018-11-11T00:00:00+08:00.
const START: Millis = Millis(1_541_865_600_000);
/// No run is longer: a virtual year.
const UNTIL_MAX: Span = Span::from_secs(366 * 24 * 3600);

/// The plan and the words of a script.
pub(super) fn resolve(script: &Script, text: &str, seed: Option<u64>) -> Result<Resolved, Vec<Problem>> {
    let (problems, nodes, faults, notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut resolver = Resolver { script, text, seed: 0, problems, nodes, faults, notes };
    resolver.lengths();
    if !resolver.problems.is_empty() {
        return Err(resolver.problems);
    }
    let (plan, lesson) = resolver.all(seed);
    let words = [("seed", Draws::Seed), ("everything", Draws::Everything)];
    let draws = resolver.word(&script.hunt.draws, "draws", &words);
    let Resolver { problems, notes, .. } = resolver;
    if problems.is_empty() { Ok(Resolved { plan, lesson, notes, draws }) } else { Err(problems) }
}

/// A script with every number decided.
pub(super) struct Resolved {
    pub(super) plan: Plan,
    pub(super) lesson: Lesson,
    /// What is not wrong, and should be known.
    pub(super) notes: Vec<Phrase>,
    pub(super) draws: Draws,
}

impl<'a> Resolver<'a> {
    fn all(&mut self, seed: Option<u64>) -> (Plan, Lesson) {
        let script = self.script;
        self.format();
        let own = self.number(&script.seed, 1, 0..=i64::MAX, "seed") as u64;
        self.seed = seed.unwrap_or(own);
        let scenario = self.identifier(&script.id, "id", &Taken::new());
        let until = self.until();
        let profile = self.profile();
        let network = self.network();
        self.names();
        let mut nodes = self.servers();
        let (clients, senders, listeners, deciders) = self.clients(&nodes);
        nodes.extend(clients);
        let operators = self.operators(&mut nodes);
        let pullers = self.pullers(&mut nodes);
        let steered = self.steered();
        let episodes = self.episodes(until);
        self.boots(&nodes, &episodes, until);
        self.twins(&mut nodes, &episodes);
        let expects = self.expects();
        let lesson = self.lesson(&expects);
        let start = self.start();
        let seed = self.seed;
        let plan = Plan {
            scenario,
            seed,
            until,
            start,
            profile,
            order_message_enable: script.cluster.order_message_enable.unwrap_or(false),
            network,
            nodes,
            senders,
            listeners,
            deciders,
            operators,
            pullers,
            steered,
            episodes,
            expects,
        };
        (plan, lesson)
    }

    /// Lists that no person wrote are refused before anything is looked up in them.
    fn lengths(&mut self) {
        let script = self.script;
        let sends = script.producer.iter().map(|one| one.get_ref().send.len()).sum();
        let rules = script.consumer.iter().map(|one| one.get_ref().on.len()).sum();
        let first = |spans: Option<Range<usize>>| spans.map(head);
        let lists = [
            ("broker", script.broker.len(), first(script.broker.first().map(Spanned::span))),
            ("topic", script.topic.len(), first(script.topic.first().map(Spanned::span))),
            ("producer", script.producer.len(), first(script.producer.first().map(Spanned::span))),
            ("producer.send", sends, first(script.producer.first().map(Spanned::span))),
            ("consumer", script.consumer.len(), first(script.consumer.first().map(Spanned::span))),
            ("consumer.on", rules, first(script.consumer.first().map(Spanned::span))),
            ("puller", script.puller.len(), first(script.puller.first().map(Spanned::span))),
            ("operator", script.operator.len(), first(script.operator.first().map(Spanned::span))),
            ("fault", script.fault.len(), first(script.fault.first().map(Spanned::span))),
            ("step", script.step.len(), first(script.step.first().map(Spanned::span))),
            ("expect", script.expect.len(), first(script.expect.first().map(Spanned::span))),
        ];
        for (list, len, at) in lists {
            if LIST_MAX < len {
                let message = format!("there are {len} tables [[{list}]]");
                self.wrong("out_of_range", at, message, &format!("a scenario has at most {LIST_MAX} of them"));
            }
        }
    }

    fn format(&mut self) {
        match &self.script.format {
            Some(format) if *format.get_ref() == FORMAT => {}
            Some(format) => self.problems.push(read::wrong_format(*format.get_ref(), format.span())),
            None => self.wrong("missing", None, "the file does not say its format".into(), "begin with `format = 1`"),
        }
    }

    fn until(&mut self) -> Time {
        let script = self.script;
        if script.until.is_none() {
            self.wrong("missing", None, "the file does not say when the run ends".into(), "write `until = \"40s\"`");
        }
        // A wrong end must not make every moment impossible.
        let until = self.span(&script.until, UNTIL_MAX);
        if until == Span::ZERO || UNTIL_MAX < until {
            let help = "a run lasts between 1ns and a virtual year";
            self.wrong("impossible_time", place(&script.until), format!("a run of {until} is impossible"), help);
            return Time::ZERO + UNTIL_MAX;
        }
        Time::ZERO + until
    }

    fn profile(&mut self) -> Profile {
        let script = self.script;
        let mut profile = self.word(&script.cluster.profile, "profile", &PROFILES);
        for (row, on) in &script.profile.fix {
            let name = row.get_ref().as_str();
            if !profile.set(name, *on) {
                let known = SWITCHES.map(|switch| switch.row).join(", ");
                let message = format!("no weakness `{name}` has a repair");
                self.wrong("unknown_weakness", Some(row.span()), message, &format!("known here: {known}"));
            }
        }
        if let Some(name) = &script.profile.plant
            && let Err(wrong) = profile.plant(name.get_ref())
        {
            self.wrong("unknown_mistake", Some(name.span()), wrong.to_string(), wrong.help());
        }
        profile
    }

    fn network(&mut self) -> Network {
        let network = &self.script.cluster.network;
        let (latency_min, latency_max) = self.spans(&network.latency, (Span::from_millis(1), Span::from_millis(4)));
        if let Some(loss) = &network.loss
            && *loss.get_ref() != 0.0
        {
            let help = "connections are TCP: use a fault `cut`, `delay` or `reset`, or `loss = 0.0`";
            self.wrong("unsupported", Some(loss.span()), "frames are not lost one by one here".into(), help);
        }
        Network { latency_min, latency_max }
    }

    fn start(&mut self) -> Millis {
        let Some(start) = &self.script.start else { return START };
        match millis(start.get_ref()) {
            Some(millis) => millis,
            None => {
                let message = "the start is not a date, a time and a zone".to_owned();
                self.wrong("wrong_value", Some(start.span()), message, "e.g. 2018-11-11T00:00:00+08:00");
                START
            }
        }
    }

    /// The names of nodes and faults, which everything else refers to; each once.
    fn names(&mut self) {
        let script = self.script;
        let count = self.number(&script.cluster.nameserver, 1, 1..=16, "nameserver");
        self.nodes.extend((1..=count).map(|number| Name::from(format!("ns-{number}"))));
        let mut seen: Taken = self.nodes.iter().map(|name| (name.to_string(), "nameserver")).collect();
        let clients = script.producer.iter().map(|one| (&one.get_ref().name, &one.get_ref().process, one.span()));
        let clients =
            clients.chain(script.consumer.iter().map(|one| (&one.get_ref().name, &one.get_ref().process, one.span())));
        let clients =
            clients.chain(script.operator.iter().map(|one| (&one.get_ref().name, &one.get_ref().process, one.span())));
        let clients =
            clients.chain(script.puller.iter().map(|one| (&one.get_ref().name, &one.get_ref().process, one.span())));
        let brokers = script.broker.iter().map(|one| (&one.get_ref().name, &None, one.span()));
        for (name, process, table) in brokers.chain(clients) {
            let Some(given) = name else {
                self.wrong("missing", Some(head(table)), "this table has no name".into(), "write `name = \"…\"`");
                continue;
            };
            let name = self.identifier(name, "name", &seen);
            seen.entry(name.to_string()).or_insert("node");
            let node = process.as_ref().unwrap_or(given);
            let node = if process.is_some() { Name::from(node.get_ref().as_str()) } else { name };
            if !self.nodes.contains(&node) {
                self.nodes.push(node);
            }
        }
        let mut faults = Taken::new();
        for fault in &script.fault {
            if fault.get_ref().name.is_some() {
                let name = self.identifier(&fault.get_ref().name, "fault", &faults);
                faults.insert(name.to_string(), "fault");
                self.faults.push(name);
            }
        }
    }

    /// Moments at which nodes boot must come before the end, and must not wait for the node itself.
    fn boots(&mut self, nodes: &[NodePlan], episodes: &[Episode], until: Time) {
        let script = self.script;
        for node in nodes {
            let message = match &node.boot {
                Trigger::At(at) if until <= *at => {
                    format!("`{}` would boot at {at}, when the run is over ({until})", node.name)
                }
                Trigger::After { event: EventMatch::Kind { node: Some(other), .. }, .. }
                    if *other == node.name && !episodes.iter().any(|episode| boots_it(&episode.kind, other)) =>
                {
                    format!("`{other}` waits for itself to boot")
                }
                _ => continue,
            };
            let starts = script.producer.iter().map(|one| (&one.get_ref().name, &one.get_ref().start));
            let starts = starts.chain(script.consumer.iter().map(|one| (&one.get_ref().name, &one.get_ref().start)));
            let starts = starts.chain(script.puller.iter().map(|one| (&one.get_ref().name, &one.get_ref().start)));
            let starts = starts.chain(script.operator.iter().map(|one| (&one.get_ref().name, &one.get_ref().start)));
            let starts = starts.chain(script.broker.iter().map(|one| (&one.get_ref().name, &one.get_ref().start)));
            let is_it = |name: &Option<Text>| name.as_ref().is_some_and(|name| *name.get_ref() == *node.name);
            let at = starts.filter(|(name, _)| is_it(name)).find_map(|(_, start)| place(start));
            self.wrong("impossible_time", at, message, "start it earlier, or set a later `until`");
        }
    }

    fn wrong(&mut self, code: &'static str, at: Option<Range<usize>>, message: String, help: &str) {
        let at = at.or(Some(0..0));
        self.problems.push(Problem { code, message, at, label: String::new(), help: help.to_owned() });
    }

    /// A name: of a node, a fault, an expectation; not yet taken.
    fn identifier(&mut self, name: &Option<Text>, what: &str, taken: &Taken) -> Name {
        let Some(name) = name else {
            self.wrong("missing", None, format!("the file has no `{what}`"), &format!("write `{what} = \"…\"`"));
            return Name::from("?");
        };
        let text = name.get_ref().as_str();
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() || text.len() > 64 || !text.chars().all(legal) {
            let help = "use 1 to 64 letters, digits, `-`, `_` and `.`";
            self.wrong("bad_name", Some(name.span()), format!("`{}` is no name", clip(text)), help);
        } else if let Some(other) = taken.get(text) {
            let message = format!("`{text}` is the name of another {other}");
            self.wrong("duplicate_name", Some(name.span()), message, "every name stands for one thing: rename one");
        }
        Name::from(text)
    }

    /// A topic or a group, as upstream's `Validators` allow it.
    fn legal(&mut self, name: &Option<Text>, what: &str, table: Range<usize>) -> Name {
        let Some(name) = name else {
            let message = format!("this table has no `{what}`");
            self.wrong("missing", Some(head(table)), message, &format!("write `{what} = \"…\"`"));
            return Name::from("?");
        };
        let text = name.get_ref().as_str();
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '%' | '|');
        if text.is_empty() || text.len() > 255 || !text.chars().all(legal) {
            let message = format!("`{}` is no {what}", clip(text));
            let help = "RocketMQ allows ^[%|a-zA-Z0-9_-]+$ and 255 characters";
            self.wrong("bad_name", Some(name.span()), message, help);
        }
        Name::from(text)
    }

    /// A node that must exist.
    fn node(&mut self, name: &Text) -> Name {
        let text = name.get_ref().as_str();
        if !self.nodes.iter().any(|node| *node == text) {
            self.unknown("node", "Nodes", name, &self.nodes.clone());
        }
        Name::from(text)
    }

    /// Says that a name means nothing, and what would.
    fn unknown(&mut self, kind: &str, plural: &str, name: &Text, known: &[Name]) {
        let text = name.get_ref().as_str();
        let all: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
        let list = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        let help = match nearest(text, all.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"? {plural}: {list}"),
            None => format!("{plural}: {list}"),
        };
        let code = match kind {
            "node" => "unknown_node",
            "fault" => "unknown_fault",
            "broker" => "unknown_broker",
            _ => "unknown_name",
        };
        self.problems.push(Problem {
            code,
            message: format!("no {kind} named \"{}\"", clip(text)),
            at: Some(name.span()),
            label: "not defined in this file".to_owned(),
            help,
        });
    }

    fn number(
        &mut self,
        given: &Option<Spanned<i64>>,
        default: i64,
        range: std::ops::RangeInclusive<i64>,
        what: &str,
    ) -> i64 {
        let Some(number) = given else { return default };
        if range.contains(number.get_ref()) {
            return *number.get_ref();
        }
        let message = format!("{what} = {} is out of range", number.get_ref());
        let help = format!("between {} and {}", range.start(), range.end());
        self.wrong("out_of_range", Some(number.span()), message, &help);
        default
    }

    /// One word of a set; the first is the default.
    fn word<T: Clone>(&mut self, given: &Option<Text>, what: &str, words: &[(&str, T)]) -> T {
        let Some(text) = given else { return words[0].1.clone() };
        if let Some((_, value)) = words.iter().find(|(word, _)| word == text.get_ref()) {
            return value.clone();
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = match nearest(text.get_ref(), all.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"? One of: {}", all.join(", ")),
            None => format!("one of: {}", all.join(", ")),
        };
        self.wrong("wrong_value", Some(text.span()), format!("{what} cannot be \"{}\"", clip(text.get_ref())), &help);
        words[0].1.clone()
    }

    fn span(&mut self, given: &Option<Text>, default: Span) -> Span {
        self.timed(given, moment::span).unwrap_or(default)
    }

    fn spans(&mut self, given: &Option<Text>, default: (Span, Span)) -> (Span, Span) {
        self.timed(given, moment::spans).unwrap_or(default)
    }

    /// A moment whose nodes and faults exist.
    fn moment(&mut self, given: &Option<Text>, default: Trigger) -> Trigger {
        let Some(text) = given else { return default };
        let Some(trigger) = self.timed(given, moment::parse) else { return default };
        if let Trigger::After { event, .. } = &trigger {
            self.event_exists(event, text);
        }
        trigger
    }

    fn event_exists(&mut self, event: &EventMatch, text: &Text) {
        let stands = |name: &Name| Spanned::new(text.span(), name.to_string());
        match event {
            EventMatch::Fault(name) if !self.faults.contains(name) => {
                self.unknown("fault", "Faults", &stands(name), &self.faults.clone());
            }
            EventMatch::Kind { node: Some(node), .. } if !self.nodes.contains(node) => {
                self.unknown("node", "Nodes", &stands(node), &self.nodes.clone());
            }
            _ => {}
        }
    }

    fn timed<T>(&mut self, given: &Option<Text>, read: fn(&str) -> Result<T, MomentError>) -> Option<T> {
        let text = given.as_ref()?;
        match read(text.get_ref()) {
            Ok(value) => Some(value),
            Err(error) => {
                // Behind the opening quote, unless escapes make the text shorter than it stands there.
                let span = text.span();
                let plain = span.len() == text.get_ref().len() + 2;
                let at = match plain {
                    true => span.start + 1 + error.at.start..span.start + 1 + error.at.end,
                    false => span,
                };
                self.wrong("wrong_time", Some(at), error.message, &error.help);
                None
            }
        }
    }
}

/// Whether a fault boots a node.
fn boots_it(kind: &FaultKind, node: &Name) -> bool {
    matches!(kind, FaultKind::Restart { node: other } if other == node || *other == "*")
}

/// Where an optional value stands.
fn place<T>(given: &Option<Spanned<T>>) -> Option<Range<usize>> {
    given.as_ref().map(Spanned::span)
}

/// The beginning of a table, for what it lacks.
fn head(table: Range<usize>) -> Range<usize> {
    table.start..table.end.min(table.start + 1)
}

/// A text short enough to be quoted.
fn clip(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A TOML date and time with its zone as Java's milliseconds.
fn millis(at: &toml::value::Datetime) -> Option<Millis> {
    let (date, time) = (at.date?, at.time?);
    let zone = match at.offset? {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let day = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let seconds =
        day * 86_400 + i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
    Some(Millis((seconds - zone * 60) * 1_000 + i64::from(time.nanosecond.unwrap_or(0) / 1_000_000)))
}

/// Days of the civil calendar, counted in years that begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The named profiles.
const PROFILES: [(&str, Profile); 3] =
    [("rocketmq-4.3.2", Profile::FAITHFUL), ("faithful", Profile::FAITHFUL), ("hardened", Profile::HARDENED)];
