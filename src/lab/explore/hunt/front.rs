//! Threads that run seeds, and the fold behind them that takes their lines in order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::lab::explore::hunt::guide::{Choice, Guide, Run, Worth};
use crate::lab::explore::hunt::report::Line;
use crate::lab::explore::hunt::{Campaign, Ground, Watch, looked_at};

/// Lines come in any order and are folded in that of their seeds.
struct Fold<'a> {
    take: &'a mut (dyn FnMut(Line) + Send),
    early: BTreeMap<u64, (Line, Option<Run>)>,
    /// The place of the line that comes next.
    next: u64,
    guide: Guide,
    /// How many runs are chosen by the same.
    generation: u64,
    /// What the generation under way is chosen by.
    worth: Arc<Worth>,
    stopped: bool,
}

impl Fold<'_> {
    /// Takes the line of a place; gives whether a generation came to its end.
    fn take(&mut self, place: u64, line: (Line, Option<Run>)) -> bool {
        self.early.insert(place, line);
        let mut is_border = false;
        while let Some((line, run)) = self.early.remove(&self.next) {
            (self.take)(line);
            self.next += 1;
            let Some(run) = run else { continue };
            self.guide.take(run);
            if self.next.is_multiple_of(self.generation) {
                self.worth = Arc::new(self.guide.worth());
                is_border = true;
            }
        }
        is_border
    }
}

/// Seeds in rows of which one is run each.
struct Rows {
    seeds: Range<u64>,
    width: u64,
}

impl Rows {
    fn row(&self, place: u64) -> Option<Range<u64>> {
        let start = place.checked_mul(self.width).and_then(|seeds| self.seeds.start.checked_add(seeds))?;
        let end = start.saturating_add(self.width).min(self.seeds.end);
        (start < end).then_some(start..end)
    }
}

/// Runs the seeds on `jobs` threads and gives their lines in order, without a gap.
pub(super) fn each(
    campaign: &Campaign,
    seeds: Range<u64>,
    jobs: usize,
    watch: &dyn Watch,
    take: &mut (dyn FnMut(Line) + Send),
) {
    // A written scenario has nothing to choose by.
    let guided = campaign.guided.filter(|_| campaign.ground == Ground::Drawn);
    let Choice { row: width, generation } = guided.unwrap_or(Choice { row: 1, generation: u64::MAX });
    let rows = Rows { seeds, width: width.max(1) };
    let next = AtomicU64::new(0);
    let fold = Mutex::new(Fold {
        take,
        early: BTreeMap::new(),
        next: 0,
        guide: Guide::default(),
        generation: generation.max(1),
        worth: Arc::default(),
        stopped: false,
    });
    let border = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    if watch.stops() || locked(&fold).stopped {
                        locked(&fold).stopped = true;
                        border.notify_all();
                        return;
                    }
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(row) = rows.row(place) else { return };
                    let seed = match guided {
                        None => row.start,
                        Some(_) => {
                            let Some(worth) = known_at(place, &fold, &border) else { continue };
                            let choose = AssertUnwindSafe(|| worth.choose(campaign, row.clone()));
                            catch_unwind(choose).unwrap_or(row.start)
                        }
                    };
                    let (line, shades) = looked_at(campaign, seed);
                    let learn = AssertUnwindSafe(|| Run::new(campaign, &line, shades));
                    let run = guided.map(|_| catch_unwind(learn).unwrap_or_default());
                    watch.done(&line);
                    if locked(&fold).take(place, (line, run)) {
                        border.notify_all();
                    }
                }
            });
        }
    });
}

/// What the generation of a place is chosen by, once all before it are folded; nothing if the hunt was stopped.
fn known_at(place: u64, fold: &Mutex<Fold<'_>>, border: &Condvar) -> Option<Arc<Worth>> {
    let is_early = |fold: &Fold<'_>| fold.next < place / fold.generation * fold.generation;
    let waits = |fold: &mut Fold<'_>| is_early(fold) && !fold.stopped;
    let fold = border.wait_while(locked(fold), waits).unwrap_or_else(PoisonError::into_inner);
    (!is_early(&fold)).then(|| Arc::clone(&fold.worth))
}

fn locked<'a, 'b>(fold: &'a Mutex<Fold<'b>>) -> MutexGuard<'a, Fold<'b>> {
    fold.lock().unwrap_or_else(PoisonError::into_inner)
}
