//! `mqlab scenario`: files looked at without running them.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::lab::cli::args::{PlanArgs, ScenarioCommand};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, NOT_EXPECTED};
use crate::lab::locale::Lang;
use crate::lab::scenario::FILE_MAX;
use crate::lab::scenario::import::{self, Finding};

/// Does one of the commands.
pub(super) fn run(command: &ScenarioCommand, look: Look) -> Result<ExitCode> {
    match command {
        ScenarioCommand::Check { scenario } => check(scenario, look),
        ScenarioCommand::Import { files, output, strict } => import(files, output.as_deref(), *strict, look),
    }
}

fn check(scenario: &str, look: Look) -> Result<ExitCode> {
    match load::scenario(scenario, &PlanArgs::default(), look) {
        Ok(scenario) => {
            let nodes = scenario.plan.nodes.len();
            load::say(&match look.lang {
                Lang::En => format!("{} can be run: {nodes} nodes\n", scenario.plan.scenario),
                Lang::Zh => format!("{} 可以运行：{nodes} 个节点\n", scenario.plan.scenario),
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(text) => {
            load::complain(&text);
            Ok(ExitCode::from(INVALID))
        }
    }
}

fn import(files: &[String], output: Option<&Path>, strict: bool, look: Look) -> Result<ExitCode> {
    let refuse = |text: String| {
        load::complain(&text);
        Ok(ExitCode::from(INVALID))
    };
    let mut read = Vec::new();
    for file in files {
        let bytes = match std::fs::read(file) {
            Ok(bytes) if bytes.len() <= FILE_MAX => bytes,
            Ok(_) => {
                return refuse(format!("{file} is too long for a broker's settings\n  help: is it the right file?\n"));
            }
            Err(error) => {
                let help = "name the files that `mqbroker -c` is given";
                return refuse(format!("{file} cannot be read: {error}\n  help: {help}\n"));
            }
        };
        read.push((file.clone(), bytes));
    }
    let imported = match import::import(&read) {
        Ok(imported) => imported,
        Err(text) => return refuse(format!("{text}\n")),
    };
    for finding in &imported.findings {
        load::complain(&line(finding, look.lang));
    }
    match output {
        None => load::say(&imported.scenario)?,
        Some(path) => {
            if let Err(error) = std::fs::write(path, &imported.scenario) {
                let help = "name a file in a folder that you may write to";
                return refuse(format!("{} cannot be written: {error}\n  help: {help}\n", path.display()));
            }
        }
    }
    let found = strict && !imported.findings.is_empty();
    Ok(if found { ExitCode::from(NOT_EXPECTED) } else { ExitCode::SUCCESS })
}

/// `broker-a.properties:12: storePathIndex: …`
fn line(finding: &Finding, lang: Lang) -> String {
    let Finding { file, line, key, consequence } = finding;
    let place = line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
    format!("{place}: {key}: {}\n", consequence.text(lang))
}
