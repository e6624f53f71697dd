//! Where the player stops: breakpoints on conditions, bookmarks, and the marks of the run itself.

use std::fs::OpenOptions;
use std::io::Write;

use crate::lab::check::{Finding, Verdict};
use crate::lab::locale::{Lang, Phrase};
use crate::lab::scenario::run_file::{self, Bookmark};
use crate::lab::trace::file;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Fault, What};
use crate::lab::tui::player::Player;
use crate::lab::view::conditions::{self, Ready, Run};
use crate::lab::view::lines::Handles;

/// A condition that is stopped at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breakpoint {
    /// As it was typed.
    pub text: String,
    /// Where it becomes true, in order.
    pub moments: Vec<u64>,
}

/// What a person has set, and what the run itself has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stops {
    /// In the order in which they were set.
    pub breakpoints: Vec<Breakpoint>,
    /// In order of moments.
    pub bookmarks: Vec<Bookmark>,
    /// The checks that are violated, each with the moment at which that is seen.
    pub violations: Vec<(String, u64)>,
    /// Where faults begin.
    pub faults: Vec<u64>,
}

impl Stops {
    /// Those that a run has by itself.
    pub fn of(trace: &Trace, findings: &[Finding]) -> Stops {
        let is_broken = |finding: &&Finding| {
            matches!(finding.verdict, Verdict::Violation { .. } | Verdict::Known { .. }) && finding.asked
        };
        let broken = findings.iter().filter(is_broken);
        let violations = broken.map(|finding| (finding.id.clone(), witnessed(trace, finding))).collect();
        let begins = |what: &What| matches!(what, What::Fault(Fault::Begun { .. }));
        let faults = trace.records().iter().filter(|record| begins(&record.what)).map(|record| record.step + 1);
        Stops { violations, faults: faults.collect(), ..Stops::default() }
    }

    /// What a person has set, taken along to another branch of the run: its moments are found anew there.
    pub fn taken_to(&self, mut there: Stops, run: (&Trace, &Handles)) -> Stops {
        there.bookmarks.clone_from(&self.bookmarks);
        for Breakpoint { text, .. } in &self.breakpoints {
            let violations = there.violations.clone();
            let run = Run { trace: run.0, handles: run.1, violations: &violations };
            let moments = conditions::parse(text, run).map(|condition| condition.moments(run)).unwrap_or_default();
            there.breakpoints.push(Breakpoint { text: text.clone(), moments });
        }
        there
    }
}

/// Where a check was decided: at its last witness, or at the end if it has none.
pub(super) fn witnessed(trace: &Trace, finding: &Finding) -> u64 {
    let (Verdict::Violation { witness, .. } | Verdict::Known { witness, .. }) = &finding.verdict else {
        return trace.steps();
    };
    witness.last().and_then(|seq| trace.get(*seq)).map_or(trace.steps(), |record| record.step)
}

/// The nearest of some moments, in a direction.
pub(super) fn nearest(moments: impl Iterator<Item = u64>, at: u64, forward: bool) -> Option<u64> {
    match forward {
        true => moments.filter(|moment| at < *moment).min(),
        false => moments.filter(|moment| *moment < at).max(),
    }
}

