//! A part of a hunt becomes a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::lab::cli::hunt::which::Which;
use crate::lab::explore::hunt::shard::{Errand, Part, file, file_name};
use crate::lab::locale::Lang;

/// Where the part goes: what ends in `.json` is a file, everything else a folder.
pub(super) fn path(out: &Path, which: Which) -> PathBuf {
    match out.extension().is_some_and(|extension| extension == "json") && !out.is_dir() {
        true => out.to_owned(),
        false => out.join(file_name(which.index, which.count)),
    }
}

/// The same part of the same hunt, if it stands there already.
pub(super) fn standing(path: &Path, errand: &Errand, which: Which) -> Option<Part> {
    let part = file::read(&std::fs::read(path).ok()?).ok()?;
    (part.errand == *errand && (part.index, part.count) == (which.index, which.count)).then_some(part)
}

/// Writes it beside and puts it in place, so that nobody ever reads half of it.
pub(super) fn write(path: &Path, part: &Part) -> Result<(), String> {
    let wrong = |error: std::io::Error| {
        let help = "name a file or a folder that you may write to";
        format!("{} cannot be written: {error}\n  help: {help}\n", path.display())
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    // Two processes that do the same part do not write into each other's file.
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = std::fs::File::create(&beside).and_then(|mut file| {
        file.write_all(file::text(part).as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&beside, path)).map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        wrong(error)
    })
}

/// What became of it, for the log of whatever runs the parts.
pub(super) fn told(path: &Path, part: &Part, was_there: bool, lang: Lang) -> String {
    let (path, index, count, left) = (path.display(), part.index, part.count, part.left());
    let seeds = part.tally.seeds;
    match (lang, left.is_empty(), was_there) {
        (Lang::En, true, true) => format!("{path}: part {index} of {count} is there already, with {seeds} seeds\n"),
        (Lang::En, true, false) => format!("{path}: part {index} of {count}, {seeds} seeds\n"),
        (Lang::En, false, _) => {
            let (from, to) = (left.start, left.end);
            format!("{path}: part {index} of {count} was stopped: seeds {from}..{to} are not in it\n")
        }
        (Lang::Zh, true, true) => format!("{path}：分片 {index}/{count} 已存在，含 {seeds} 个种子\n"),
        (Lang::Zh, true, false) => format!("{path}：分片 {index}/{count}，{seeds} 个种子\n"),
        (Lang::Zh, false, _) => {
            let (from, to) = (left.start, left.end);
            format!("{path}：分片 {index}/{count} 被中止，其中没有种子 {from}..{to}\n")
        }
    }
}
