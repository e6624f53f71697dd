//! `mqlab course`.

use clap::{Args, Subcommand};

use crate::lab::cli::args::Report;

/// What to do with the lessons themselves.
#[derive(Subcommand, Debug, Clone)]
pub enum CourseCommand {
    /// Is every lesson in order? Untouched exercises fail, answers pass, wrong ways do not, words stand in both languages and fit.
    Check(CourseArgs),
}

/// Which lessons are looked at.
#[derive(Args, Debug, Clone)]
pub struct CourseArgs {
    /// Lessons, by number, name or part, or scenario files; all lessons by default.
    pub lessons: Vec<String>,
    /// No more seeds than this for an answer that passes, whatever its exercise asks for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: Option<u64>,
    /// How many threads; as many as there are cores by default. What is printed is the same with any.
    #[arg(long, short = 'j', env = "MQLAB_JOBS")]
    pub jobs: Option<usize>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}
