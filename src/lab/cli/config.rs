//! Settings: flag before environment before `./mqlab.toml` before the user's file before defaults.
//!
//! Files are read before the command line is parsed: what they set becomes the default of each flag that the same variable of
//! the environment sets, so that the order holds for every command alike.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::{Value, json};
use toml::Spanned;

use crate::lab::cli::args::Report;
use crate::lab::cli::load::{self, Look};
use crate::lab::fault::moment::nearest;
use crate::lab::locale::{Lang, Words};

/// What kind of value a setting has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// One of these.
    Choice(&'static [&'static str]),
    /// True or false.
    Switch,
    /// A whole number, not negative.
    Number,
    /// Seeds, `A..B`.
    Seeds,
    /// A folder.
    Folder,
}

/// A setting.
struct Setting {
    name: &'static str,
    variable: &'static str,
    /// The flag's id, if it has one that is the same for every command.
    flag: Option<&'static str>,
    kind: Kind,
    default: &'static str,
    what: Words,
}

const fn w(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

const SETTINGS: [Setting; 11] = [
    Setting {
        name: "lang",
        variable: "MQLAB_LANG",
        flag: Some("lang"),
        kind: Kind::Choice(&["en", "zh"]),
        default: "(locale)",
        what: w("the language", "语言"),
    },
    Setting {
        name: "color",
        variable: "MQLAB_COLOR",
        flag: Some("color"),
        kind: Kind::Choice(&["auto", "always", "never"]),
        default: "auto",
        what: w("when to use colour", "何时使用颜色"),
    },
    Setting {
        name: "ascii",
        variable: "MQLAB_ASCII",
        flag: Some("ascii"),
        kind: Kind::Switch,
        default: "false",
        what: w("boxes of ASCII letters", "用 ASCII 画框"),
    },
    Setting {
        name: "no_mouse",
        variable: "MQLAB_NO_MOUSE",
        flag: Some("no_mouse"),
        kind: Kind::Switch,
        default: "false",
        what: w("leave the mouse to the terminal", "不使用鼠标"),
    },
    Setting {
        name: "theme",
        variable: "MQLAB_THEME",
        flag: Some("theme"),
        kind: Kind::Choice(&["auto", "dark", "light", "high-contrast", "mono"]),
        default: "auto",
        what: w("the terminal's colours", "终端配色"),
    },
    Setting {
        name: "reduced_motion",
        variable: "MQLAB_REDUCED_MOTION",
        flag: Some("reduced_motion"),
        kind: Kind::Switch,
        default: "false",
        what: w("jump instead of moving", "跳转而不滚动"),
    },
    Setting {
        name: "no_input",
        variable: "MQLAB_NO_INPUT",
        flag: Some("no_input"),
        kind: Kind::Switch,
        default: "false",
        what: w("ask nobody anything", "从不询问"),
    },
    Setting {
        name: "seed",
        variable: "MQLAB_SEED",
        flag: None,
        kind: Kind::Number,
        default: "(scenario)",
        what: w("the seed of a run", "一次运行的种子"),
    },
    Setting {
        name: "seeds",
        variable: "MQLAB_SEEDS",
        flag: None,
        kind: Kind::Seeds,
        default: "(command)",
        what: w("the seeds of a hunt", "搜索所用的种子"),
    },
    Setting {
        name: "jobs",
        variable: "MQLAB_JOBS",
        flag: None,
        kind: Kind::Number,
        default: "(cores)",
        what: w("how many threads", "线程数"),
    },
    Setting {
        name: "data",
        variable: "MQLAB_DATA",
        flag: None,
        kind: Kind::Folder,
        default: "",
        what: w("where what is kept between runs lies", "跨运行保存数据的文件夹"),
    },
];

/// A value out of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Written {
    value: String,
    /// Which file, and where in it.
    origin: String,
}

/// What the files say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Files {
    /// The files that were read, the first wins.
    read: Vec<PathBuf>,
    values: BTreeMap<&'static str, Written>,
}

impl Files {
    /// Says which files were read.
    pub(super) fn told(&self, lang: Lang) {
        for path in &self.read {
            let word = if lang == Lang::Zh { "设置" } else { "settings" };
            load::complain(&format!("{word}: {}\n", path.display()));
        }
    }
}

/// The settings of the files: of the named one alone, or of the project's and the user's.
///
/// Errors: a file cannot be read, or something in it is no setting; with a way out.
pub(super) fn files(named: Option<&Path>) -> Result<Files, String> {
    let mut files = Files::default();
    let paths: Vec<PathBuf> = match named {
        Some(path) => vec![path.to_owned()],
        None => [project(), user()].into_iter().flatten().filter(|path| path.is_file()).collect(),
    };
    for path in paths {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            format!("{shown} cannot be read: {error}\n  help: name a file of settings, e.g. `lang = \"zh\"`\n")
        })?;
        for (name, written) in settings(&shown, &text)? {
            files.values.entry(name).or_insert(written);
        }
        files.read.push(path);
    }
    Ok(files)
}

/// The file that `--config` or `MQLAB_CONFIG` names.
pub(super) fn named(matches: &ArgMatches) -> Option<PathBuf> {
    matches.get_one::<PathBuf>("config").cloned()
}

/// `mqlab.toml` here or in a folder above, up to the repository's root.
fn project() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    for folder in here.ancestors() {
        let file = folder.join("mqlab.toml");
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    None
}

