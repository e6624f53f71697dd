//! `mqlab learn`: lessons, your own copies, hints, answers, and how far you are. Every outcome ends with what to type next.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::lab::cli::args::{LearnArgs, LearnCommand, Report};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::source::Refusal;
use crate::lab::cli::{INVALID, USAGE};
use crate::lab::learn::lessons::{self, Unclear};
use crate::lab::learn::progress::Progress;
use crate::lab::learn::store::{Store, Why};
use crate::lab::locale::learning as say;
use crate::lab::locale::{Lang, Words};
use crate::lab::scenario::{Scenario, library};

mod check;
mod copy;
mod help;
mod keeper;
mod list;
mod open;

pub(super) use keeper::{keeper, remember};

/// What a command works on.
struct Desk {
    store: Store,
    progress: Progress,
    look: Look,
}

/// Does what is asked.
pub(super) fn run(args: &LearnArgs, look: Look) -> Result<ExitCode> {
    let mut desk = match desk(look) {
        Ok(desk) => desk,
        Err(refusal) => return load::answer(Err(refusal)),
    };
    let done = match &args.command {
        None => match &args.lesson {
            Some(lesson) => desk.named(lesson).map(|id| Do::Open(id, How { plain: args.plain, tour: false })),
            None if args.tour => Ok(desk.next(How { plain: args.plain, tour: true })),
            None if !look.no_input && load::is_terminal() => Ok(Do::Home),
            None => Ok(Do::List(false, Report::Text)),
        },
        Some(LearnCommand::List { tour, format }) => Ok(Do::List(*tour, *format)),
        Some(LearnCommand::Next { tour, plain }) => Ok(desk.next(How { plain: *plain, tour: *tour })),
        Some(LearnCommand::Progress { format }) => return list::progress(&desk, *format),
        Some(LearnCommand::Check(args)) => return check::run(&mut desk, args),
        Some(LearnCommand::Edit { lesson }) => {
            let done = desk.meant(lesson.as_deref()).and_then(|id| copy::write(&mut desk, id));
            return load::answer(done);
        }
        Some(LearnCommand::Hint { lesson }) => {
            let done = desk.meant(lesson.as_deref()).and_then(|id| help::hint(&mut desk, id));
            return load::answer(done);
        }
        Some(LearnCommand::Solution { lesson, yes }) => {
            let done = desk.meant(lesson.as_deref()).and_then(|id| help::solution(&mut desk, id, *yes));
            return load::answer(done);
        }
        Some(LearnCommand::Reset { lesson, all, yes }) => {
            let done = match all {
                true => copy::reset_all(&mut desk, *yes),
                false => desk.meant(lesson.as_deref()).and_then(|id| copy::reset(&mut desk, id, *yes)),
            };
            return load::answer(done);
        }
    };
    match done {
        Ok(Do::Open(id, how)) => open::lesson(desk, id, how),
        Ok(Do::Home) => {
            load::teach(None, look)?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Do::List(tour, format)) => list::lessons(&desk, tour, format),
        Ok(Do::Say(text)) => load::answer(Ok(text)),
        Err(refusal) => load::answer(Err(refusal)),
    }
}

/// What a word comes to.
enum Do {
    Open(&'static str, How),
    Home,
    List(bool, Report),
    Say(String),
}

/// How a lesson is opened.
#[derive(Clone, Copy)]
struct How {
    /// As a dialogue of lines.
    plain: bool,
    /// As a part of the tour.
    tour: bool,
}

/// Where progress is kept: as the command line, the environment or a settings file says, or where the system keeps such things.
fn folder(data: Option<&Path>) -> PathBuf {
    let of = |name: &str| load::environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    match data {
        Some(folder) => folder.to_owned(),
        None => of("XDG_STATE_HOME")
            .or_else(|| of("HOME").map(|home| home.join(".local/state")))
            .map_or_else(|| PathBuf::from(".mqlab"), |state| state.join("mqlab")),
    }
}

fn desk(look: Look) -> Result<Desk, Refusal> {
    let folder = folder(look.data);
    let store = Store::new(folder.clone());
    match store.load() {
        Ok((progress, aside)) => {
            if let Some(aside) = aside {
                let file = aside.path.display().to_string();
                load::complain(&match aside.why {
                    Why::Damaged(why) => line(say::DAMAGED, look, &[("why", &why), ("file", &file)]),
                    Why::Version(version) => {
                        line(say::OTHER_VERSION, look, &[("version", &version.to_string()), ("file", &file)])
                    }
                });
            }
            Ok(Desk { store, progress, look })
        }
        Err(error) => {
            let folder = folder.display().to_string();
            Err(refused(line(say::NOT_KEPT, look, &[("folder", &folder), ("error", &error.to_string())])))
        }
    }
}

/// A text with its values, and the end of its line.
fn line(words: Words, look: Look, values: &[(&str, &str)]) -> String {
    words.with(look.lang, values) + "\n"
}

fn refused(text: String) -> Refusal {
    Refusal { text, code: INVALID }
}

impl Desk {
    fn lang(&self) -> Lang {
        self.look.lang
    }

