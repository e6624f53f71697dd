//! Your own copy of a scenario: written, and set aside again.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Desk, from_here, refused};
use crate::lab::cli::source::Refusal;
use crate::lab::learn::store::free;
use crate::lab::learn::{copy, progress::Progress};
use crate::lab::locale::learning as say;

/// Where a lesson's copy lies, or would: where it was written, if it is there still, or here.
pub(super) fn place(desk: &Desk, id: &str) -> PathBuf {
    let here = PathBuf::from(format!("{id}.toml"));
    let kept = desk.progress.lessons.get(id).and_then(|taken| taken.copy.clone()).filter(|path| path.exists());
    if here.exists() { here } else { kept.unwrap_or(here) }
}

/// Writes the copy, unless there is one.
pub(super) fn write(desk: &mut Desk, id: &'static str) -> Result<String, Refusal> {
    let scenario = super::scenario(id)?;
    if scenario.lesson.exercise.is_none() {
        return Err(refused(desk.line(say::NO_EXERCISE, &[]) + &desk.goes_on(&format!("mqlab learn {id}"))));
    }
    let path = place(desk, id);
    let shown = from_here(&path);
    let said = if path.exists() {
        say::THERE_ALREADY
    } else {
        let text = copy::of(&scenario, desk.lang());
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        match file.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => say::WRITTEN,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => say::THERE_ALREADY,
            Err(error) => {
                return Err(refused(desk.line(say::UNWRITABLE, &[("file", &shown), ("error", &error.to_string())])));
            }
        }
    };
    desk.progress.at(id).copy = std::path::absolute(&path).ok();
    desk.keep();
    let command = format!("mqlab learn check {id}");
    Ok(desk.line(said, &[("file", &shown)]) + &desk.line(say::NEXT_EDIT, &[("file", &shown), ("command", &command)]))
}

/// Forgets a lesson and sets its copy aside.
pub(super) fn reset(desk: &mut Desk, id: &'static str, yes: bool) -> Result<String, Refusal> {
    let question = say::ASK_RESET.with(desk.lang(), &[("lesson", id)]);
    if !desk.agrees(yes, &question, &format!("mqlab learn reset {id}"))? {
        return Ok(desk.line(say::LEFT, &[]) + &desk.goes_on(&format!("mqlab learn {id}")));
    }
    let aside = aside(desk, &place(desk, id))?;
    desk.progress.forget(id);
    desk.keep();
    Ok(aside + &desk.line(say::FORGOTTEN, &[("lesson", id)]) + &desk.goes_on(&format!("mqlab learn {id}")))
}

/// Forgets everything and sets every copy aside.
pub(super) fn reset_all(desk: &mut Desk, yes: bool) -> Result<String, Refusal> {
    if !desk.agrees(yes, say::ASK_RESET_ALL.text(desk.lang()), "mqlab learn reset --all")? {
        return Ok(desk.line(say::LEFT, &[]) + &desk.goes_on("mqlab learn"));
    }
    let mut text = String::new();
    let begun: Vec<String> = desk.progress.lessons.keys().cloned().collect();
    for id in begun {
        text += &aside(desk, &place(desk, &id))?;
    }
    desk.progress = Progress::default();
    desk.keep();
    Ok(text + &desk.line(say::FORGOTTEN_ALL, &[]) + &desk.goes_on("mqlab learn next"))
}

/// Gives a file another name; says so, if there was one.
fn aside(desk: &Desk, path: &Path) -> Result<String, Refusal> {
    if !path.exists() {
        return Ok(String::new());
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new(""));
    let other = free(folder, &format!("{name}.old"));
    let (file, new) = (from_here(path), from_here(&other));
    match fs::rename(path, &other) {
        Ok(()) => Ok(desk.line(say::SET_ASIDE, &[("file", &file), ("aside", &new)])),
        Err(error) => Err(refused(desk.line(say::UNWRITABLE, &[("file", &file), ("error", &error.to_string())]))),
    }
}
