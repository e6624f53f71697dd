//! `mqlab why`: what led to an event and what it led to; or what a message waits for.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::lab::cli::args::{Report, StateArg, WhyArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::source;
use crate::lab::fault::moment;
use crate::lab::locale::Lang;
use crate::lab::trace::fold::Pictures;
use crate::lab::trace::log::Trace;
use crate::lab::view::life::Life;
use crate::lab::view::lines::Handles;
use crate::lab::view::why::{self, Because};
use crate::lab::view::why_not::{self, Unmet, Wanted, WhyNot};
use crate::lab::view::width;

/// Runs a scenario and answers.
pub(super) fn run(args: &WhyArgs, look: Look) -> Result<ExitCode> {
    let answered = source::trace(&args.run, &args.plan, look).and_then(|trace| {
        let trace = &trace;
        let handles = Handles::of(trace);
        let told = match args.focus.strip_prefix('#') {
            Some(step) => event((trace, &handles), step, args, look.lang),
            None => message((trace, &handles), args, look.lang),
        };
        Ok(told?)
    });
    load::answer(answered)
}

fn event((trace, handles): (&Trace, &Handles), step: &str, args: &WhyArgs, lang: Lang) -> Result<String, String> {
    if args.not.is_some() || args.at.is_some() {
        let help = "`--not` and `--at` ask about a message: `mqlab why SCENARIO m1 --not delivered --at 12s`";
        return Err(format!("an event has happened, or it has not\n  help: {help}\n"));
    }
    let found = step.parse::<u64>().ok().and_then(|step| why::of_step((trace, handles), step, args.depth, lang));
    let Some(found) = found else {
        let last = trace.steps().saturating_sub(1);
        return Err(format!("this run has no event #{step}\n  help: its events are #0 to #{last}\n"));
    };
    if args.format == Report::Json {
        let list = |all: &[Because]| all.iter().map(because).collect::<Vec<Value>>();
        let json = json!({
            "what": list(&found.what),
            "causes": list(&found.causes),
            "further": found.further,
            "effects": list(&found.effects),
        });
        return Ok(format!("{json:#}\n"));
    }
    let mut out = String::new();
    for one in &found.what {
        line(&mut out, "", one);
    }
    out.push_str(if lang == Lang::Zh { "因为\n" } else { "because\n" });
    for one in &found.causes {
        line(&mut out, "  ", one);
    }
    if found.causes.is_empty() {
        out.push_str(if lang == Lang::Zh {
            "  没有更早的原因：由方案安排\n"
        } else {
            "  nothing before it: the plan has it so\n"
        });
    }
    if 0 < found.further {
        let _ = match lang {
            Lang::En => writeln!(out, "  ... {} causes further back, --depth shows more", found.further),
            Lang::Zh => writeln!(out, "  ... 更早还有 {} 个原因，--depth 可显示更多", found.further),
        };
    }
    out.push_str(if lang == Lang::Zh { "它导致\n" } else { "it led to\n" });
    for one in &found.effects {
        line(&mut out, "  ", one);
    }
    if found.effects.is_empty() {
        out.push_str(if lang == Lang::Zh { "  没有别的\n" } else { "  nothing else\n" });
    }
    Ok(out)
}

fn line(out: &mut String, indent: &str, one: &Because) {
    let _ = writeln!(
        out,
        "{indent}{:>9}  {:<6} {:<10} {}",
        one.at.to_string(),
        format!("#{}", one.step),
        one.actor,
        one.text
    );
}

fn because(one: &Because) -> Value {
    json!({ "step": one.step, "at": one.at.0, "seq": one.seq.0, "node": one.actor, "kind": one.kind, "text": one.text })
}

