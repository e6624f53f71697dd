//! `mqlab serve`: a nameserver and brokers behind real ports, until somebody stops them.
//!
//! Standard output has the addresses and what faults are asked for; standard error what happens besides. With
//! `--format json` each is one JSON object on standard output. A line on standard input is an order; its end is none.

use std::io::{self, BufRead};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::fault::{Misread, parse};
use crate::host::serve::{Config, Server, StopError};
use crate::host::tcp::{Handle, Notice, Refused};
use crate::lab::cli::args::ServeArgs;
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::serve::told::Teller;
use crate::lab::cli::{INVALID, USAGE};
use crate::lab::fault::moment::span;
use crate::lab::locale::serve as words;
use crate::mq::time::Span;

mod config;
mod told;

/// Serves until it is stopped.
#[expect(clippy::disallowed_types, reason = "how long a start took is told to people only")]
pub(super) fn run(args: &ServeArgs, look: Look) -> Result<ExitCode> {
    let start = std::time::Instant::now();
    let teller = Teller { lang: look.lang, format: args.format, quiet: look.quiet };
    let config = match config::of(args, look) {
        Ok(config) => config,
        Err(text) => return Ok(refuse(&text, INVALID)),
    };
    let nodes: Vec<_> = config.nameservers.iter().chain(config.brokers.iter().map(|broker| &broker.node)).collect();
    let nodes: Vec<_> = nodes.into_iter().cloned().collect();
    let timed = match &args.fault_file {
        None => Vec::new(),
        Some(path) => match timed(path, &nodes, &teller) {
            Ok(timed) => timed,
            Err(text) => return Ok(refuse(&text, INVALID)),
        },
    };
    let is_scratch = config.data.is_none();
    let mut server = match Server::start(config.clone()) {
        Ok(server) => server,
        Err(error) => return Ok(refuse(&teller.error(&error), if is_usage(&config) { USAGE } else { INVALID })),
    };
    let notices = server.notices().context("nobody has taken them before")?;
    let handle = server.handle();
    // Before anybody hears that it is ready: whoever does may stop it at once.
    listen_for_signals(handle.clone())?;
    teller.ready(&server, start.elapsed(), is_scratch)?;
    listen_for_orders(handle.clone(), teller)?;
    play(timed, handle, teller)?;
    for notice in notices {
        if notice == Notice::Ended {
            break;
        }
        teller.notice(&notice);
    }
    let ended = server.stop();
    teller.ended(ended);
    Ok(match ended {
        Ok(_) => ExitCode::SUCCESS,
        Err(StopError::Unclean) => ExitCode::FAILURE,
        Err(StopError::Panicked) => ExitCode::from(70),
    })
}

fn refuse(text: &str, code: u8) -> ExitCode {
    load::complain(text);
    ExitCode::from(code)
}

/// What could be reached from elsewhere is a mistake of the command line.
fn is_usage(config: &Config) -> bool {
    !config.listen.is_loopback() && !config.expose
}

/// The first Ctrl-C, or SIGTERM, stops cleanly; the second ends the process.
fn listen_for_signals(handle: Handle) -> Result<()> {
    let is_asked = AtomicBool::new(false);
    let asked = move || {
        if is_asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        handle.stop();
    };
    ctrlc::set_handler(asked).context("Ctrl-C can be listened to once")
}

/// Lines on standard input are orders; who closes it asks for nothing.
fn listen_for_orders(handle: Handle, teller: Teller) -> Result<()> {
    let listen = move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if !line.trim().is_empty() && !ordered(&line, &handle, teller) {
                return;
            }
        }
    };
    Builder::new().name("mqlab-orders".to_owned()).spawn(listen).context("a thread for standard input")?;
    Ok(())
}

/// Has an order carried out, and tells what became of it; false if nobody is there any more.
fn ordered(line: &str, handle: &Handle, teller: Teller) -> bool {
    match handle.order(line) {
        Ok(done) => teller.done(&done),
        Err(Refused::Misread(misread)) => teller.misread(line, &misread),
        Err(Refused::Ended) => return false,
    }
    true
}

/// An order of a file, and how long after the start it comes.
type Timed = (Span, String);

/// The orders of a file in the order in which they come: `@5s kill broker-a`; `#` begins a remark.
fn timed(path: &std::path::Path, nodes: &[crate::mq::message::Name], teller: &Teller) -> Result<Vec<Timed>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let values = [("path", path.display().to_string()), ("why", error.to_string())];
        told::filled(words::UNREADABLE, teller.lang, &values)
    })?;
    let mut timed = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let order = line.split('#').next().unwrap_or_default();
        if order.trim().is_empty() {
            continue;
        }
        let place = |misread: &Misread| format!("{}:{number}: {}", path.display(), teller.misread_text(misread));
        let (at, order) = match order.trim_start().strip_prefix('@') {
            None => (Span::ZERO, order.to_owned()),
            Some(rest) => {
                let (at, order) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let column = line.find('@').map_or(1, |byte| line[..byte].chars().count() + 2);
                let (word, wanted) = (at.to_owned(), crate::host::fault::Wanted::Span);
                let at = span(at).map_err(|_| place(&Misread { word, column, wanted, allowed: Vec::new() }))?;
                // Blanks keep the columns that a mistake is told with.
                let before = line.len() - line.find(order).map_or(0, |at| line.len() - at);
                (at, format!("{}{order}", " ".repeat(line[..before].chars().count())))
            }
        };
        parse(&order, nodes).map_err(|misread| place(&misread))?;
        timed.push((at, order));
    }
    timed.sort_by_key(|(at, _)| *at);
    Ok(timed)
}

/// Has orders carried out, each at its time.
fn play(timed: Vec<Timed>, handle: Handle, teller: Teller) -> Result<()> {
    if timed.is_empty() {
        return Ok(());
    }
    let play = move || {
        // Nobody speaks on this road: waiting for it is waiting for the time.
        let (_nobody, never) = channel::<()>();
        let mut now = Span::ZERO;
        for (at, line) in timed {
            let _ = never.recv_timeout(Duration::from_nanos((at - now).0));
            now = at;
            if !ordered(&line, &handle, teller) {
                return;
            }
        }
    };
    Builder::new().name("mqlab-faults".to_owned()).spawn(play).context("a thread for the file of faults")?;
    Ok(())
}
