//! `mqlab hunt merge`: the parts of a hunt say together what one hunt would have said.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::lab::cli::INVALID;
use crate::lab::cli::args::MergeArgs;
use crate::lab::cli::hunt::ending::{Ending, Gap, silently};
use crate::lab::cli::hunt::jobs;
use crate::lab::cli::hunt::progress::Progress;
use crate::lab::cli::load::{self, Look};
use crate::lab::explore::hunt::shard::merge::{Gathered, Merged, Missing};
use crate::lab::explore::hunt::shard::{BUILD, file};
use crate::lab::locale::{Lang, Phrase};

/// Reads the parts and prints what they say. Exit codes as of a hunt; 3 if nothing is broken and parts are missing.
pub(super) fn run(args: &MergeArgs, look: Look) -> Result<ExitCode> {
    let merged = match merged(args) {
        Ok(merged) => merged,
        Err(wrong) => {
            wrong.iter().for_each(|phrase| load::complain(&format!("{}\n", phrase.text(look.lang))));
            return Ok(ExitCode::from(INVALID));
        }
    };
    let Merged { errand, count, mut report, missing } = merged;
    if !args.no_shrink && errand.build != BUILD {
        load::complain(&match look.lang {
            Lang::En => format!(
                "the parts were run by build {}, this is {BUILD}: what is found may not come out again here\n  \
                 help: --no-shrink merges without running anything\n",
                errand.build
            ),
            Lang::Zh => format!(
                "这些分片由版本 {} 运行，而本程序为 {BUILD}：结果可能无法在此重现\n  帮助：--no-shrink 只合并而不运行\n",
                errand.build
            ),
        });
        return Ok(ExitCode::from(INVALID));
    }
    let ending = Ending {
        errand: &errand,
        shrinks: !args.no_shrink,
        regressions: args.regressions.as_deref(),
        format: args.format,
        lang: look.lang,
        jobs: jobs(args.jobs),
    };
    if ending.shrinks {
        let watch = Progress::new(report.findings.len() as u64, None)?;
        silently(|| ending.shrink(&mut report, &watch));
        watch.bar.finish_and_clear();
    }
    let gaps: Vec<Gap> =
        missing.iter().map(|gap| Gap { shard: gap.index, seeds: (gap.seeds.start, gap.seeds.end) }).collect();
    let code = ending.tell(&report, &gaps)?;
    let guided = if errand.guided { " --guided" } else { "" };
    let again = format!("mqlab hunt {}{guided} --seeds {}..{}", errand.flags(), errand.seeds.0, errand.seeds.1);
    for gap in &missing {
        load::complain(&told(gap, count, &again, look.lang));
    }
    Ok(code)
}

/// A part that is not there, or not to its end, and the command that makes it.
fn told(gap: &Missing, count: u64, again: &str, lang: Lang) -> String {
    let Missing { index, seeds, stopped } = gap;
    let (from, to) = (seeds.start, seeds.end);
    let say = match (lang, stopped) {
        (Lang::En, false) => format!("part {index} of {count} is missing: seeds {from}..{to}\n  help:"),
        (Lang::En, true) => format!("part {index} of {count} was stopped: seeds {from}..{to} are missing\n  help:"),
        (Lang::Zh, false) => format!("缺少分片 {index}/{count}：种子 {from}..{to}\n  帮助："),
        (Lang::Zh, true) => format!("分片 {index}/{count} 被中止：缺少种子 {from}..{to}\n  帮助："),
    };
    format!("{say} {again} --shard {index}/{count} --out DIR\n")
}

/// What all files say, or everything that is wrong with them.
fn merged(args: &MergeArgs) -> Result<Merged, Vec<Phrase>> {
    let (mut gathered, mut wrong) = (Gathered::default(), Vec::new());
    for path in &args.parts {
        for file in files(path).map_err(|phrase| vec![phrase])? {
            let name = file.display().to_string();
            let read = std::fs::read(&file).map_err(|error| unreadable(&file, &error));
            match read.and_then(|bytes| file::read(&bytes).map_err(|phrase| at(&name, &phrase))) {
                Ok(part) => gathered.take(&name, part),
                Err(phrase) => wrong.push(phrase),
            }
        }
    }
    match wrong.is_empty() {
        true => gathered.merge().map_err(|phrase| vec![phrase]),
        false => Err(wrong),
    }
}

fn at(name: &str, phrase: &Phrase) -> Phrase {
    Phrase { en: format!("{name}: {}", phrase.en), zh: format!("{name}：{}", phrase.zh) }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Phrase {
    let path = path.display();
    Phrase {
        en: format!(
            "{path} cannot be read: {error}\n  help: name files or the folder that `mqlab hunt --out` has written"
        ),
        zh: format!("{path} 无法读取：{error}\n  帮助：请指定 `mqlab hunt --out` 写出的文件或目录"),
    }
}

/// A file, or those of a folder that are named like parts.
fn files(path: &Path) -> Result<Vec<PathBuf>, Phrase> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let file = entry.map_err(|error| unreadable(path, &error))?.path();
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("shard-") && name.ends_with(".json") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
