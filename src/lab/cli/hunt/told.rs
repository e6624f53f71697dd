//! What a hunt found, in sentences.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use crate::lab::cli::hunt::ending::Ending;
use crate::lab::explore::hunt::report::{Finding, Report, Size};
use crate::lab::explore::shrink::fingerprint::file_name;
use crate::lab::locale::Lang;

/// The report for people; `left` are files of plans that stay as they were.
pub(super) fn text(ending: &Ending<'_>, report: &Report, left: &BTreeSet<PathBuf>) -> String {
    let lang = ending.lang;
    let mut out = String::new();
    let millis = (report.wall_ns / 1_000_000).max(1);
    let (seeds, events) = (report.seeds, report.events);
    let per_second = |count: u64| u128::from(count) * 1_000 / u128::from(millis);
    let seconds = format!("{}.{:01}", millis / 1_000, millis % 1_000 / 100);
    let rates = (per_second(seeds), per_second(events) / 1_000);
    let faster = report.virtual_ns / report.wall_ns.max(1);
    let (faults, effective, inconclusive) = (report.faults, report.effective, report.inconclusive);
    let chosen = match (ending.errand.row(), lang) {
        (1, _) => String::new(),
        (row, Lang::En) => format!(", each chosen of {row},"),
        (row, Lang::Zh) => format!("（每 {row} 个中选 1 个）"),
    };
    let _ = match lang {
        Lang::En => writeln!(
            out,
            "{seeds} seeds{chosen} in {seconds} s: {} seeds/s, {} k events/s, {faster} times real time\n\
             {faults} faults, {effective} of them changed something; {inconclusive} seeds with nothing to judge",
            rates.0, rates.1
        ),
        Lang::Zh => writeln!(
            out,
            "{seeds} 个种子{chosen}，用时 {seconds} 秒：{} 个/秒，{} 千事件/秒，真实时间的 {faster} 倍\n\
             {faults} 次故障，其中 {effective} 次有影响；{inconclusive} 个种子没有可判之处",
            rates.0, rates.1
        ),
    };
    for finding in &report.findings {
        one(&mut out, ending, (finding, left));
    }
    let marks = report.marks.len();
    let since = report.last_new_mark;
    let _ = match (lang, report.findings.is_empty()) {
        (Lang::En, true) => {
            writeln!(out, "\nnothing is broken; {marks} marks reached, the last new one by seed {since}")
        }
        (Lang::En, false) => writeln!(out, "\n{marks} marks reached, the last new one by seed {since}"),
        (Lang::Zh, true) => writeln!(out, "\n没有发现问题；到达 {marks} 个标记，最后一个新标记来自种子 {since}"),
        (Lang::Zh, false) => writeln!(out, "\n到达 {marks} 个标记，最后一个新标记来自种子 {since}"),
    };
    out
}

fn one(out: &mut String, ending: &Ending<'_>, (finding, left): (&Finding, &BTreeSet<PathBuf>)) {
    let lang = ending.lang;
    let Finding { fingerprint, verdict, count, first_seed, .. } = finding;
    let summary = if lang == Lang::Zh { &finding.summary.1 } else { &finding.summary.0 };
    let (seed, times) = if lang == Lang::Zh { ("首个种子", "次") } else { ("first seed", "x") };
    let _ = writeln!(out, "\n{fingerprint:<32} {verdict:<10} {count} {times}   {seed} {first_seed}\n  {summary}");
    if let Some(Size { operations, episodes, nodes, events, witness, replays, .. }) = &finding.shrunk {
        let _ = match lang {
            Lang::En => writeln!(
                out,
                "  {operations} operations, {episodes} faults, {nodes} nodes, {events} events, \
                 a witness of {witness} records; {replays} runs"
            ),
            Lang::Zh => writeln!(
                out,
                "  {operations} 个操作，{episodes} 次故障，{nodes} 个节点，{events} 个事件，{witness} 条证据；{replays} 次运行"
            ),
        };
    }
    if finding.shrunk.is_none() && finding.target.is_some() && ending.shrinks {
        out.push_str(if lang == Lang::Zh { "  未缩减\n" } else { "  not shrunk\n" });
    }
    let _ = writeln!(out, "  {}", replay(ending, finding, left));
}

/// How a person sees it again: the file that holds it, or the command that draws it once more and makes it as small.
fn replay(ending: &Ending<'_>, finding: &Finding, left: &BTreeSet<PathBuf>) -> String {
    let Finding { fingerprint, first_seed, .. } = finding;
    match ending.regressions {
        Some(folder) => {
            let path = folder.join(file_name(fingerprint));
            let note = match (left.contains(&path), ending.lang) {
                (false, _) => "",
                (true, Lang::En) => "   # as it stood: it is no larger than the one found now",
                (true, Lang::Zh) => "   # 保留原有文件：不比这次找到的大",
            };
            format!("mqlab run {}{note}", path.display())
        }
        None => {
            let which = finding.shrunk.as_ref().map(|_| format!("={fingerprint}")).unwrap_or_default();
            let file = if which.is_empty() { String::new() } else { format!(" > {}", file_name(fingerprint)) };
            format!("mqlab hunt {} --seeds {first_seed} --print-plan{which}{file}", ending.errand.flags())
        }
    }
}