fn message((trace, handles): (&Trace, &Handles), args: &WhyArgs, lang: Lang) -> Result<String, String> {
    let Some(number) = handles.find(&args.focus) else {
        let help = match handles.messages.len() {
            0 => "nothing was sent in this run; an event is asked for as `#31`".to_owned(),
            count => format!("m1 to m{count}, a message's key, its unique key, or an event (`#31`)"),
        };
        return Err(format!("no message `{}` in this run\n  help: {help}\n", args.focus));
    };
    let step = match &args.at {
        None => trace.steps(),
        Some(text) => moment_of(trace, text)?,
    };
    let pictures = Pictures::of(trace);
    let answer = |wanted: Wanted| why_not::of((trace, handles, &pictures), number, wanted, step);
    let states = why_not::ALL.map(|wanted| (wanted, answer(wanted)));
    let asked = match args.not {
        Some(state) => wanted(state),
        None => {
            let open = states.iter().find(|(_, answer)| matches!(answer, WhyNot::Waits(_)));
            open.map_or(Wanted::Consumed, |(wanted, _)| *wanted)
        }
    };
    let of_asked = answer(asked);
    let life = Life::of(trace, handles, number);
    let name = handles.name(number);
    let state = life.state(step).text(lang);
    if args.format == Report::Json {
        let reached = states.iter().map(|(wanted, answer)| {
            (
                wanted.name().to_owned(),
                match answer {
                    WhyNot::Has(step, at) => json!({ "step": step, "at": at.0 }),
                    WhyNot::Waits(_) => Value::Null,
                },
            )
        });
        let reached: serde_json::Map<String, Value> = reached.collect();
        let unmet = match &of_asked {
            WhyNot::Has(..) => Vec::new(),
            WhyNot::Waits(unmet) => unmet.iter().map(|one| unmet_json(one, lang)).collect(),
        };
        let json = json!({ "message": name, "moment": step, "state": state, "reached": reached, "asked": asked.name(), "unmet": unmet });
        return Ok(format!("{json:#}\n"));
    }
    let mut out = format!("{name}  {state}\n");
    let name = |wanted: Wanted| width::fit(wanted.word().text(lang), 10);
    for (wanted, answer) in &states {
        let _ = match answer {
            WhyNot::Has(step, at) => writeln!(out, "  {} {:>9}  #{step}", name(*wanted), at.to_string()),
            WhyNot::Waits(_) => writeln!(out, "  {} {:>9}", name(*wanted), "--"),
        };
    }
    match (&of_asked, lang) {
        (WhyNot::Has(step, at), Lang::En) => drop(writeln!(out, "it is {}: #{step}, {at}", asked.name())),
        (WhyNot::Has(step, at), Lang::Zh) => drop(writeln!(out, "已经{}：#{step}，{at}", asked.told(lang))),
        (WhyNot::Waits(unmet), _) => {
            let _ = match lang {
                Lang::En => writeln!(out, "why not {}", asked.name()),
                Lang::Zh => writeln!(out, "为什么没有{}", asked.told(lang)),
            };
            unmet.iter().for_each(|one| told(&mut out, one, lang));
        }
    }
    Ok(out)
}

/// The first step at or behind a moment.
pub(super) fn moment_of(trace: &Trace, text: &str) -> Result<u64, String> {
    if let Some(step) = text.strip_prefix('#') {
        return step.parse::<u64>().map_err(|_| format!("`{text}` is no moment\n  help: write `#31` or `12s`\n"));
    }
    let at =
        moment::span(text).map_err(|error| format!("`{text}`: {}\n  help: write `#31` or `12s`\n", error.message))?;
    let behind = trace.records().partition_point(|record| record.at.0 <= at.0);
    Ok(trace.records().get(behind).map_or(trace.steps(), |record| record.step))
}

fn told(out: &mut String, one: &Unmet, lang: Lang) {
    let _ = writeln!(out, "  {}", one.text.text(lang));
    if let Some(step) = one.since {
        let _ = match lang {
            Lang::En => writeln!(out, "    since   #{step}"),
            Lang::Zh => writeln!(out, "    自      #{step}"),
        };
    }
    let _ = match (&one.who, lang) {
        (Some(who), Lang::En) => writeln!(out, "    who     {who} must act"),
        (Some(who), Lang::Zh) => writeln!(out, "    谁      等 {who} 行动"),
        (None, Lang::En) => writeln!(out, "    who     nobody: it will not come about"),
        (None, Lang::Zh) => writeln!(out, "    谁      没有谁：不会再发生"),
    };
    if let Some(due) = &one.next {
        let _ = match lang {
            Lang::En => writeln!(out, "    next    {} of {} fires at {}", due.timer.name(), due.node, due.at),
            Lang::Zh => writeln!(out, "    下次    {} 的 {} 在 {} 到期", due.node, due.timer.name(), due.at),
        };
    }
}

fn unmet_json(one: &Unmet, lang: Lang) -> Value {
    let next = one.next.as_ref().map(|due| json!({ "node": due.node, "timer": due.timer.name(), "at": due.at.0 }));
    json!({ "text": one.text.text(lang), "who": one.who, "since": one.since, "next": next })
}

fn wanted(state: StateArg) -> Wanted {
    match state {
        StateArg::Sent => Wanted::Sent,
        StateArg::Stored => Wanted::Stored,
        StateArg::Flushed => Wanted::Flushed,
        StateArg::Acked => Wanted::Acked,
        StateArg::Queued => Wanted::Queued,
        StateArg::Delivered => Wanted::Delivered,
        StateArg::Consumed => Wanted::Consumed,
    }
}