    fn line(&self, words: Words, values: &[(&str, &str)]) -> String {
        line(words, self.look, values)
    }

    /// What to type next.
    fn goes_on(&self, command: &str) -> String {
        self.line(say::NEXT, &[("command", command)])
    }

    /// Writes progress down; a person who learns is not stopped if that cannot be done.
    fn keep(&self) {
        if let Err(error) = self.store.save(&self.progress) {
            let file = self.store.file();
            let folder = file.parent().unwrap_or(&file).display().to_string();
            load::complain(&self.line(say::NOT_KEPT, &[("folder", &folder), ("error", &error.to_string())]));
        }
    }

    /// The lesson of that name.
    fn named(&self, asked: &str) -> Result<&'static str, Refusal> {
        lessons::find(asked).map_err(|unclear| Refusal { text: unknown(asked, &unclear, self.lang()), code: USAGE })
    }

    /// The lesson of that name, or the last one.
    fn meant(&self, asked: Option<&str>) -> Result<&'static str, Refusal> {
        if let Some(asked) = asked {
            return self.named(asked);
        }
        let last = self.progress.last.as_deref();
        last.and_then(|last| library::names().find(|name| *name == last)).ok_or_else(|| {
            let text = self.line(say::NO_LESSON, &[]) + &self.line(say::HELP_NO_LESSON, &[]);
            Refusal { text, code: USAGE }
        })
    }

    /// The lesson that comes next, or that there is none.
    fn next(&self, how: How) -> Do {
        match self.progress.next(how.tour) {
            Some(id) => Do::Open(id, how),
            None if how.tour => Do::Say(self.line(say::TOUR_PASSED, &[]) + &self.goes_on("mqlab learn next")),
            None => Do::Say(self.line(say::ALL_PASSED, &[]) + &self.goes_on("mqlab hunt 26-hunt")),
        }
    }

    /// What to type when a lesson is passed.
    fn after(&self) -> String {
        if self.progress.touring && self.progress.next(true).is_some() {
            return self.goes_on("mqlab learn --tour");
        }
        match self.progress.next(false) {
            Some(next) => self.goes_on(&format!("mqlab learn {next}")),
            None => self.line(say::ALL_PASSED, &[]) + &self.goes_on("mqlab hunt 26-hunt"),
        }
    }

    /// Whether somebody says yes; without asking if that was said already.
    ///
    /// Errors: nobody can be asked.
    fn agrees(&self, yes: bool, question: &str, command: &str) -> Result<bool, Refusal> {
        if yes {
            return Ok(true);
        }
        if self.look.no_input || !load::is_terminal() {
            return Err(Refusal { text: self.line(say::SAY_YES, &[("command", command)]), code: USAGE });
        }
        load::complain(question);
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer).unwrap_or(0);
        Ok(0 < read && ["y", "yes", "是"].contains(&answer.trim().to_lowercase().as_str()))
    }
}

/// Why no lesson is meant, with a way out.
pub(super) fn unknown(asked: &str, unclear: &Unclear, lang: Lang) -> String {
    let line = |words: Words, values: &[(&str, &str)]| words.with(lang, values) + "\n";
    match unclear {
        Unclear::Several(names) => {
            let names = names.join(", ");
            line(say::SEVERAL, &[("asked", asked), ("names", &names)]) + &line(say::HELP_SEVERAL, &[])
        }
        Unclear::Unknown(Some(near)) => {
            line(say::UNKNOWN, &[("asked", asked)]) + &line(say::HELP_NEAR, &[("near", near)])
        }
        Unclear::Unknown(None) => line(say::UNKNOWN, &[("asked", asked)]) + &line(say::HELP_LIST, &[]),
    }
}

/// The scenario of a lesson of this binary.
fn scenario(id: &str) -> Result<Scenario, Refusal> {
    lessons::scenario(id).map_err(|report| refused(report.to_string()))
}

/// A path as a person types it from here.
fn from_here(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let shown = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    shown.unwrap_or_else(|| path.to_owned()).display().to_string()
}
