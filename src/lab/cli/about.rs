//! What the binary says of itself: completions, the manual, keys, and whether the terminal is as it should be.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::lab::cli::USAGE;
use crate::lab::cli::args::{Cli, Report};
use crate::lab::cli::load::{self, Look};
use crate::lab::fault::moment::nearest;
use crate::lab::locale::Lang;
use crate::lab::tui::keys::{self, Binding};
use crate::lab::view::width;

/// A shell's completions.
pub(super) fn completions(shell: Shell) -> Result<ExitCode> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mqlab", &mut out);
    load::say(&String::from_utf8(out).context("completions are text")?)?;
    Ok(ExitCode::SUCCESS)
}

/// The manual page, of the whole or of one command.
pub(super) fn man(command: Option<&str>) -> Result<ExitCode> {
    let whole = Cli::command();
    let page = match command {
        None => clap_mangen::Man::new(whole).title("mqlab"),
        Some(name) => match whole.get_subcommands().find(|own| own.get_name() == name) {
            Some(own) => {
                clap_mangen::Man::new(own.clone().version(env!("CARGO_PKG_VERSION"))).title(format!("mqlab-{name}"))
            }
            None => {
                let known: Vec<&str> = whole.get_subcommands().map(clap::Command::get_name).collect();
                let help = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are: {}", known.join(", ")),
                };
                load::complain(&format!("no command named `{name}`\n  help: {help}\n"));
                return Ok(ExitCode::from(USAGE));
            }
        },
    };
    let mut out = Vec::new();
    page.render(&mut out).context("a page in memory")?;
    load::say(&String::from_utf8(out).context("a page is text")?)?;
    Ok(ExitCode::SUCCESS)
}

/// Every key of the terminal program.
pub(super) fn keys(format: Report, look: Look) -> Result<ExitCode> {
    let all = keys::SCREENS.map(|(name, title, bindings)| (name, title.text(look.lang), bindings));
    let text = match format {
        Report::Json => {
            let of = |bindings: &[Binding]| {
                bindings
                    .iter()
                    .map(|one| json!({ "key": one.key, "what": one.what.text(look.lang) }))
                    .collect::<Vec<_>>()
            };
            let screens: serde_json::Map<String, _> =
                all.iter().map(|(name, _, bindings)| ((*name).to_owned(), json!(of(bindings)))).collect();
            format!("{:#}\n", serde_json::Value::Object(screens))
        }
        Report::Text => {
            let mut out = String::new();
            for (_, title, bindings) in all {
                let _ = writeln!(out, "{title}");
                for one in bindings {
                    let _ = writeln!(out, "  {} {}", width::fit(one.key, 10), one.what.text(look.lang));
                }
            }
            out
        }
    };
    load::say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What the terminal program finds here, a line for each thing, with what to do where something is not as it should be.
pub(super) fn doctor(look: Look) -> Result<ExitCode> {
    let term = load::environment("TERM");
    let size = ratatui::crossterm::terminal::size().ok();
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(load::environment);
    let lang = if look.lang == Lang::Zh { "zh" } else { "en" };
    let room = match size {
        Some((columns, rows)) if columns < 60 || rows < 16 => Some("the player needs 60x16, 80x24 shows all panes"),
        None => Some("no terminal: `--no-tui` and `mqlab show` print text"),
        Some(_) => None,
    };
    let dumb = term.as_deref().filter(|term| *term == "dumb").map(|_| "TERM=dumb: the run is printed as text");
    let ascii = (!look.unicode).then_some("boxes are drawn in ASCII; a UTF-8 locale draws lines");
    let size = size.map_or_else(|| "none".to_owned(), |(columns, rows)| format!("{columns}x{rows}"));
    let rows: [(&str, String, Option<&str>); 7] = [
        (
            "mqlab",
            format!("{} ({})", env!("CARGO_PKG_VERSION"), if cfg!(debug_assertions) { "debug" } else { "release" }),
            None,
        ),
        ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH), None),
        ("terminal", format!("{} {size}", term.as_deref().unwrap_or("none")), dumb.or(room)),
        ("locale", format!("{} -> {lang}", locale.as_deref().unwrap_or("none")), None),
        ("boxes", if look.unicode { "lines" } else { "ASCII" }.to_owned(), ascii),
        ("colour", if look.color { "on" } else { "off" }.to_owned(), None),
        (
            "widths",
            "中 is 2 columns, e\u{301} is 1".to_owned(),
            (width::of("中e\u{301}") != 3).then_some("wide letters are not counted"),
        ),
    ];
    let mut out = String::new();
    for (name, value, help) in rows {
        let _ = writeln!(out, "{} {name:<9} {value}", if help.is_some() { '!' } else { '+' });
        if let Some(help) = help {
            let _ = writeln!(out, "  help: {help}");
        }
    }
    load::say(&out)?;
    Ok(ExitCode::SUCCESS)
}
