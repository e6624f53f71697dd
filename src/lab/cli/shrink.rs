//! `mqlab shrink`: the smallest plan that breaks the same thing.

use std::process::ExitCode;

use anyhow::Result;

use crate::lab::check::{Finding, Verdict};
use crate::lab::cli::args::{PlanArgs, ShrinkArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, USAGE};
use crate::lab::explore::hunt::{blame, trial};
use crate::lab::explore::shrink::{self, Target};
use crate::lab::fault::moment::nearest;
use crate::lab::locale::Lang;

/// Nothing is broken that could be kept.
const NOTHING: u8 = 3;

/// Prints a scenario's smallest form.
pub(super) fn run(args: &ShrinkArgs, look: Look) -> Result<ExitCode> {
    let scenario = match load::scenario(&args.scenario, &PlanArgs::default(), look) {
        Ok(scenario) => scenario,
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    let found = scenario.found.clone().unwrap_or_default();
    let within = found.within.unwrap_or(true);
    let plan = &scenario.plan;
    let broken = trial::judge(&trial::replay(plan).trace, plan, within);
    let wanted = args.check.as_ref().or(found.check.as_ref());
    let is_wanted = |finding: &&Finding| match wanted {
        Some(wanted) => finding.check == *wanted || finding.judges() == *wanted,
        None => true,
    };
    let clause = |finding: &Finding| match &finding.verdict {
        Verdict::Violation { clause, .. } | Verdict::Known { clause, .. } => Some(*clause),
        _ => None,
    };
    let target = broken.iter().find(is_wanted).and_then(|finding| Some((finding, clause(finding)?)));
    let Some((finding, clause)) = target else {
        let names: Vec<&str> = broken.iter().map(|finding| finding.check).collect();
        let near = wanted.and_then(|wanted| nearest(wanted, names.iter().copied()));
        let (text, code) = match (look.lang, names.is_empty()) {
            (Lang::En, true) => ("nothing is broken in this run: there is nothing to keep\n".to_owned(), NOTHING),
            (Lang::Zh, true) => ("这次运行没有违反任何保证，没有可缩减之处\n".to_owned(), NOTHING),
            (Lang::En, false) => {
                let help = near.map_or_else(|| names.join(", "), |near| format!("did you mean `{near}`?"));
                (format!("that is not broken in this run\n  help: broken are: {help}\n"), USAGE)
            }
            (Lang::Zh, false) => (format!("这次运行没有违反它\n  帮助：被违反的有 {}\n", names.join("、")), USAGE),
        };
        load::complain(&text);
        return Ok(ExitCode::from(code));
    };
    let target = Target {
        check: finding.check.to_owned(),
        guarantee: finding.judges(),
        clause: clause.to_owned(),
        tag: blame::tag(plan, finding),
        profile: plan.profile.name(),
        within,
    };
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let shrunk = shrink::shrink(&scenario.origin.name, &scenario.text, &target, args.budget);
    std::panic::set_hook(hook);
    let Some(shrunk) = shrunk else {
        load::complain(match look.lang {
            Lang::En => "the plan does not show the same twice: this is a fault of the lab\n",
            Lang::Zh => "该计划两次运行结果不同：这是实验室自身的问题\n",
        });
        return Ok(ExitCode::from(70));
    };
    if let Some(path) = &args.out {
        if let Err(error) = std::fs::write(path, &shrunk.text) {
            let help = "name a file in a folder that you may write to";
            load::complain(&format!("{} cannot be written: {error}\n  help: {help}\n", path.display()));
            return Ok(ExitCode::from(INVALID));
        }
    } else {
        load::say(&shrunk.text)?;
    }
    let (operations, episodes, replays) = (shrunk.operations, shrunk.episodes, shrunk.replays);
    load::complain(&match look.lang {
        Lang::En => format!("{}: {operations} operations, {episodes} faults; {replays} runs\n", shrunk.fingerprint),
        Lang::Zh => format!("{}：{operations} 个操作，{episodes} 次故障；{replays} 次运行\n", shrunk.fingerprint),
    });
    Ok(ExitCode::SUCCESS)
}
