//! `mqlab send`, `mqlab consume`, `mqlab admin`: the system's own clients over sockets, against any RocketMQ 4.x.
//!
//! What a program would be given stands on standard output, everything else on standard error.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::host::client::{self, Client, ClientError};
use crate::host::tcp::Handle;
use crate::lab::cli::args::{ClusterArgs, Report};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, NOT_EXPECTED};
use crate::lab::locale::clients as words;
use crate::lab::locale::{Lang, Words};
use crate::lab::view::prints;
use crate::mq::app::{AppError, ErrorKind};
use crate::mq::client::config::ClientConfig;
use crate::mq::message::Name;

pub(super) mod admin;

pub(super) mod consume;

pub(super) mod send;

/// Whether somebody has asked for the end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Somebody has pressed Ctrl-C: the exit code of that.
const INTERRUPT: u8 = 130;

/// A process of this machine towards a cluster, without producers and consumers yet.
fn config(args: &ClusterArgs) -> Result<ClientConfig, ClientError> {
    let nameservers = client::nameservers(&args.nameserver)?;
    let ip = client::own_address(nameservers.first());
    let mut config = ClientConfig::new("client", ip, client::own_pid(), nameservers);
    config.vip_channel_enabled = !args.no_vip;
    Ok(config)
}

/// The first Ctrl-C, or SIGTERM, stops cleanly; the second ends the process.
fn listen_for_signals(handle: Handle) -> Result<()> {
    let asked = move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPT));
        }
        handle.stop();
    };
    ctrlc::set_handler(asked).context("Ctrl-C can be listened to once")
}

fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Tells.
#[derive(Clone, Copy)]
struct Teller {
    lang: Lang,
    format: Report,
    quiet: bool,
}

impl Teller {
    fn new(args: &ClusterArgs, look: Look) -> Teller {
        Teller { lang: look.lang, format: args.format, quiet: look.quiet }
    }

    /// What a program would be given, as a line or as an object.
    fn say(&self, text: &str, object: &Value) -> Result<()> {
        match self.format {
            Report::Text => load::say(&format!("{text}\n")),
            Report::Json => load::say(&format!("{object}\n")),
        }
    }

    /// An exception, as Java prints it, or as an object.
    fn thrown(&self, error: &AppError, mut object: Value) -> Result<()> {
        match self.format {
            Report::Text => load::complain(&format!("{}\n", prints::thrown(error))),
            Report::Json => {
                object["error"] = json!({
                    "class": error.kind.as_str(),
                    "code": error.code,
                    "text": error.text.as_str(),
                    "attempts": error.attempts,
                    "provably_not_stored": error.provably_not_stored,
                });
                load::say(&format!("{object}\n"))?;
            }
        }
        Ok(())
    }

    /// What a consumer's `start()` threw.
    fn start_threw(&self, text: &Name) -> Result<()> {
        match self.format {
            Report::Text => load::complain(&format!("{}\n", client_exception(text))),
            Report::Json => {
                let error = json!({ "class": ErrorKind::Client.as_str(), "text": text.as_str() });
                load::say(&format!("{}\n", json!({ "error": error })))?;
            }
        }
        Ok(())
    }

    /// A sentence beside it, for people.
    fn note(&self, words: Words, values: &[(&str, &str)]) {
        if self.format == Report::Text && !self.quiet {
            load::complain(&words.with(self.lang, values));
        }
    }

    /// It does not begin, and why.
    fn refusal(&self, error: &ClientError) -> String {
        let with = |words: Words, values: &[(&str, &str)]| words.with(self.lang, values);
        match error {
            ClientError::Nameserver { text, why } => {
                with(words::NAMESERVER, &[("text", text), ("why", &why.to_string())])
            }
            ClientError::Folder { path, source } => {
                with(words::FOLDER, &[("path", &path.display().to_string()), ("why", &source.to_string())])
            }
            ClientError::Threw(text) => format!("{}\n", client_exception(text)),
            ClientError::Boot(why) => with(words::BOOT, &[("why", why)]),
            ClientError::System(why) => with(words::SYSTEM, &[("why", &why.to_string())]),
        }
    }

    /// Says why it does not begin; the exit code of that.
    fn refuse(&self, error: &ClientError) -> ExitCode {
        load::complain(&self.refusal(error));
        ExitCode::from(if matches!(error, ClientError::Threw(_)) { NOT_EXPECTED } else { INVALID })
    }

    /// The client has not come to its own end, which is our fault.
    fn unclean(&self) {
        load::complain(words::PANICKED.text(self.lang));
    }
}

/// Starts a process that Ctrl-C stops.
fn start(config: ClientConfig, folder: Option<std::path::PathBuf>) -> Result<Result<Client, ClientError>> {
    let client = match Client::start(config, folder) {
        Ok(client) => client,
        Err(error) => return Ok(Err(error)),
    };
    listen_for_signals(client.handle())?;
    Ok(Ok(client))
}

/// As Java prints it.
fn client_exception(text: &str) -> String {
    format!("org.apache.rocketmq.client.exception.{}: {text}", ErrorKind::Client.as_str())
}
