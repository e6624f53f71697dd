//! `mqlab scenario`: files looked at without running them, and new ones.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::lab::cli::args::{PlanArgs, Report, ScenarioCommand};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::source::Refusal;
use crate::lab::cli::{INVALID, NOT_EXPECTED, library_scenarios, schema};
use crate::lab::locale::Lang;
use crate::lab::scenario::import::{self, Finding};
use crate::lab::scenario::{FILE_MAX, Scenario};

mod resolved;

/// Does one of the commands.
pub(super) fn run(command: &ScenarioCommand, look: Look) -> Result<ExitCode> {
    match command {
        ScenarioCommand::List { format } => list(*format, look),
        ScenarioCommand::Show { scenario, resolved, plan } => show(scenario, *resolved, plan, look),
        ScenarioCommand::New { name, output } => new(name, output.as_deref(), look),
        ScenarioCommand::Schema => schema::print(Some("scenario"), look),
        ScenarioCommand::Check { scenario } => check(scenario, look),
        ScenarioCommand::Import { files, output, strict } => import(files, output.as_deref(), *strict, look),
    }
}

/// The scenarios of this build.
pub(super) fn list(format: Report, look: Look) -> Result<ExitCode> {
    let all = library_scenarios()?;
    let text = |scenario: &Scenario| {
        let (name, lesson) = (&scenario.plan.scenario, &scenario.lesson);
        let (title, question) = (lesson.title.text(look.lang), lesson.question.text(look.lang));
        format!("{name:<18}  {title}\n{:<18}  {question}\n", "")
    };
    let row = |scenario: &Scenario| {
        let lesson = &scenario.lesson;
        json!({
            "name": scenario.plan.scenario.as_str(),
            "title": { "en": lesson.title.en, "zh": lesson.title.zh },
            "question": { "en": lesson.question.en, "zh": lesson.question.zh },
            "seed": scenario.plan.seed,
        })
    };
    load::say(&match format {
        Report::Text => all.iter().map(text).collect::<String>(),
        Report::Json => format!("{:#}\n", json!({ "scenarios": all.iter().map(row).collect::<Vec<Value>>() })),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show(name: &str, resolved: bool, plan: &PlanArgs, look: Look) -> Result<ExitCode> {
    let shown = load::scenario(name, plan, look).map(|scenario| match resolved {
        true => resolved::text(&scenario.plan),
        false => scenario.text,
    });
    load::answer(shown.map_err(Refusal::from))
}

/// What a scenario begins with.
const TEMPLATE: &str = include_str!("new.toml");

fn new(name: &str, output: Option<&Path>, look: Look) -> Result<ExitCode> {
    load::answer(written(name, output, look.lang).map_err(Refusal::from))
}

fn written(name: &str, output: Option<&Path>, lang: Lang) -> Result<String, String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
    };
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    if !is_name(stem) {
        let help = "letters, digits, `-` and `_`: `mqlab scenario new my-outage`; `-o FILE` says where it goes";
        return Err(format!("`{name}` is no name of a scenario\n  help: {help}\n"));
    }
    let path = output.map_or_else(|| Path::new(&format!("{stem}.toml")).to_owned(), Path::to_owned);
    let shown = path.display();
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let text = TEMPLATE.replace("{name}", stem);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(match lang {
            Lang::En => format!("{shown} is written\nrun it: mqlab run {shown}\n"),
            Lang::Zh => format!("已写入 {shown}\n运行：mqlab run {shown}\n"),
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(format!("{shown} is there already, and nothing is overwritten\n  help: another name, or `-o FILE`\n"))
        }
        Err(error) => {
            Err(format!("{shown} cannot be written: {error}\n  help: name a file in a folder that you may write to\n"))
        }
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
