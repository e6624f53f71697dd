//! The trace of a server as it runs: the lines that a run's export has, written as they come.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::host::serve::Config;
use crate::host::serve::machines::Planned;
use crate::host::tcp::Witness;
use crate::lab::trace::file::{header_json, record_json};
use crate::lab::trace::log::{Header, NodeHead, Role, Trace};
use crate::lab::trace::record::Record;
use crate::mq::message::Name;
use crate::mq::time::Millis;

/// Whoever is at the other end of a connection.
const OUTSIDE: &str = "clients";

/// Writes each record to a file.
///
/// Errors: the file cannot be made.
pub(super) fn writer(path: &Path, plan: &Planned, config: &Config) -> io::Result<Witness> {
    let mut lines = Lines { out: BufWriter::new(File::create(path)?), last: None };
    let mut trace = Trace::new(header(plan, config));
    let mut is_begun = false;
    Ok(Box::new(move |record| {
        if !is_begun {
            is_begun = true;
            trace.header.start = record.wall;
            lines.line(&header_json(&trace.header).to_string());
        }
        lines.record(record, &record_json(&trace, record).to_string());
    }))
}

fn header(plan: &Planned, config: &Config) -> Header {
    let head = |role: Role, name: &Name, addr: String| NodeHead { name: name.clone(), role, addr: Name::from(addr) };
    let mut nodes: Vec<NodeHead> =
        plan.nameservers.iter().map(|one| head(Role::Nameserver, &one.node, one.addr.to_string())).collect();
    nodes.extend(plan.brokers.iter().map(|one| head(Role::Broker, &one.node, one.addr.to_string())));
    nodes.push(head(Role::Client, &OUTSIDE.into(), String::new()));
    let profile = config.brokers.first().map_or_else(Default::default, |broker| broker.config.profile.name());
    Header { scenario: "serve".into(), seed: config.seed, profile: Name::from(profile), start: Millis(0), nodes }
}

/// A file that is written line by line, and as far as it has come whenever nothing happens for a while.
struct Lines {
    out: BufWriter<File>,
    /// When the last line was handed to the system.
    last: Option<Millis>,
}

impl Lines {
    fn record(&mut self, record: &Record, text: &str) {
        self.line(text);
        // Somebody may be reading along.
        if self.last.is_none_or(|last| EVERY <= record.wall.since(last).abs()) {
            self.last = Some(record.wall);
            let _ = self.out.flush();
        }
    }

    /// A line that cannot be written is lost, as one to a full disk is: the server goes on.
    fn line(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
    }
}

/// Lines are handed to the system at least so often while something happens, in milliseconds.
const EVERY: i64 = 200;
