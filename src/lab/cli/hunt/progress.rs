//! A hunt under the eyes of a person at a terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::lab::explore::hunt::Watch;
use crate::lab::explore::hunt::report::Line;

/// Progress on a terminal, an end in time, and Ctrl-C.
#[expect(clippy::disallowed_types, reason = "a person's patience is measured in real time")]
pub(super) struct Progress {
    pub(super) bar: ProgressBar,
    /// When no further seed is begun, and when shrinking ends.
    deadline: Option<(std::time::Instant, std::time::Instant)>,
    shrinks: AtomicBool,
    interrupted: Arc<AtomicBool>,
}

#[expect(clippy::disallowed_types, reason = "a person's patience is measured in real time")]
impl Progress {
    pub(super) fn new(seeds: u64, deadline: Option<(std::time::Instant, std::time::Instant)>) -> Result<Progress> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        // The second Ctrl-C ends the process: the first lets what is under way come to its end.
        let second = move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        };
        ctrlc::set_handler(second).context("Ctrl-C can be listened to once")?;
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(seeds).with_style(style("seeds  {per_sec}"))
        } else {
            ProgressBar::hidden()
        };
        Ok(Progress { bar, deadline, shrinks: AtomicBool::new(false), interrupted })
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    pub(super) fn begins_to_shrink(&self, findings: u64) {
        self.shrinks.store(true, Ordering::Relaxed);
        self.bar.set_style(style("findings shrunk"));
        self.bar.set_length(findings);
        self.bar.set_position(0);
        self.bar.set_message("");
    }
}

fn style(counted: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {counted}  {{elapsed}}  {{msg}}"));
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[expect(clippy::disallowed_types, reason = "a person's patience is measured in real time")]
impl Watch for Progress {
    fn done(&self, line: &Line) {
        self.bar.inc(1);
        if let Some(hit) = line.hits.first() {
            self.bar.set_message(format!("seed {}: {}", line.seed, hit.fingerprint));
        }
    }

    fn shrinking(&self, fingerprint: &str, replays: u64) {
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{fingerprint}: {replays} runs"));
        }
    }

    fn shrunk(&self) {
        self.bar.inc(1);
    }

    fn stops(&self) -> bool {
        let end = self.deadline.map(|(seeds, all)| if self.shrinks.load(Ordering::Relaxed) { all } else { seeds });
        self.is_interrupted() || end.is_some_and(|end| end <= std::time::Instant::now())
    }
}
