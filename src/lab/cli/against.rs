//! `mqlab run --against`: a run held against the trace of another one, of another build perhaps.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::lab::cli::run::Judged;
use crate::lab::cli::{DIVERGED, INVALID, determinism, load};
use crate::lab::locale::Lang;
use crate::lab::scenario::run_file;
use crate::lab::trace::compare::{self, Match};
use crate::lab::trace::file;

/// Names the first record without an equal. Exit code 5 if there is one.
pub(super) fn run(path: &Path, judged: &Judged, lang: Lang) -> Result<ExitCode> {
    let theirs = match read(path) {
        Ok(text) => text,
        Err(why) => {
            let help = "name a file that `mqlab run --out` has written";
            load::complain(&format!("{} cannot be read: {why}\n  help: {help}\n", path.display()));
            return Ok(ExitCode::from(INVALID));
        }
    };
    let ours = file::jsonl(&judged.result.trace, &judged.result.digest);
    match compare::parting(&theirs, &ours, Match::ByOrdinal) {
        Err((_, why)) => {
            let help = "write it again with `mqlab run --out`";
            load::complain(&format!("{} is no trace: {why}\n  help: {help}\n", path.display()));
            Ok(ExitCode::from(INVALID))
        }
        Ok(None) => {
            load::say(match lang {
                Lang::En => "every record has its equal: the run is the one of the file\n",
                Lang::Zh => "每条记录都有对应：本次运行与文件中的相同\n",
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Some(parting)) => {
            let file = path.display();
            load::say(&match lang {
                Lang::En => format!("the run is not the one of {file} (-: the file, +: this run)\n"),
                Lang::Zh => format!("本次运行与 {file} 不同（-：文件，+：本次运行）\n"),
            })?;
            load::say(&determinism::parted(&parting, lang))?;
            Ok(ExitCode::from(DIVERGED))
        }
    }
}

/// The lines of a trace that was written, compressed or not.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    run_file::lines(&bytes)
}
