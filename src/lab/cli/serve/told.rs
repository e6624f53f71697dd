//! What is told of a server, to a person or to a program.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::host::fault::{Misread, Wanted};
use crate::host::serve::{ServeError, Served, Server, StopError, Stopped};
use crate::host::tcp::{Done, Excess, Notice};
use crate::lab::cli::args::Report;
use crate::lab::cli::load;
use crate::lab::locale::serve as words;
use crate::lab::locale::{Lang, Words, fill};
use crate::mq::message::Name;

/// Fills a sentence's gaps.
pub(super) fn filled(words: Words, lang: Lang, values: &[(&str, String)]) -> String {
    fill(words.text(lang), |name, out| {
        values.iter().any(|(known, value)| *known == name && out.write_str(value).is_ok())
    })
}

/// Tells.
#[derive(Clone, Copy)]
pub(super) struct Teller {
    pub(super) lang: Lang,
    pub(super) format: Report,
    pub(super) quiet: bool,
}

impl Teller {
    fn text(&self, words: Words, values: &[(&str, String)]) -> String {
        filled(words, self.lang, values)
    }

    /// A thing that has happened, as a sentence on standard error, or as an object.
    fn tell(&self, text: &str, object: &Value) {
        match self.format {
            Report::Text if self.quiet => {}
            Report::Text => load::complain(text),
            // Who no longer reads it misses it.
            Report::Json => drop(load::say(&format!("{object}\n"))),
        }
    }

    /// Everything can be asked.
    pub(super) fn ready(&self, server: &Server, took: Duration, is_scratch: bool) -> Result<()> {
        if self.format == Report::Json {
            let nameserver = |served: &Served| json!({ "node": served.node.as_str(), "addr": served.addr.to_string() });
            let broker = |served: &Served| {
                let (ip, port) = (served.addr.ip(), served.addr.port());
                json!({
                    "node": served.node.as_str(),
                    "addr": served.addr.to_string(),
                    "vip_addr": format!("{ip}:{}", port - 2),
                    "ha_addr": format!("{ip}:{}", port + 1),
                    "folder": served.folder.display().to_string(),
                })
            };
            return load::say(&format!(
                "{}\n",
                json!({
                    "event": "ready",
                    "namesrv_addr": names(server),
                    "nameservers": server.nameservers().iter().map(nameserver).collect::<Vec<_>>(),
                    "brokers": server.brokers().iter().map(broker).collect::<Vec<_>>(),
                    "temporary": is_scratch,
                    "pid": std::process::id(),
                    "ms": took.as_millis() as u64,
                })
            ));
        }
        let mut out = String::new();
        for served in server.nameservers() {
            out +=
                &self.text(words::NAMESERVER, &[("addr", served.addr.to_string()), ("node", served.node.to_string())]);
        }
        for served in server.brokers() {
            let folder = served.folder.display().to_string();
            let values = [("addr", served.addr.to_string()), ("node", served.node.to_string()), ("folder", folder)];
            out += &self.text(words::BROKER, &values);
        }
        if !self.quiet {
            if is_scratch {
                out += words::SCRATCH.text(self.lang);
            }
            out += &self.text(words::READY, &[("ms", took.as_millis().to_string())]);
        }
        load::say(&out)
    }

    /// Something happened.
    pub(super) fn notice(&self, notice: &Notice) {
        let of = |words: Words, event: &str, node: &str, why: Option<&str>| {
            let text = self.text(words, &[("node", node.to_owned()), ("why", why.unwrap_or_default().to_owned())]);
            self.tell(&text, &json!({ "event": event, "node": node, "why": why }));
        };
        match notice {
            Notice::Booted { node } => of(words::BOOTED, "booted", node, None),
            Notice::BootFailed { node, why } => of(words::BOOT_FAILED, "boot-failed", node, Some(why)),
            Notice::Exited { node } => of(words::EXITED, "exited", node, None),
            Notice::Killed { node } => of(words::KILLED, "killed", node, None),
            Notice::Panicked { node, why } => of(words::PANICKED, "panicked", node, Some(why)),
            Notice::TooMuch { what, node } => {
                let (words, why) = match what {
                    Excess::Connections => (words::TOO_MANY, "connections"),
                    Excess::Files => (words::NO_FILES, "files"),
                    Excess::Unread => (words::TOO_MUCH_UNREAD, "unread"),
                    Excess::Unsent => (words::TOO_MUCH_UNSENT, "unsent"),
                };
                of(words, "refused", node, Some(why));
            }
            Notice::BadFrame { node, peer, why } => {
                let values = [("node", node.to_string()), ("peer", peer.to_string()), ("why", why.to_string())];
                let object = json!({
                    "event": "bad-frame", "node": node.as_str(), "peer": peer.to_string(), "why": why.as_str(),
                });
                self.tell(&self.text(words::BAD_FRAME, &values), &object);
            }
            Notice::Fault { number, text, begins } => {
                let (words, event) =
                    if *begins { (words::BEGAN, "fault-began") } else { (words::HEALED, "fault-ended") };
                let values = [("number", number.to_string()), ("text", text.to_string())];
                let object = json!({ "event": event, "number": number, "fault": text.as_str() });
                self.tell(&self.text(words, &values), &object);
            }
            Notice::Ended => {}
        }
    }

