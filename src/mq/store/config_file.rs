//! Config files: small texts of JSON, written whole, with a way back.
//!
//! A broker and its store keep five of them below `config/`. Reading falls back on `.bak` when the file itself is missing,
//! empty or unreadable; writing goes one of two ways.
//!
//! ```text
//! as released (K13)                          hardened
//!   put     f.tmp   the new text               open    f.tmp, write the new text
//!   put     f.bak   the old text               force   f.tmp ── answered ──▶
//!   remove  f                 ◀ no f here       rename  f.tmp ─▶ f
//!   rename  f.tmp ─▶ f
//! ```
//!
//! The release forces nothing: after a power loss any step may be undone, or done while the bytes before it are not there.
//! The hardened way needs no addition to the two contracts: a text that must be durable is opened as a mapping of its own
//! length and forced by the same effect as a log, and the rename, which replaces, comes when the force has been answered.
//! A rename that power undoes leaves the generation before, whole.
//!
//! Source: `ConfigManager`, `MixAll.string2File`, `file2String`.

use std::collections::BTreeMap;

use crate::mq::disk::{Disk, DiskError, replace};
use crate::mq::fastjson::cast::CastError;
use crate::mq::fastjson::{Json, JsonError};
use crate::mq::message::java;
use crate::mq::store::outcome::News;
use crate::mq::store::{MessageStore, delay_offset};

/// What was found where a config file should be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// Why the file itself was passed over; `None` if it was read, or is not there.
    pub passed_over: Option<Box<Unreadable>>,
    /// Whether something was read: from the file, or from its `.bak`.
    pub found: bool,
}

/// Why a text is no config file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// The device refused.
    #[error("{0}")]
    Disk(DiskError),
    /// It is no JSON.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// It is JSON of another shape.
    #[error("{0}")]
    Shape(#[from] CastError),
}

/// Neither a config file nor its `.bak` can be read.
///
/// Upstream's `ConfigManager.load` answers false and the process ends without a word on its console.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{file}` cannot be read ({}), nor can `{file}.bak` ({backup}): mend one of them, or move both away to begin without",
    .main.as_ref().map_or_else(|| "it is missing or empty".to_owned(), ToString::to_string)
)]
pub struct ConfigError {
    /// The file.
    pub file: &'static str,
    /// What is wrong with it; `None` if it is missing or empty.
    pub main: Option<Box<Unreadable>>,
    /// What is wrong with its `.bak`.
    pub backup: Box<Unreadable>,
}

/// Takes what a text says; refuses what does not have its shape.
pub type Reader<'a> = &'a mut dyn FnMut(&Json) -> Result<(), CastError>;

/// Reads a config file, or its `.bak` if the file is missing, empty or unreadable; that both are missing is no error.
///
/// A file that is there and unreadable, with no `.bak` beside it, is taken for a missing one, as upstream does; the answer
/// says so. Errors: [`ConfigError`] when there is a `.bak` and it cannot be read either.
/// Source: `ConfigManager.load`, `loadBak`.
pub fn load(disk: &mut dyn Disk, file: &'static str, read: Reader<'_>) -> Result<Loaded, ConfigError> {
    let main = match read_text(disk, file, read) {
        Ok(true) => return Ok(Loaded { passed_over: None, found: true }),
        Ok(false) => None,
        Err(why) => Some(Box::new(why)),
    };
    match read_text(disk, &format!("{file}.bak"), read) {
        Ok(found) => Ok(Loaded { passed_over: main, found }),
        Err(backup) => Err(ConfigError { file, main, backup: Box::new(backup) }),
    }
}

/// Whether there was a text to read; a text of `null` or of white space alone is read and says nothing.
fn read_text(disk: &mut dyn Disk, file: &str, read: Reader<'_>) -> Result<bool, Unreadable> {
    let bytes = match disk.get(file) {
        Ok(bytes) => bytes,
        Err(DiskError::NotFound) => return Ok(false),
        Err(error) => return Err(Unreadable::Disk(error)),
    };
    if bytes.is_empty() {
        return Ok(false);
    }
    let text = java::text(&bytes);
    if !text.trim_matches([' ', '\t', '\n', '\r', '\u{c}', '\u{8}']).is_empty() {
        read(&Json::parse(text.as_bytes())?)?;
    }
    Ok(true)
}

/// Texts that are being forced before they take their file's place.
#[derive(Clone, Debug, Default)]
pub(super) struct Staged {
    files: BTreeMap<&'static str, Text>,
}

#[derive(Clone, Debug)]
struct Text {
    ticket: u64,
    /// A newer text that came meanwhile.
    next: Option<String>,
}

impl Staged {
    /// Whether a force has not been answered.
    pub(super) fn is_busy(&self) -> bool {
        !self.files.is_empty()
    }

    fn file_of(&self, ticket: u64) -> Option<&'static str> {
        self.files.iter().find(|(_, text)| text.ticket == ticket).map(|(file, _)| *file)
    }
}

impl MessageStore {
    /// Writes a config file; what became of it is in the news: [`News::ConfigWritten`], [`News::ConfigFailed`].
    ///
    /// Source: `ConfigManager.persist`.
    pub fn write_config(&mut self, disk: &mut dyn Disk, file: &'static str, text: String) {
        if !self.profile.fix_k13 {
            let result = replace(disk, file, &text);
            return self.config_done(file, result);
        }
        match self.staged.files.get_mut(file) {
            Some(staged) => staged.next = Some(text),
            None => self.stage(disk, file, &text),
        }
    }

    /// Writes the text beside its file and asks for its force.
    fn stage(&mut self, disk: &mut dyn Disk, file: &'static str, text: &str) {
        let mut write = || {
            let (tmp, len) = (format!("{file}.tmp"), text.len() as u64);
            match disk.remove(&tmp) {
                Ok(()) | Err(DiskError::NotFound) => {}
                Err(error) => return Err(error),
            }
            let mapping = disk.open(&tmp, len)?;
            disk.write(mapping, 0, text.as_bytes());
            Ok((mapping, len))
        };
        match write() {
            Ok((mapping, len)) => {
                let ticket = self.ticket();
                self.staged.files.insert(file, Text { ticket, next: None });
                self.news.push(News::ConfigStaged { file });
                self.news.push(News::Flush { ticket, file: mapping, from: 0, to: len });
            }
            Err(error) => self.config_done(file, Err(error)),
        }
    }

    /// A force was answered; whether it was that of a config file.
    pub(super) fn config_answered(&mut self, disk: &mut dyn Disk, ticket: u64, result: Result<(), DiskError>) -> bool {
        let Some(file) = self.staged.file_of(ticket) else { return false };
        let staged = self.staged.files.remove(file).expect("found above");
        let renamed = result.and_then(|()| disk.rename(&format!("{file}.tmp"), file));
        self.config_done(file, renamed);
        if let Some(next) = staged.next {
            self.stage(disk, file, &next);
        }
        true
    }

    fn config_done(&mut self, file: &'static str, result: Result<(), DiskError>) {
        let news = match result {
            Ok(()) => News::ConfigWritten { file },
            Err(error) => {
                if file == delay_offset::FILE {
                    self.cursors_failed();
                }
                News::ConfigFailed { file, error }
            }
        };
        self.news.push(news);
    }
}