/// `mqlab/config.toml` where this user's settings lie.
fn user() -> Option<PathBuf> {
    let home = || load::environment("HOME").map(|home| Path::new(&home).join(".config"));
    let folder = load::environment("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home)?;
    Some(folder.join("mqlab").join("config.toml"))
}

/// Where data lies if nobody says so.
fn data() -> Option<String> {
    let home = || load::environment("HOME").map(|home| Path::new(&home).join(".local").join("state"));
    let folder = load::environment("XDG_STATE_HOME").map(PathBuf::from).or_else(home)?;
    Some(folder.join("mqlab").display().to_string())
}

fn settings(file: &str, text: &str) -> Result<Vec<(&'static str, Written)>, String> {
    let line = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
    let table: BTreeMap<Spanned<String>, Spanned<toml::Value>> = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        format!("{file}:{}: {}\n  help: a setting is written `jobs = 2`\n", line(at), error.message())
    })?;
    let mut all = Vec::new();
    for (key, value) in table {
        let place = format!("{file}:{}", line(key.span().start));
        let name = key.get_ref().replace('-', "_");
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            let help = match nearest(&name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", known.join(", ")),
            };
            return Err(format!("{place}: no setting named `{name}`\n  help: {help}\n"));
        };
        let value = match value.get_ref() {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let Err(help) = setting.kind.takes(&value) {
            return Err(format!("{place}: `{value}` is no value of {name}\n  help: {help}\n"));
        }
        all.push((setting.name, Written { value, origin: place }));
    }
    Ok(all)
}

impl Kind {
    /// Whether a value can be; what could be, if not.
    fn takes(self, value: &str) -> Result<(), String> {
        let (fits, help) = match self {
            Kind::Choice(all) => (all.contains(&value), format!("one of {}", all.join(", "))),
            Kind::Switch => (["true", "false"].contains(&value), "true or false".to_owned()),
            Kind::Number => (value.parse::<u64>().is_ok(), "a whole number, e.g. 2".to_owned()),
            Kind::Seeds => (crate::lab::cli::hunt::asked::seeds(value).is_ok(), "e.g. \"0..10000\"".to_owned()),
            Kind::Folder => (!value.is_empty(), "a folder's path".to_owned()),
        };
        if fits { Ok(()) } else { Err(help) }
    }
}

/// The command line with the files' values as defaults: wherever a variable is read, its setting is, too.
pub(super) fn with_defaults(command: clap::Command, files: &Files) -> clap::Command {
    let mut command = command;
    // A flag that no command gives would otherwise never hear of its setting.
    command = command.mut_args(|argument| defaulted(argument, files));
    command.mut_subcommands(|own| with_defaults(own, files))
}

fn defaulted(argument: clap::Arg, files: &Files) -> clap::Arg {
    let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
    let setting = SETTINGS.iter().find(|setting| variable.as_deref() == Some(setting.variable));
    match setting.and_then(|setting| files.values.get(setting.name)) {
        Some(written) => argument.default_value(OsString::from(written.value.clone())),
        None => argument,
    }
}

/// Prints every setting with its value and where that comes from.
pub(super) fn show(files: &Files, matches: &ArgMatches, format: Report, look: Look) -> Result<ExitCode> {
    let all: Vec<(&Setting, String, String)> = SETTINGS
        .iter()
        .map(|setting| {
            let (value, origin) = effective(setting, files, matches, look);
            (setting, value, origin)
        })
        .collect();
    if format == Report::Json {
        let settings: Vec<Value> = all
            .iter()
            .map(|(setting, value, origin)| {
                json!({ "name": setting.name, "value": value, "origin": origin, "variable": setting.variable })
            })
            .collect();
        let read: Vec<String> = files.read.iter().map(|path| path.display().to_string()).collect();
        load::say(&format!("{:#}\n", json!({ "settings": settings, "files": read })))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = String::new();
    for (setting, value, origin) in all {
        let _ = writeln!(out, "{:<15} {value:<14} {origin:<34} {}", setting.name, setting.what.text(look.lang));
    }
    if files.read.is_empty() {
        out.push_str(match look.lang {
            Lang::En => "no file was read: ./mqlab.toml (here or above, up to the repository's root), then the user's config.toml\n",
            Lang::Zh => "没有读取文件：先找 ./mqlab.toml（当前目录及其上，直到仓库根目录），再找用户的 config.toml\n",
        });
    }
    load::say(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn effective(setting: &Setting, files: &Files, matches: &ArgMatches, look: Look) -> (String, String) {
    let source = setting.flag.and_then(|flag| matches.value_source(flag));
    let raw = || {
        let raw = setting.flag.and_then(|flag| matches.get_raw(flag)).and_then(|mut values| values.next_back());
        raw.map(|value| value.to_string_lossy().into_owned())
    };
    let switch =
        |value: String| if setting.kind == Kind::Switch && value.is_empty() { "true".to_owned() } else { value };
    if source == Some(ValueSource::CommandLine) {
        let value = raw().map_or_else(|| "true".to_owned(), switch);
        return (value, format!("--{}", setting.name.replace('_', "-")));
    }
    if let Some(value) = load::environment(setting.variable) {
        return (value, setting.variable.to_owned());
    }
    if let Some(Written { value, origin }) = files.values.get(setting.name) {
        return (value.clone(), origin.clone());
    }
    let value = match setting.name {
        "lang" => if look.lang == Lang::Zh { "zh" } else { "en" }.to_owned(),
        "data" => data().unwrap_or_else(|| "(none)".to_owned()),
        _ => setting.default.to_owned(),
    };
    (value, if look.lang == Lang::Zh { "默认" } else { "default" }.to_owned())
}
