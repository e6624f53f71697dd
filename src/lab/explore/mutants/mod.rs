//! The benchmark of bugs: the hunt, run against each mistake that can be planted.
//!
//! A mistake is found when a run with it breaks a guarantee that the same plan without it keeps: what the repaired profile
//! might break by itself never counts. Threads take seeds, mistake by mistake, and the lowest seed that shows one is what is
//! told, so that a report does not depend on how many threads there are.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::lab::explore::mutants::report::{Report, Row};
use crate::lab::explore::mutants::try_out::Hit;
use crate::lab::explore::shrink;
use crate::mq::mistake::Mistake;

pub mod reasons;

pub mod report;

pub mod try_out;

/// What is tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Campaign {
    /// Which mistakes.
    pub mistakes: Vec<Mistake>,
    /// Which seeds, for each of them, until one shows it.
    pub seeds: Range<u64>,
}

/// Who watches, from any thread.
pub trait Watch: Sync {
    /// A seed is done, and shows the mistake or does not.
    fn done(&self, _mistake: Mistake, _seed: u64, _found: bool) {}
    /// Whether to stop: no further seed is begun.
    fn stops(&self) -> bool {
        false
    }
}

/// Nobody.
#[derive(Debug)]
pub struct Nobody;

impl Watch for Nobody {}

/// The seeds of a mistake that were begun.
struct Pile {
    next: u64,
    hit: Option<(u64, Hit)>,
}

/// Hunts each mistake on `jobs` threads. A mistake whose seeds were not all done when the watch stopped is told with those that
/// were.
pub fn hunt(campaign: &Campaign, jobs: usize, watch: &dyn Watch) -> Report {
    let Campaign { mistakes, seeds } = campaign;
    let piles: Vec<Pile> = mistakes.iter().map(|_| Pile { next: seeds.start, hit: None }).collect();
    let piles = Mutex::new(piles);
    let lock = || piles.lock().unwrap_or_else(PoisonError::into_inner);
    let take = || {
        let mut piles = lock();
        let at = piles.iter().position(|pile| pile.hit.is_none() && pile.next < seeds.end)?;
        piles[at].next += 1;
        Some((at, piles[at].next - 1))
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while !watch.stops()
                    && let Some((at, seed)) = take()
                {
                    let hit = try_out::one(mistakes[at], seed);
                    watch.done(mistakes[at], seed, hit.is_some());
                    let pile = &mut lock()[at];
                    if let Some(hit) = hit
                        && pile.hit.as_ref().is_none_or(|(other, _)| seed < *other)
                    {
                        pile.hit = Some((seed, hit));
                    }
                }
            });
        }
    });
    let piles = piles.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rows = mistakes.iter().zip(piles).map(|(mistake, pile)| match pile.hit {
        Some((seed, hit)) => Row::found(*mistake, seed, seed - seeds.start + 1, hit),
        None => Row::missed(*mistake, pile.next - seeds.start, pile.next == seeds.end),
    });
    Report { mutants: rows.collect(), wall_ns: 0 }
}

/// Makes each plan small that shows a mistake, and looks for the reason where none does; on `jobs` threads, the same with any.
pub fn finish(report: &mut Report, seeds: &Range<u64>, jobs: usize, budget: Option<u64>) {
    let next = AtomicUsize::new(0);
    let rows: Vec<Mutex<Row>> = std::mem::take(&mut report.mutants).into_iter().map(Mutex::new).collect();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut row = row.lock().unwrap_or_else(PoisonError::into_inner);
                    match budget {
                        Some(budget) if row.found => small(&mut row, budget),
                        _ => reasons::look(&mut row, seeds),
                    }
                }
            });
        }
    });
    report.mutants = rows.into_iter().map(|row| row.into_inner().unwrap_or_else(PoisonError::into_inner)).collect();
}

fn small(row: &mut Row, budget: u64) {
    let name = format!("{}.plan.toml", row.id);
    let (Some(target), Some(plan)) = (&row.target, &row.plan) else { return };
    if let Some(shrunk) = shrink::shrink(&name, plan, target, budget) {
        row.put(shrunk);
    }
}
