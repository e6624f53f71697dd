//! Brokers' own `.properties` files as a scenario: what in them does something else than it looks, by file and line, and a
//! scenario that takes them unchanged.
//!
//! Upstream says nothing about a key that it does not have, nor about files that do not go together. Each finding says what
//! comes of it.

use crate::lab::locale::Phrase;
use crate::mq::broker::BrokerConfig;
use crate::mq::broker::properties::text::{self, Pair};
use crate::mq::broker::properties::{Places, Remark};
use crate::mq::message::Name;
use crate::mq::node::Addr;

mod alone;
mod together;
mod written;

/// One thing in the files that is not what it looks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The file's name.
    pub file: String,
    /// The line, from 1; `None` where something is missing.
    pub line: Option<usize>,
    /// The setting.
    pub key: String,
    /// What comes of it.
    pub consequence: Phrase,
}

/// What files become.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The scenario.
    pub scenario: String,
    /// What is not what it looks, by file and line.
    pub findings: Vec<Finding>,
}

/// One broker's file.
struct File<'a> {
    name: &'a str,
    text: String,
    pairs: Vec<Pair>,
    remarks: Vec<Remark>,
}

/// Reads brokers' files and writes a scenario of them.
///
/// Errors: a file that upstream itself refuses, with its name.
pub fn import(files: &[(String, Vec<u8>)]) -> Result<Imported, String> {
    let mut read = Vec::new();
    for (name, bytes) in files {
        let pairs = text::read(bytes).map_err(|error| format!("{name}: {error}"))?;
        let somewhere = Addr { ip: 0, port: 0 };
        let remarks = BrokerConfig::new(Name::from("broker"), somewhere).apply(&pairs, Places::File);
        let remarks = remarks.map_err(|error| format!("{name}: {error}: upstream ends at once (exit -3)"))?;
        read.push(File { name, text: String::from_utf8_lossy(bytes).into_owned(), pairs, remarks });
    }
    let mut findings: Vec<Finding> = read.iter().flat_map(alone::findings).collect();
    findings.extend(together::findings(&read));
    let place = |finding: &Finding| read.iter().position(|file| file.name == finding.file);
    findings.sort_by_key(|finding| (place(finding), finding.line));
    Ok(Imported { scenario: written::scenario(&read), findings })
}

impl File<'_> {
    /// The pair that counts.
    fn pair(&self, key: &str) -> Option<&Pair> {
        self.pairs.iter().rfind(|pair| pair.key == key)
    }

    /// What a setting says; upstream's default where the file does not say it.
    fn value<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.pair(key).map_or(default, |pair| &*pair.value)
    }

    /// A whole number; the default also where upstream cannot read what stands there.
    fn number(&self, key: &str, default: i64) -> i64 {
        self.pair(key).and_then(|pair| pair.value.parse().ok()).unwrap_or(default)
    }

    fn is_slave(&self) -> bool {
        self.value("brokerRole", "ASYNC_MASTER") == "SLAVE"
    }

    fn broker_name(&self) -> &str {
        self.value("brokerName", "the machine's name")
    }

    /// A finding about a setting of this file.
    fn finds(&self, key: &str, en: impl Into<String>, zh: impl Into<String>) -> Finding {
        let line = self.pair(key).map(|pair| pair.line);
        let consequence = Phrase { en: en.into(), zh: zh.into() };
        Finding { file: self.name.to_owned(), line, key: key.to_owned(), consequence }
    }
}
