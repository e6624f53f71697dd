//! Going through one workload: every moment, every state that a crash may leave there, and again inside every recovery.
//!
//! States are told apart by their contents, so that each is booted once however many moments lead to it. What a state was
//! before, though, belongs to the moment: whether a boot kept what it had to is judged for each log that led to the state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::lab::check::storage::Breach;
use crate::lab::explore::crash::blame::Blame;
use crate::lab::explore::crash::judge::{self, Trial};
use crate::lab::explore::crash::play;
use crate::lab::explore::crash::report::{Key, Report, Witness};
use crate::lab::explore::crash::rig::{Before, Past, Site, Start};
use crate::lab::explore::crash::script::Workload;
use crate::lab::explore::crash::states;
use crate::lab::explore::crash::{Settings, digest_of};
use crate::lab::scenario::plan::DiskPlan;
use crate::lab::sim::dice::{Dice, Stream};
use crate::lab::sim::disk::SimDisk;
use crate::lab::trace::image::DiskImage;
use crate::mq::profile::Profile;
use crate::mq::store::config::StoreConfig;

/// What has been gone through so far.
pub(super) struct Survey<'a> {
    settings: &'a Settings,
    profile: &'a Profile,
    plan: DiskPlan,
    stream: Stream,
    blame: Blame,
    states: BTreeMap<StateKey, State>,
    /// Logs that boots left, by content; the number is their place.
    logs: BTreeMap<u128, usize>,
    left: Vec<(Arc<DiskImage>, u64)>,
    /// Logs before a crash, by content.
    contexts: BTreeMap<u128, usize>,
    befores: Vec<Arc<Before>>,
    /// What comparing the two said.
    compared: BTreeMap<(usize, usize), Arc<[Breach]>>,
    configs: Vec<Arc<StoreConfig>>,
    report: Report,
}

/// What makes two states the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct StateKey {
    content: u128,
    config: usize,
    past: Past,
    /// The page cache holds what was never forced, and this is what a later power loss leaves at least.
    least: Option<u128>,
}

#[derive(Default)]
struct State {
    log: Option<usize>,
    /// States that crashes inside its boot leave.
    inner: BTreeSet<StateKey>,
    /// The logs before, of the moments of the workload that lead here.
    contexts: BTreeSet<usize>,
    witness: Option<Witness>,
}

/// A state whose boot is to be crashed.
struct Recovery {
    state: StateKey,
    start: Start,
    before: Arc<Before>,
    past: Past,
}

/// Goes through a workload under one profile. Findings carry no tags unless `blames`.
pub(super) fn survey(workload: &Workload, settings: &Settings, profile: &Profile, blames: bool) -> Report {
    let plan = settings.disk();
    let mut survey = Survey {
        settings,
        profile,
        stream: Dice::new(settings.seed).stream(&["crash-states", workload.name]),
        blame: Blame::new(profile, blames),
        states: BTreeMap::new(),
        logs: BTreeMap::new(),
        left: Vec::new(),
        contexts: BTreeMap::new(),
        befores: Vec::new(),
        compared: BTreeMap::new(),
        configs: Vec::new(),
        report: Report::new(workload.name),
        plan,
    };
    let mut recoveries = Vec::new();
    for site in play::moments(workload, &survey.plan, profile) {
        survey.visit(&site, None, 1, &mut recoveries);
    }
    for depth in 2..=settings.depth {
        let mut inner = Vec::new();
        for Recovery { state, start, before, past } in survey.chosen(recoveries) {
            for site in judge::inside(start, profile, &before, past) {
                survey.visit(&site, Some(state), depth, &mut inner);
            }
        }
        recoveries = inner;
    }
    survey.judge_inner_logs();
    survey.report.distinct = survey.states.len() as u64;
    survey.report
}