    /// An order was carried out; what happened by it is told as it happens.
    pub(super) fn done(&self, done: &Done) {
        match done {
            Done::Faults(all) if all.is_empty() => {
                self.tell(words::NONE_IN_FORCE.text(self.lang), &json!({ "event": "faults", "faults": [] }));
            }
            Done::Faults(all) => {
                let line = |(number, text): &(u32, Name)| {
                    self.text(words::IN_FORCE, &[("number", number.to_string()), ("text", text.to_string())])
                };
                let row = |(number, text): &(u32, Name)| json!({ "number": number, "fault": text.as_str() });
                let text: String = all.iter().map(line).collect();
                self.tell(&text, &json!({ "event": "faults", "faults": all.iter().map(row).collect::<Vec<_>>() }));
            }
            Done::Began { .. }
            | Done::Healed { .. }
            | Done::Killed
            | Done::Restarted
            | Done::BootFailed { .. }
            | Done::Stopping => {}
        }
    }

    /// A line was no order.
    pub(super) fn misread(&self, line: &str, misread: &Misread) {
        let object = json!({
            "event": "misread",
            "line": line,
            "word": misread.word,
            "column": misread.column,
            "allowed": misread.allowed,
            "near": misread.near(),
        });
        match self.format {
            Report::Text => load::complain(&self.misread_text(misread)),
            Report::Json => self.tell("", &object),
        }
    }

    /// The same as text.
    pub(super) fn misread_text(&self, misread: &Misread) -> String {
        let Misread { word, column, wanted, allowed } = misread;
        let words = if word.is_empty() { words::ENDS } else { words::AT };
        let wanted = words::WANTED[place(*wanted)].text(self.lang).to_owned();
        let mut text = self.text(words, &[("word", word.clone()), ("column", column.to_string()), ("wanted", wanted)]);
        match misread.near() {
            Some(near) => text += &self.text(words::NEAR, &[("near", near.to_owned())]),
            None if allowed.is_empty() => {}
            None => text += &self.text(words::ALLOWED, &[("allowed", allowed.join(", "))]),
        }
        text
    }

    /// It does not begin, and why.
    pub(super) fn error(&self, error: &ServeError) -> String {
        match error {
            ServeError::Exposed(listen) => self.text(words::EXPOSED, &[("listen", listen.to_string())]),
            ServeError::Port { node, listen, port, source } => {
                let flag = if node.contains("broker") { "--broker-port" } else { "--nameserver-port" };
                let values = [
                    ("node", node.to_string()),
                    ("listen", listen.to_string()),
                    ("port", port.to_string()),
                    ("why", source.to_string()),
                    ("flag", flag.to_owned()),
                ];
                self.text(words::PORT, &values)
            }
            ServeError::NoPorts { node } => self.text(words::NO_PORTS, &[("node", node.to_string())]),
            ServeError::Folder { path, source } => {
                self.text(words::FOLDER, &[("path", path.display().to_string()), ("why", source.to_string())])
            }
            ServeError::Boot { node, why } => {
                self.text(words::NO_BOOT, &[("node", node.to_string()), ("why", why.to_string())])
            }
            ServeError::Fault { line, misread } => format!("{line}: {}", self.misread_text(misread)),
            ServeError::Name(name) => self.text(words::NAME, &[("node", name.to_string())]),
            ServeError::System(why) => self.text(words::SYSTEM, &[("why", why.to_string())]),
        }
    }

    /// It is over.
    pub(super) fn ended(&self, ended: Result<Stopped, StopError>) {
        let (words, cleanly) = match ended {
            Ok(Stopped { cleanly: true }) => (words::STOPPED, true),
            Ok(Stopped { cleanly: false }) => (words::STOPPED_AFTER_KILL, false),
            Err(StopError::Unclean) => (words::UNCLEAN, false),
            Err(StopError::Panicked) => (words::PANICKED_SOMEWHERE, false),
        };
        self.tell(words.text(self.lang), &json!({ "event": "stopped", "cleanly": cleanly }));
    }
}

/// A client's `namesrvAddr`.
fn names(server: &Server) -> String {
    let all: Vec<String> = server.nameservers().iter().map(|served| served.addr.to_string()).collect();
    all.join(";")
}

fn place(wanted: Wanted) -> usize {
    match wanted {
        Wanted::Verb => 0,
        Wanted::Side => 1,
        Wanted::Code => 2,
        Wanted::Span => 3,
        Wanted::Node => 4,
        Wanted::One => 5,
        Wanted::Number => 6,
        Wanted::More => 7,
        Wanted::End => 8,
    }
}
