//! What a failed property says, and nothing else.

use std::fmt;

use crate::lab::check::Verdict;
use crate::lab::locale::Lang;
use crate::lab::logic;
use crate::lab::prop::run::{Broken, judge};
use crate::lab::scenario::plan::{Check, Plan};
use crate::lab::trace::log::{Role, Trace};
use crate::lab::trace::record::{Level, Seq};
use crate::lab::view::lines::{self, Handles};
use crate::mq::profile::SWITCHES;

/// A witness tells no more events.
const WITNESS_MAX: usize = 30;

/// Why a run is not as it should be.
#[derive(Clone)]
pub struct Failure(Box<Told>);

#[derive(Clone)]
struct Told {
    /// `G02 at-least-once`, or a property's name.
    id: String,
    scope: String,
    clause: String,
    why: String,
    witness: Vec<String>,
    faults: Vec<String>,
    tag: Option<String>,
    replay: Option<String>,
    suspect: Option<Suspect>,
}

/// What an experiment needs that finds the weakness.
#[derive(Clone)]
pub(super) struct Suspect {
    pub(super) lab: logic::Lab,
    pub(super) check: Check,
    /// The check's own word.
    pub(super) known: Option<String>,
}

impl Failure {
    pub(super) fn of(
        (id, scope): (&str, &str),
        clause: &str,
        broken: Broken,
        (trace, plan): (&Trace, &Plan),
    ) -> Failure {
        let handles = Handles::of(trace);
        let mut witness = broken.witness;
        witness.sort();
        witness.dedup();
        witness.truncate(WITNESS_MAX);
        Failure(Box::new(Told {
            id: id.to_owned(),
            scope: scope.to_owned(),
            clause: clause.to_owned(),
            why: broken.why,
            witness: witness.into_iter().filter_map(|seq| event(trace, &handles, seq)).collect(),
            faults: plan.episodes.iter().map(fault).collect(),
            tag: None,
            replay: None,
            suspect: None,
        }))
    }

    /// The guarantee or property.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The events that show it, a sentence each, in their order.
    pub fn witness(&self) -> &[String] {
        &self.0.witness
    }

    /// The faults of the plan, a line each.
    pub fn faults(&self) -> &[String] {
        &self.0.faults
    }

    /// The registered weakness that it is, once that was looked for.
    pub fn tag(&self) -> Option<&str> {
        self.0.tag.as_deref()
    }

    /// What makes two failures one: what was broken, and which part of it.
    pub(super) fn fingerprint(&self) -> (&str, &str) {
        (&self.0.id, &self.0.clause)
    }

    /// With what an experiment needs.
    pub(super) fn suspecting(mut self, suspect: Suspect) -> Failure {
        self.0.suspect = Some(suspect);
        self
    }

    /// With the command that shows it again.
    pub(super) fn with_replay(mut self, command: String) -> Failure {
        self.0.replay = Some(command);
        self
    }

    /// With the weakness that it is: the check's own word, or the one repair of the release that makes it go away.
    pub(super) fn blamed(mut self) -> Failure {
        if let Some(Suspect { lab, check, known }) = self.0.suspect.take() {
            self.0.tag = known.or_else(|| repair(&lab, &check));
        }
        self
    }
}

fn repair(lab: &logic::Lab, check: &Check) -> Option<String> {
    let open = SWITCHES.iter().map(|switch| switch.row).filter(|row| !lab.plan().profile.fixes(row));
    let mut helps = open.filter(|row| {
        let mut profile = lab.plan().profile.clone();
        profile.set(row, true);
        let repaired = lab.clone().with_profile(profile);
        let finding = judge(&repaired.play(Level::History), repaired.plan(), check);
        finding.is_none_or(|finding| matches!(finding.verdict, Verdict::Inconclusive { .. }))
    });
    helps.next().map(str::to_owned)
}

/// `34.100 s  bank (client): …`.
fn event(trace: &Trace, handles: &Handles, seq: Seq) -> Option<String> {
    let record = trace.get(seq)?;
    let micros = record.at.0 / 1_000;
    let at = format!("{}.{:06} s", micros / 1_000_000, micros % 1_000_000);
    let role = match record.node.map(|node| trace.header.nodes[usize::from(node.0)].role) {
        Some(Role::Nameserver) => " (nameserver)",
        Some(Role::Broker) => " (broker)",
        Some(Role::Client) => " (client)",
        None => "",
    };
    let line = lines::line(trace, handles, record, Lang::En)?;
    Some(format!("{at}  {}{role}: {}", line.actor, line.text))
}

fn fault(episode: &crate::lab::fault::episode::Episode) -> String {
    let lasts = episode.lasts.map(|lasts| format!(" for {lasts}")).unwrap_or_default();
    format!("{}: {}{lasts}", episode.name, episode.kind.sentence())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}): {}", self.0.id, self.0.scope, self.0.why)?;
        writeln!(f, "witness:")?;
        self.0.witness.iter().try_for_each(|event| writeln!(f, "  {event}"))?;
        if self.0.faults.is_empty() {
            writeln!(f, "faults: none")?;
        } else {
            writeln!(f, "faults:")?;
            self.0.faults.iter().try_for_each(|fault| writeln!(f, "  {fault}"))?;
        }
        if let Some(tag) = &self.0.tag {
            writeln!(f, "known weakness: {tag}")?;
        }
        self.0.replay.as_ref().map_or(Ok(()), |command| writeln!(f, "replay: {command}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}
