//! `mqlab learn`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::lab::cli::args::Report;

/// Which lesson, and how.
#[derive(Args, Debug, Clone)]
#[command(args_conflicts_with_subcommands = true)]
pub struct LearnArgs {
    /// What to do; without it a lesson is opened, or the first screen.
    #[command(subcommand)]
    pub command: Option<LearnCommand>,
    /// The lesson: its number, its name, or a part of it.
    pub lesson: Option<String>,
    /// The tour of about an hour: lessons 1, 6, 10, 17 and 21, where it was left.
    #[arg(long, conflicts_with = "lesson")]
    pub tour: bool,
    /// The player as a dialogue of lines, for screen readers and pipes.
    #[arg(long)]
    pub plain: bool,
}

/// What to do.
#[derive(Subcommand, Debug, Clone)]
pub enum LearnCommand {
    /// The lessons, and how far you are with each.
    List {
        /// Those of the tour alone.
        #[arg(long)]
        tour: bool,
        /// What to print.
        #[arg(long, value_enum, default_value_t = Report::Text)]
        format: Report,
    },
    /// Open the lesson that comes next.
    Next {
        /// Of the tour.
        #[arg(long)]
        tour: bool,
        /// As a dialogue of lines.
        #[arg(long)]
        plain: bool,
    },
    /// Write your own copy of a lesson's scenario, ./LESSON.toml, unless it is there.
    #[command(visible_alias = "start")]
    Edit {
        /// The lesson; the last one by default.
        lesson: Option<String>,
    },
    /// Check your copy: exit code 0 if the exercise is passed, 6 if not yet.
    Check(CheckArgs),
    /// One hint more.
    Hint {
        /// The lesson; the last one by default.
        lesson: Option<String>,
    },
    /// The answer, and why it is one.
    Solution {
        /// The lesson; the last one by default.
        lesson: Option<String>,
        /// Ask nothing.
        #[arg(long, short)]
        yes: bool,
    },
    /// Begin anew: progress is forgotten, and your copy set aside.
    Reset {
        /// The lesson; the last one by default.
        lesson: Option<String>,
        /// The whole course.
        #[arg(long, conflicts_with = "lesson")]
        all: bool,
        /// Ask nothing.
        #[arg(long, short)]
        yes: bool,
    },
    /// How far you are.
    Progress {
        /// What to print.
        #[arg(long, value_enum, default_value_t = Report::Text)]
        format: Report,
    },
}

/// What is checked.
#[derive(Args, Debug, Clone)]
pub struct CheckArgs {
    /// The lesson, or your copy's path; the last lesson by default.
    pub lesson: Option<String>,
    /// Your copy; where `learn edit` has written it by default.
    pub file: Option<PathBuf>,
    /// Check again whenever the file is saved, until the exercise is passed.
    #[arg(long)]
    pub watch: bool,
    /// No more seeds than this, whatever the exercise asks for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: Option<u64>,
    /// How many threads; as many as there are cores by default.
    #[arg(long, short = 'j', env = "MQLAB_JOBS")]
    pub jobs: Option<usize>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text, conflicts_with = "watch")]
    pub format: Report,
}
