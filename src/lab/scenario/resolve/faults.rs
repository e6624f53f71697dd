//! Faults: one verb each, at a moment.

use toml::Spanned;

use super::{Resolver, device, head, machines, place, roads};
use crate::lab::fault::episode::{Episode, EventMatch, FaultKind, Keep, Trigger};
use crate::lab::fault::moment;
use crate::lab::scenario::fault::{FaultScript, TargetScript};
use crate::lab::scenario::script::Text;
use crate::lab::scenario::table::Table;
use crate::mq::message::Name;
use crate::mq::time::{Span, Time};

/// What a table of a fault becomes, and where it stands.
pub(super) type Kinds = Vec<(std::ops::Range<usize>, FaultKind)>;

/// A verb that takes a node.
type Target<'a> = &'a Option<Spanned<Table<TargetScript>>>;

/// What such a verb does to it.
type OfNode = fn(Name) -> FaultKind;

const VERBS: &str = "kill, power-loss, restart, stop, pause, resume, cut, heal, reset, delay, clock-skew";

impl Resolver<'_> {
    pub(super) fn episodes(&mut self, until: Time) -> Vec<Episode> {
        let script = self.script;
        let mut episodes = Vec::new();
        let mut triggers = Vec::new();
        for (number, fault) in script.fault.iter().enumerate() {
            let table = fault.get_ref();
            let name = match &table.name {
                Some(name) => Name::from(name.get_ref().as_str()),
                None => Name::from(format!("fault-{}", number + 1)),
            };
            if table.at.is_none() {
                let help = "write `at = \"1250ms\"`, or another moment";
                self.wrong("missing", Some(head(fault.span())), format!("the fault `{name}` has no `at`"), help);
            }
            let trigger = self.moment(&table.at, Trigger::At(Time::ZERO));
            self.possible(&trigger, &name, &table.at, until);
            let lasts = table.lasts.as_ref().map(|_| self.span(&table.lasts, Span::ZERO));
            if lasts == Some(Span::ZERO) {
                let message = format!("the fault `{name}` would last no time");
                self.wrong("impossible_time", place(&table.lasts), message, "give it a span, or leave `lasts` out");
            }
            triggers.push((name.clone(), trigger.clone(), &table.at));
            let is_off = table.off.unwrap_or(false);
            if let Some(kind) = self.kind(fault, &name).filter(|_| !is_off) {
                let lasts = lasts.or(kind.lasts_by_itself());
                episodes.push(Episode { name, trigger, lasts, kind });
            }
        }
        self.circles(&triggers);
        episodes
    }

    /// Faults that wait for each other never begin.
    fn circles(&mut self, triggers: &[(Name, Trigger, &Option<Text>)]) {
        let awaited = |name: &Name| {
            let (_, trigger, _) = triggers.iter().find(|(other, ..)| other == name)?;
            match trigger {
                Trigger::After { event: EventMatch::Fault(other), .. } => Some(other),
                _ => None,
            }
        };
        for (name, _, at) in triggers {
            let Some(first) = awaited(name) else { continue };
            let chain = std::iter::successors(Some(first), |name| awaited(name)).take(triggers.len());
            if first == name {
                let message = format!("the fault `{name}` waits for itself");
                self.wrong("impossible_time", place(at), message, "wait for something else");
            } else if chain.into_iter().any(|other| other == name) {
                let message = format!("the fault `{name}` waits for `{first}`, which waits for it");
                self.wrong("impossible_time", place(at), message, "let one of them wait for something else");
            }
        }
    }

    fn possible(&mut self, trigger: &Trigger, name: &Name, at: &Option<Text>, until: Time) {
        if let Trigger::At(moment) = trigger
            && until <= *moment
        {
            let message = format!("the fault `{name}` would begin at {moment}, when the run is over ({until})");
            self.wrong("impossible_time", place(at), message, "begin earlier, or set a later `until`");
        }
    }

    fn kind(&mut self, fault: &Spanned<Table<FaultScript>>, name: &Name) -> Option<FaultKind> {
        let table = fault.get_ref();
        let mut kinds = Vec::new();
        let targets: [(Target<'_>, OfNode); 4] = [
            (&table.kill, |node| FaultKind::Kill { node }),
            (&table.restart, |node| FaultKind::Restart { node }),
            (&table.stop, |node| FaultKind::Stop { node }),
            (&table.resume, |node| FaultKind::Resume { node }),
        ];
        for (target, make) in targets {
            if let Some(target) = target {
                kinds.push((target.span(), make(self.target(&target.get_ref().node))));
            }
        }
        if let Some(power) = &table.power_loss {
            let keep = self.word(&power.get_ref().keep, "keep", &Keep::ALL);
            kinds.push((power.span(), FaultKind::PowerLoss { node: self.target(&power.get_ref().node), keep }));
        }
        self.roads(table, &mut kinds);
        self.bent_roads(table, &mut kinds);
        self.machines(table, &mut kinds);
        self.devices(table, &mut kinds);
        if let Some(skew) = &table.clock_skew {
            let millis = self.skew(&skew.get_ref().by);
            kinds.push((skew.span(), FaultKind::ClockStep { node: self.target(&skew.get_ref().node), millis }));
        }
        if kinds.len() > 1 {
            let message = format!("the fault `{name}` has {} verbs", kinds.len());
            self.wrong("contradiction", Some(kinds[1].0.clone()), message, "write one [[fault]] for each");
        }
        if kinds.is_empty() {
            let help = format!("add one of: {VERBS}, {}, {}, {}", roads::VERBS, machines::VERBS, device::VERBS);
            self.wrong("missing", Some(head(fault.span())), format!("the fault `{name}` does nothing"), &help);
        }
        kinds.into_iter().next().map(|(_, kind)| kind)
    }

    fn roads(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(cut) = &table.cut {
            let [from, to] = self.ends(&cut.get_ref().from, &cut.get_ref().to);
            let both = !cut.get_ref().one_way.as_ref().is_some_and(|one_way| *one_way.get_ref());
            kinds.push((cut.span(), FaultKind::Cut { from, to, both }));
        }
        if let Some(heal) = &table.heal {
            let [from, to] = self.ends(&heal.get_ref().from, &heal.get_ref().to);
            kinds.push((heal.span(), FaultKind::Heal { from, to }));
        }
        if let Some(delay) = &table.delay {
            let [from, to] = self.ends(&delay.get_ref().from, &delay.get_ref().to);
            if delay.get_ref().by.is_none() {
                let help = "write `by = \"200ms\"`";
                self.wrong("missing", Some(delay.span()), "this delay does not say by how much".into(), help);
            }
            let by = self.span(&delay.get_ref().by, Span::ZERO);
            kinds.push((delay.span(), FaultKind::Delay { from, to, by }));
        }
    }

    pub(super) fn ends(&mut self, from: &Option<Text>, to: &Option<Text>) -> [Name; 2] {
        [from, to].map(|end| match end {
            Some(end) => self.target(end),
            None => Name::from("*"),
        })
    }

    /// A node, or `*` for all.
    pub(super) fn target(&mut self, name: &Text) -> Name {
        if name.get_ref() == "*" { Name::from("*") } else { self.node(name) }
    }

    pub(super) fn skew(&mut self, by: &Text) -> i64 {
        let text = by.get_ref().trim();
        let (sign, size) = match text.strip_prefix('-') {
            Some(size) => (-1, size),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        match moment::span(size) {
            Ok(span) => sign * span.as_millis() as i64,
            Err(error) => {
                self.wrong("wrong_time", Some(by.span()), error.message, &error.help);
                0
            }
        }
    }
}