impl Player {
    /// The run, for conditions.
    pub fn run(&self) -> Run<'_> {
        Run { trace: &self.trace, handles: &self.handles, violations: &self.stops.violations }
    }

    /// Conditions that are true somewhere in the run.
    pub fn ready(&self) -> Vec<Ready> {
        conditions::ready(self.run())
    }

    /// Sets a breakpoint, or says what is wrong with its condition; what was set is taken away again.
    pub fn toggle_breakpoint(&mut self, text: &str) {
        let text = text.trim();
        if let Some(at) = self.stops.breakpoints.iter().position(|own| own.text == text) {
            self.stops.breakpoints.remove(at);
            self.note = Some(Phrase::of(format!("no breakpoint at `{text}` any more"), format!("已取消断点 `{text}`")));
            return;
        }
        match conditions::parse(text, self.run()) {
            Err(wrong) => self.note = Some(wrong.told(text)),
            Ok(condition) => {
                let moments = condition.moments(self.run());
                let times = moments.len();
                self.stops.breakpoints.push(Breakpoint { text: text.to_owned(), moments });
                self.note = Some(Phrase::of(
                    format!("breakpoint at `{text}`, true {times} times: c goes on to it, C back to it"),
                    format!("断点 `{text}`，成立 {times} 次：c 继续，C 反向继续"),
                ));
            }
        }
    }

    /// Goes on to the next breakpoint, or back to the last one.
    pub fn run_on(&mut self, forward: bool) {
        if self.stops.breakpoints.is_empty() {
            self.note = Some(Phrase::of("no breakpoint is set: b sets one", "没有断点：按 b 设置"));
            return;
        }
        let all = self.stops.breakpoints.iter().flat_map(|own| own.moments.iter().copied());
        match nearest(all, self.at, forward) {
            Some(at) => {
                self.go(at);
                self.playing = false;
                let here = self.stops.breakpoints.iter().filter(|own| own.moments.contains(&at));
                let here: Vec<&str> = here.map(|own| own.text.as_str()).collect();
                self.note = Some(Phrase::both(here.join(" · ")));
            }
            None => {
                let (en, zh) = match forward {
                    true => ("no breakpoint is met from here to the end", "从这里到结束没有断点成立"),
                    false => ("no breakpoint is met from here back to the start", "从这里往回没有断点成立"),
                };
                self.note = Some(Phrase::of(en, zh));
            }
        }
    }

    /// Where playing stops next: at a step of narration or a breakpoint.
    pub(super) fn next_stop(&self) -> Option<u64> {
        let breaks = self.stops.breakpoints.iter().flat_map(|own| own.moments.iter().copied());
        nearest(self.narrated().chain(breaks), self.at, true)
    }

    /// The next mark or the last: a step of narration, a fault, a violation, a bookmark.
    pub fn mark(&mut self, forward: bool) {
        let Stops { bookmarks, violations, faults, .. } = &self.stops;
        let set = bookmarks.iter().map(|mark| mark.at);
        let broken = violations.iter().map(|(_, at)| *at);
        let all = self.narrated().chain(set).chain(broken).chain(faults.iter().copied());
        let next = nearest(all, self.at, forward);
        self.follow(next.unwrap_or(if forward { self.end() } else { 0 }));
        self.playing = false;
        if let Some(mark) = self.stops.bookmarks.iter().find(|mark| mark.at == self.at) {
            self.note = Some(Phrase::of(format!("bookmark {}", mark.note), format!("书签 {}", mark.note)));
        }
    }

    /// Leaves a bookmark at the moment.
    pub fn bookmark(&mut self, note: &str) {
        let mark = Bookmark { at: self.at, note: note.trim().to_owned() };
        let place = self.stops.bookmarks.partition_point(|own| *own < mark);
        self.stops.bookmarks.insert(place, mark);
        self.note = Some(Phrase::of(format!("bookmark at #{}", self.at), format!("书签 #{}", self.at)));
    }

    /// Takes the moment's bookmarks away; whether there were any.
    pub fn unmark(&mut self) -> bool {
        let before = self.stops.bookmarks.len();
        let at = self.at;
        self.stops.bookmarks.retain(|mark| mark.at != at);
        let gone = self.stops.bookmarks.len() < before;
        if gone {
            self.note = Some(Phrase::of(format!("no bookmark at #{at} any more"), format!("已取消书签 #{at}")));
        }
        gone
    }

    /// Writes the run with its bookmarks to a run file; whether that went well.
    pub fn save(&mut self, name: &str) -> bool {
        let name = name.trim();
        let lines = file::jsonl(&self.trace, &self.digest);
        let whole = run_file::written(&lines, &self.scenario, &self.stops.bookmarks);
        let written = run_file::bytes(name, whole).and_then(|bytes| {
            // Whoever has a file of that name keeps it.
            OpenOptions::new().write(true).create_new(true).open(name)?.write_all(&bytes)
        });
        let is_written = written.is_ok();
        self.note = Some(match written {
            Ok(()) => Phrase::of(
                format!("{name} is written: mqlab replay {name}"),
                format!("已写入 {name}：mqlab replay {name}"),
            ),
            Err(error) => Phrase::of(format!("{name} is not written: {error}"), format!("没有写入 {name}：{error}")),
        });
        is_written
    }

    /// Whether letters answer a question now: until it is answered, and as long as it is just asked.
    pub fn is_asked(&self, choice: usize) -> bool {
        self.narration().is_some_and(|(number, step)| {
            let has = step.predict.as_ref().is_some_and(|predict| choice < predict.choices.len());
            let open = self.answered.is_none_or(|(own, _)| own != number);
            has && (open || self.narrated().any(|at| at == self.at))
        })
    }

    /// In a line: the breakpoints that are set, for the menu.
    pub(super) fn breakpoint_lines(&self, lang: Lang) -> Vec<String> {
        let word = if lang == Lang::Zh { "取消" } else { "take away" };
        self.stops.breakpoints.iter().map(|own| format!("x {:<24} {word}", own.text)).collect()
    }
}
