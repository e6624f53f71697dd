//! One crash state: is it booted again, and is what the boots leave right?

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::lab::check::Guarantee;
use crate::lab::check::history::Image;
use crate::lab::check::storage::{self, Breach, Crash, LogEnd, Seen};
use crate::lab::explore::crash::rig::{Before, Past, Recorder, Rig, Site, Start, log_of};
use crate::lab::locale::Phrase;
use crate::lab::trace::image::DiskImage;
use crate::mq::profile::Profile;
use crate::mq::store::outcome::StoreError;

/// What booting one state twice showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Trial {
    /// What is wrong whatever the log was before.
    pub(super) breaches: Vec<Breach>,
    /// The log that the first boot left, and its end; `None` if the store was not opened.
    pub(super) log: Option<(Arc<DiskImage>, u64)>,
}

/// Boots a state twice and judges what each boot leaves.
pub(super) fn trial(start: Start, profile: &Profile, past: Past) -> Trial {
    let mut trial = Trial::default();
    let left = start.disk.cached_image();
    // Where times do not rise a checkpoint says nothing; a repaired recovery reads the whole log whatever it says.
    if !(profile.fix_k06 && past.clock_set) {
        trial.breaches.extend(storage::checkpoint_is_safe(Seen::of(&Image(&left))));
    }
    let attempt = catch_unwind(AssertUnwindSafe(|| boots(start, profile, past, &mut trial)));
    if let Err(panic) = attempt {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("without a text");
        trial.breaches.push(boot_breach("panic", format!("the boot panicked: {text}"), format!("启动时崩溃：{text}")));
    }
    trial
}

/// The moments inside the boot of a state; none if it panics.
pub(super) fn inside(start: Start, profile: &Profile, before: &Arc<Before>, past: Past) -> Vec<Site> {
    let recorder = Recorder::within(before, past);
    let booted = catch_unwind(AssertUnwindSafe(|| Rig::boot(start, profile, recorder)));
    match booted {
        Ok(Ok(rig)) => rig.recorder.sites,
        Ok(Err(refused)) => refused.1.sites,
        Err(_) => Vec::new(),
    }
}

/// G63: whether what a boot left is a prefix of the log before, with everything that was stable.
pub(super) fn against(before: &Before, (log, end): &(Arc<DiskImage>, u64)) -> Vec<Breach> {
    let (cached, stable, log) = (Image(&before.cached), Image(&before.stable), Image(log));
    let seen = |files, end| Seen { end: LogEnd::At(end), ..Seen::of(files) };
    storage::recovered(Crash { cached: seen(&cached, before.end), stable: &stable }, seen(&log, *end))
}

fn boots(start: Start, profile: &Profile, past: Past, trial: &mut Trial) {
    let once = match Rig::boot(start, profile, Recorder::silent()) {
        Ok(rig) => rig,
        Err(refused_with) => {
            let error = &refused_with.0;
            if !(past.damaged && matches!(error, StoreError::Corrupt { .. })) {
                trial.breaches.push(refused(error));
            }
            return;
        }
    };
    let (first, first_end, first_queues) = (once.disk.cached_image(), once.end(), once.queue_ends());
    let pages = Image(&first);
    let caught_up = (once.store.behind() == 0).then_some(first_end);
    let seen =
        Seen { files: &pages, end: LogEnd::At(first_end), dispatched_to: caught_up, queue_ends: Some(&first_queues) };
    trial.breaches.extend(storage::verify(seen, &mut |_| {}).breaches);
    trial.log = Some((log_of(&first), first_end));
    let (start, _) = once.into_boot();
    match Rig::boot(start, profile, Recorder::silent()) {
        Ok(twice) => {
            let (second, queues) = (twice.disk.cached_image(), twice.queue_ends());
            let pages = Image(&second);
            let again =
                Seen { files: &pages, end: LogEnd::At(twice.end()), dispatched_to: None, queue_ends: Some(&queues) };
            trial.breaches.extend(storage::idempotent(seen, again));
        }
        Err(refused_with) => trial.breaches.push(refused(&refused_with.0)),
    }
}

fn refused(error: &StoreError) -> Breach {
    boot_breach("boot", format!("the store does not open: {error}"), format!("存储无法打开：{error}"))
}

fn boot_breach(clause: &'static str, en: String, zh: String) -> Breach {
    Breach { guarantee: Guarantee(63), clause, file: String::new(), offset: 0, sentence: Phrase { en, zh } }
}