impl Survey<'_> {
    /// Of recoveries as many as are gone through, spread evenly.
    fn chosen(&mut self, found: Vec<Recovery>) -> Vec<Recovery> {
        let (count, most) = (found.len(), self.settings.recoveries());
        let stride = count.div_ceil(most).max(1);
        let chosen: Vec<Recovery> = found.into_iter().step_by(stride).collect();
        self.report.recoveries += chosen.len() as u64;
        self.report.recoveries_skipped += (count - chosen.len()) as u64;
        chosen
    }

    /// One moment: every state that a crash may leave there.
    fn visit(&mut self, site: &Site, parent: Option<StateKey>, depth: u32, found: &mut Vec<Recovery>) {
        let limits = self.settings.limits(depth);
        let mut disk = site.disk.clone();
        let risk = disk.at_risk();
        let stream = &mut self.stream;
        let choices =
            states::choices(&disk, &risk, self.plan.personality, limits, &mut |below| stream.below(below).got);
        self.report.points += 1;
        if !choices.complete {
            self.report.skipped += 1;
            self.report.sampled += choices.list.len() as u64;
        }
        let mut killed = disk.clone();
        killed.kill();
        let least = (!risk.is_empty()).then(|| {
            let mut worst = disk.clone();
            worst.lose_power(&risk, risk.none());
            worst.fingerprint()
        });
        let witness = |left: String| Witness { after: site.after.clone(), left, depth };
        self.state(site, parent, (killed, least), &|| witness("a kill".to_owned()), found);
        for chosen in choices.list {
            let mut left = disk.clone();
            left.lose_power(&risk, chosen.clone());
            self.state(site, parent, (left, None), &|| witness(states::describe(&risk, &chosen)), found);
        }
    }

    fn state(
        &mut self,
        site: &Site,
        parent: Option<StateKey>,
        (disk, least): (SimDisk, Option<u128>),
        witness: &dyn Fn() -> Witness,
        found: &mut Vec<Recovery>,
    ) {
        self.report.states += 1;
        let config = self.config(&site.config);
        let key = StateKey { content: disk.fingerprint(), config, past: site.past, least };
        if let Some(parent) = parent {
            self.states.get_mut(&parent).expect("it was booted").inner.insert(key);
        }
        let context = self.context(&site.before);
        let is_new = !self.states.contains_key(&key);
        let start = Start { disk, config: Arc::clone(&site.config), clock: site.clock };
        if is_new {
            let Trial { breaches, log } = judge::trial(start.clone(), self.profile, site.past);
            let (log, witness_of) = (log.map(|log| self.log(log)), witness());
            if witness_of.depth < self.settings.depth {
                let (start, before) = (start.clone(), Arc::clone(&site.before));
                found.push(Recovery { state: key, start, before, past: site.past });
            }
            self.states.insert(key, State { log, witness: Some(witness_of), ..State::default() });
            self.blame_state(&breaches, &start, site, witness);
        }
        let state = self.states.get_mut(&key).expect("just made");
        let is_new_context = parent.is_none() && state.contexts.insert(context) || is_new;
        if let (true, Some(log)) = (is_new_context, state.log) {
            let breaches = self.compare(log, context);
            self.blame_state(&breaches, &start, site, witness);
        }
    }

    fn blame_state(&mut self, breaches: &[Breach], start: &Start, site: &Site, witness: &dyn Fn() -> Witness) {
        for breach in breaches {
            let row = self.blame.of_state(&Key::of(breach), start, site);
            self.report.add(breach, row, witness());
        }
    }

    /// Logs that crashes inside a boot led to, against every log from which the boot's state came.
    fn judge_inner_logs(&mut self) {
        let keys: Vec<StateKey> =
            self.states.iter().filter(|(_, state)| !state.contexts.is_empty()).map(|(key, _)| *key).collect();
        for key in keys {
            let contexts = self.states[&key].contexts.clone();
            let mut reached: BTreeSet<StateKey> = self.states[&key].inner.clone();
            let mut open: Vec<StateKey> = reached.iter().copied().collect();
            while let Some(inner) = open.pop() {
                let further = self.states[&inner].inner.iter().copied();
                open.extend(further.filter(|key| reached.insert(*key)));
            }
            let logs = reached.iter().filter_map(|inner| Some((self.states[inner].log?, *inner)));
            let logs: BTreeMap<usize, StateKey> = logs.collect();
            for (log, inner) in logs {
                for context in &contexts {
                    if self.compared.contains_key(&(log, *context)) {
                        continue;
                    }
                    for breach in self.compare(log, *context).iter() {
                        let witness = self.states[&inner].witness.clone().expect("every state has one");
                        self.report.add(breach, None, witness);
                    }
                }
            }
        }
    }

    fn compare(&mut self, log: usize, context: usize) -> Arc<[Breach]> {
        let known = self.compared.entry((log, context));
        let (before, left) = (&self.befores[context], &self.left[log]);
        Arc::clone(known.or_insert_with(|| judge::against(before, left).into()))
    }

    fn log(&mut self, (image, end): (Arc<DiskImage>, u64)) -> usize {
        let number = self.left.len();
        let place = *self.logs.entry(digest_of(&[&image], end)).or_insert(number);
        if place == number {
            self.left.push((image, end));
        }
        place
    }

    fn context(&mut self, before: &Arc<Before>) -> usize {
        // Moments in a row share their log.
        if let Some(last) = self.befores.iter().rposition(|known| Arc::ptr_eq(known, before)) {
            return last;
        }
        let number = self.befores.len();
        let digest = digest_of(&[&before.cached, &before.stable], before.end);
        let place = *self.contexts.entry(digest).or_insert(number);
        if place == number {
            self.befores.push(Arc::clone(before));
        }
        place
    }

    fn config(&mut self, config: &Arc<StoreConfig>) -> usize {
        if let Some(place) = self.configs.iter().position(|known| known == config) {
            return place;
        }
        self.configs.push(Arc::clone(config));
        self.configs.len() - 1
    }
}
