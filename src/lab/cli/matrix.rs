//! A scenario in several shapes: each is run and judged, and a table lays them side by side.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::lab::check::measure::Measures;
use crate::lab::cli::INVALID;
use crate::lab::cli::args::{Format, RunArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::run::{self, Judged, Summary};
use crate::lab::locale::Lang;
use crate::lab::scenario::Scenario;
use crate::lab::trace::digest::Fold;
use crate::lab::view::width;
use crate::mq::time::{Span, Time};

/// The whole as JSON: the sums, then each shape as a run of its own.
#[derive(Serialize)]
struct Whole<'a> {
    scenario: &'a str,
    seed: u64,
    /// What the digests of all shapes fold to.
    digest: String,
    events: u64,
    virtual_ns: u64,
    wall_ns: u64,
    as_expected: bool,
    variants: Vec<Shape<'a>>,
}

#[derive(Serialize)]
struct Shape<'a> {
    variant: &'a str,
    sent: usize,
    acked: usize,
    lost: usize,
    late: usize,
    send_gap_ns: u64,
    receive_gap_ns: u64,
    #[serde(flatten)]
    run: Summary<'a>,
}

/// Runs every shape of a scenario.
pub(super) fn run(scenario: &Scenario, args: &RunArgs, look: Look) -> Result<ExitCode> {
    let format = if args.json { Format::Json } else { args.format };
    let needs_one =
        args.output || args.out.is_some() || args.disk.is_some() || !matches!(format, Format::Text | Format::Json);
    let variants = scenario.variants();
    if needs_one {
        let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
        load::complain(&format!(
            "{} has several shapes, and this is about one\n  help: --variant {}\n",
            scenario.plan.scenario,
            names.join("|")
        ));
        return Ok(ExitCode::from(INVALID));
    }
    let mut judged = Vec::new();
    for variant in &variants {
        match scenario.in_variant(&variant.name) {
            Ok(shape) => judged.push(run::judge(shape)),
            Err(report) => {
                load::complain(&report.to_string());
                return Ok(ExitCode::from(INVALID));
            }
        }
    }
    match format {
        Format::Json => load::say(&format!("{}\n", json(&judged, look.lang)?))?,
        _ => load::say(&text(&judged, look.lang, args))?,
    }
    // What is worst about one of them is worst about the whole.
    let worst = [70, 1, 3, 0].into_iter().find(|code| judged.iter().any(|one| run::exit_code(one) == *code));
    Ok(ExitCode::from(worst.unwrap_or(0)))
}

fn name(judged: &Judged) -> &str {
    judged.scenario.variant.as_ref().map_or("?", |variant| &variant.name)
}

fn json(judged: &[Judged], lang: Lang) -> Result<String> {
    let mut digest = Fold::default();
    for one in judged {
        let word = one.result.digest.0;
        digest.pair((word >> 64) as u64, word as u64);
    }
    let shape = |one| {
        let Measures { sent, acked, lost, late, send_gap, receive_gap } = measures(one);
        let (send_gap_ns, receive_gap_ns) = (send_gap.0, receive_gap.0);
        Shape { variant: name(one), sent, acked, lost, late, send_gap_ns, receive_gap_ns, run: run::summary(one, lang) }
    };
    let variants: Vec<Shape<'_>> = judged.iter().map(shape).collect();
    let first = judged.first().context("a scenario has a shape")?;
    let whole = Whole {
        scenario: &first.scenario.plan.scenario,
        seed: first.scenario.plan.seed,
        digest: digest.digest().to_string(),
        events: variants.iter().map(|one| one.run.events).sum(),
        virtual_ns: variants.iter().map(|one| one.run.virtual_ns).sum(),
        wall_ns: variants.iter().map(|one| one.run.wall_ns).sum(),
        as_expected: variants.iter().all(|one| one.run.as_expected),
        variants,
    };
    serde_json::to_string_pretty(&whole).context("a summary is plain data")
}

fn measures(judged: &Judged) -> Measures {
    Measures::of(&judged.result.trace)
}

fn text(judged: &[Judged], lang: Lang, args: &RunArgs) -> String {
    let mut out = String::new();
    let Some(first) = judged.first() else { return out };
    let plan = &first.scenario.plan;
    let head = format!("{}  {}", plan.scenario, first.scenario.lesson.title.text(lang));
    let room = " ".repeat(47_usize.saturating_sub(width::of(&head)));
    let _ = writeln!(out, "{head}{room} seed {}   profile {}", plan.seed, first.result.trace.header.profile);
    out.push_str(&table(judged, lang));
    for one in judged {
        let title = one.scenario.variant.as_ref().map_or("", |variant| variant.title.text(lang));
        let _ = writeln!(out, "{}  {title}", name(one));
        let shown = one.findings.iter().filter(|finding| finding.asked || args.verbose || !finding.is_as_expected());
        for finding in shown {
            out.push_str(&run::check_line(one, finding, lang));
        }
        let _ = writeln!(out, "  digest  {}", one.result.digest);
    }
    let events: u64 = judged.iter().map(|one| one.result.events).sum();
    let wall: u64 = judged.iter().map(|one| one.wall_ns / 1_000_000).sum();
    let virtual_time = judged.iter().map(|one| one.result.virtual_time.0).sum();
    let as_expected = judged.iter().all(|one| run::exit_code(one) == 0);
    let _ = match (lang, as_expected) {
        (Lang::En, true) => {
            writeln!(out, "result  as expected in {events} events, {} virtual, {wall} ms real", Time(virtual_time))
        }
        (Lang::En, false) => {
            writeln!(out, "result  NOT as expected in {events} events, {} virtual, {wall} ms real", Time(virtual_time))
        }
        (Lang::Zh, true) => {
            writeln!(out, "结果  符合预期：{events} 个事件，虚拟时间 {}，实际 {wall} 毫秒", Time(virtual_time))
        }
        (Lang::Zh, false) => {
            writeln!(out, "结果  不符合预期：{events} 个事件，虚拟时间 {}，实际 {wall} 毫秒", Time(virtual_time))
        }
    };
    let one = judged.iter().find(|one| run::exit_code(one) != 0).unwrap_or(first);
    let _ = writeln!(out, "one     {}", one.scenario.command());
    out
}

/// The shapes side by side.
fn table(judged: &[Judged], lang: Lang) -> String {
    let titles = match lang {
        Lang::En => ["shape", "sent", "acked", "lost", "late", "s without send", "s without receive"],
        Lang::Zh => ["形态", "发送", "已确认", "丢失", "迟到", "无法发送的秒数", "没有接收的秒数"],
    };
    let seconds = |span: Span| format!("{:.1}", span.0 as f64 / 1e9);
    let rows = judged.iter().map(|one| {
        let Measures { sent, acked, lost, late, send_gap, receive_gap } = measures(one);
        let counts = [sent, acked, lost, late].map(|count| count.to_string());
        let [sent, acked, lost, late] = counts;
        [name(one).to_owned(), sent, acked, lost, late, seconds(send_gap), seconds(receive_gap)]
    });
    let rows: Vec<[String; 7]> = std::iter::once(titles.map(str::to_owned)).chain(rows).collect();
    let widths: Vec<usize> =
        (0..7).map(|column| rows.iter().map(|row| width::of(&row[column])).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let room = " ".repeat(widths[column] - width::of(cell));
            // Names to the left, numbers to the right.
            let _ = if column == 0 { write!(out, "  {cell}{room}") } else { write!(out, "  {room}{cell}") };
        }
        out.push('\n');
    }
    out
}
