//! Where progress lies: one file, written as a whole or not at all; one that cannot be read is set aside and never lost.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::lab::learn::progress::{Progress, VERSION};

/// The file's name.
const FILE: &str = "progress.json";

/// A folder that keeps progress.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A file that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aside {
    /// Where it lies now.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a file could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// It is damaged, and how.
    Damaged(String),
    /// Another version of mqlab wrote it.
    Version(u64),
}

impl Store {
    /// The folder; it need not be there yet.
    pub fn new(folder: PathBuf) -> Store {
        Store { folder }
    }

    /// The file.
    pub fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// What is written down; and the file that was set aside because it could not be read.
    ///
    /// Errors: the folder cannot be read or written.
    pub fn load(&self) -> io::Result<(Progress, Option<Aside>)> {
        let bytes = match fs::read(self.file()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Progress::default(), None)),
            Err(error) => return Err(error),
        };
        match read(&bytes) {
            Ok(progress) => Ok((progress, None)),
            Err(why) => {
                let path = free(&self.folder, &format!("{FILE}.old"));
                fs::rename(self.file(), &path)?;
                Ok((Progress::default(), Some(Aside { path, why })))
            }
        }
    }

    /// Writes it down: beside the old file, which it then takes the place of.
    ///
    /// Errors: the folder cannot be written.
    pub fn save(&self, progress: &Progress) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut text = serde_json::to_string_pretty(progress).map_err(io::Error::other)?;
        text.push('\n');
        let new = self.folder.join(format!("{FILE}.new"));
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        drop(file);
        fs::rename(new, self.file())
    }
}

fn read(bytes: &[u8]) -> Result<Progress, Why> {
    let damaged = |error: serde_json::Error| Why::Damaged(error.to_string());
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(damaged)?;
    let version = value.get("version").and_then(serde_json::Value::as_u64);
    if let Some(version) = version.filter(|version| *version != u64::from(VERSION)) {
        return Err(Why::Version(version));
    }
    serde_json::from_value(value).map_err(damaged)
}

/// A name in a folder that nothing has yet: `x`, `x-2`, `x-3` …
pub fn free(folder: &Path, name: &str) -> PathBuf {
    let numbered = (2_u32..).map(|number| folder.join(format!("{name}-{number}")));
    let mut names = std::iter::once(folder.join(name)).chain(numbered);
    names.find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_a_damaged_file_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("deep"));
        assert_eq!(store.load().unwrap(), (Progress::default(), None));
        let mut progress = Progress::default();
        progress.at("17-power-loss").hints = 2;
        store.save(&progress).unwrap();
        assert_eq!(store.load().unwrap(), (progress.clone(), None));
        for (damage, is_version) in
            [("{ \"version\": 1, \"lessons\": 7 }", false), ("{", false), ("{ \"version\": 9 }", true)]
        {
            fs::write(store.file(), damage).unwrap();
            let (loaded, aside) = store.load().unwrap();
            let aside = aside.unwrap();
            assert_eq!((loaded, matches!(aside.why, Why::Version(9))), (Progress::default(), is_version));
            assert_eq!(fs::read_to_string(&aside.path).unwrap(), damage);
            assert!(!store.file().exists());
        }
        store.save(&progress).unwrap();
        assert_eq!(store.load().unwrap().0, progress);
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 4, "three set aside, one in use");
    }
}
