//! What may be done to a server while clients use it, as words: `drop reply send-message 1 in 5`.
//!
//! ```text
//! drop  request|reply CODE        [1 in N] [on NODE] [for SPAN]
//! delay request|reply CODE SPAN   [1 in N] [on NODE] [for SPAN]
//! close CODE | reset CODE         [1 in N] [on NODE] [for SPAN]     the connection, when the request comes
//! slow-disk SPAN | full-disk | failing-disk        [on NODE] [for SPAN]
//! kill NODE | restart NODE
//! heal | heal N | list | stop
//! ```

use std::fmt;

use crate::lab::fault::moment::{nearest, span};
use crate::mq::message::Name;
use crate::mq::time::Span;
use crate::mq::wire::code::{name_of_request, request};

/// What somebody asks of a running server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Something goes wrong from now on.
    Begin(Fault),
    /// One fault ends, or all do.
    Heal(Option<u32>),
    /// A node's process dies at once.
    Kill(Name),
    /// A node's process dies, if it lives, and another boots on its disk.
    Restart(Name),
    /// Which faults there are.
    List,
    /// The server stops cleanly.
    Stop,
}

/// Something that goes wrong for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What.
    pub what: Wrong,
    /// It strikes once in so many times.
    pub one_in: u64,
    /// On which node; on all without it.
    pub node: Option<Name>,
    /// For how long; until it is healed without it.
    pub lasts: Option<Span>,
    /// As it was written.
    pub text: Name,
}

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// A frame vanishes.
    Drop(Side, Codes),
    /// A frame is late; those behind it are not.
    Delay(Side, Codes, Span),
    /// The connection is closed in order instead of a request being handled.
    Close(Codes),
    /// The same with a reset.
    Reset(Codes),
    /// Forcing takes so much longer.
    SlowDisk(Span),
    /// The disk has no room.
    FullDisk,
    /// Forcing fails.
    FailingDisk,
}

/// Which way a frame goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// It asks.
    Request,
    /// It answers a request of the code.
    Reply,
}

/// Which requests are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Codes {
    /// All.
    Any,
    /// These.
    Of(&'static str, Vec<i32>),
}

impl Codes {
    /// Whether a request of the code is meant.
    pub fn holds(&self, code: i32) -> bool {
        match self {
            Codes::Any => true,
            Codes::Of(_, codes) => codes.contains(&code),
        }
    }
}

/// Words that are no order: what stands where, and what could.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Misread {
    /// The word; empty at the end of the line.
    pub word: String,
    /// Its first letter's place in the line, from 1.
    pub column: usize,
    /// What had to stand there.
    pub wanted: Wanted,
    /// What could, word for word, if that is a list.
    pub allowed: Vec<String>,
}

/// What a word had to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// What to do.
    Verb,
    /// `request` or `reply`.
    Side,
    /// A request's name.
    Code,
    /// A span: `200ms`.
    Span,
    /// A node's name.
    Node,
    /// `1`, of `1 in 5`.
    One,
    /// A whole number from 1 on.
    Number,
    /// `1 in N`, `on NODE`, `for SPAN`, or the line's end.
    More,
    /// The line's end.
    End,
}

impl Misread {
    /// The allowed word that is meant, if one is near.
    pub fn near(&self) -> Option<&str> {
        nearest(&self.word, self.allowed.iter().map(String::as_str))
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word.as_str() {
            "" => write!(f, "the line ends at column {}", self.column)?,
            word => write!(f, "`{word}` at column {}", self.column)?,
        }
        write!(f, ": wanted {}", self.wanted.as_str())?;
        match (self.near(), self.allowed.is_empty()) {
            (Some(near), _) => write!(f, "; did you mean `{near}`?"),
            (None, true) => Ok(()),
            (None, false) => write!(f, ": {}", self.allowed.join(", ")),
        }
    }
}

impl Wanted {
    fn as_str(self) -> &'static str {
        match self {
            Wanted::Verb => "what to do",
            Wanted::Side => "`request` or `reply`",
            Wanted::Code => "a request's name, e.g. `send-message`, or `any`",
            Wanted::Span => "a span, e.g. `200ms`",
            Wanted::Node => "a node's name",
            Wanted::One => "`1`, as in `1 in 5`",
            Wanted::Number => "a whole number from 1 on",
            Wanted::More => "`1 in N`, `on NODE`, `for SPAN` or the end",
            Wanted::End => "the end of the line",
        }
    }
}

/// Verbs, as they are listed.
const VERBS: [&str; 12] = [
    "drop",
    "delay",
    "close",
    "reset",
    "slow-disk",
    "full-disk",
    "failing-disk",
    "kill",
    "restart",
    "heal",
    "list",
    "stop",
];
/// No request code is greater.
const CODE_MAX: i32 = 400;

/// Reads one line, given the nodes there are.
///
/// Errors: the first word that cannot stand where it does.
pub fn parse(line: &str, nodes: &[Name]) -> Result<Order, Misread> {
    let mut words = Words::of(line, nodes);
    let verb = words.one_of(Wanted::Verb, &VERBS)?;
    let what = match verb {
        "drop" => Wrong::Drop(words.side()?, words.codes()?),
        "delay" => Wrong::Delay(words.side()?, words.codes()?, words.span()?),
        "close" => Wrong::Close(words.codes()?),
        "reset" => Wrong::Reset(words.codes()?),
        "slow-disk" => Wrong::SlowDisk(words.span()?),
        "full-disk" => Wrong::FullDisk,
        "failing-disk" => Wrong::FailingDisk,
        other => {
            let order = match other {
                "kill" => Order::Kill(words.node()?),
                "restart" => Order::Restart(words.node()?),
                "heal" if words.is_at_end() => Order::Heal(None),
                "heal" => Order::Heal(Some(u32::try_from(words.number()?).unwrap_or(u32::MAX))),
                "list" => Order::List,
                _ => Order::Stop,
            };
            return words.end().map(|()| order);
        }
    };
    let has_odds = !matches!(what, Wrong::SlowDisk(_) | Wrong::FullDisk | Wrong::FailingDisk);
    let mut fault = Fault { what, one_in: 1, node: None, lasts: None, text: Name::from(line.trim()) };
    while !words.is_at_end() {
        let more: &[&str] = if has_odds { &["1", "on", "for"] } else { &["on", "for"] };
        match words.one_of(Wanted::More, more)? {
            "on" => fault.node = Some(words.node()?),
            "for" => fault.lasts = Some(words.span()?),
            _ => {
                words.one_of(Wanted::More, &["in"])?;
                fault.one_in = words.number()?;
            }
        }
    }
    Ok(Order::Begin(fault))
}

/// The names under which requests are known here: `send-message` is each way of sending.
pub fn codes() -> Vec<(&'static str, Vec<i32>)> {
    let mut all: Vec<(&'static str, Vec<i32>)> = Vec::new();
    for code in 0..CODE_MAX {
        let name = match code {
            request::SEND_MESSAGE_V2 | request::SEND_BATCH_MESSAGE => continue,
            _ => name_of_request(code),
        };
        match code {
            _ if name == "?" => {}
            request::SEND_MESSAGE => {
                all.push((name, vec![code, request::SEND_MESSAGE_V2, request::SEND_BATCH_MESSAGE]));
            }
            _ => all.push((name, vec![code])),
        }
    }
    all
}

/// `SEND_MESSAGE` as it is typed: `send-message`.
pub fn typed(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// A line's words with their places.
struct Words<'a> {
    words: Vec<(usize, &'a str)>,
    at: usize,
    end: usize,
    nodes: &'a [Name],
}

impl<'a> Words<'a> {
    fn of(line: &'a str, nodes: &'a [Name]) -> Words<'a> {
        let column = |byte: usize| line[..byte].chars().count() + 1;
        let words = line
            .split_whitespace()
            .map(|word| (column(word.as_ptr() as usize - line.as_ptr() as usize), word))
            .collect();
        Words { words, at: 0, end: column(line.trim_end().len()), nodes }
    }

    fn is_at_end(&self) -> bool {
        self.at == self.words.len()
    }

    fn next(&mut self) -> (usize, &'a str) {
        let next = self.words.get(self.at).copied().unwrap_or((self.end, ""));
        self.at = (self.at + 1).min(self.words.len());
        next
    }

    fn one_of(&mut self, wanted: Wanted, allowed: &[&'static str]) -> Result<&'static str, Misread> {
        let (column, word) = self.next();
        let found = allowed.iter().find(|known| **known == word).copied();
        found.ok_or_else(|| {
            let allowed = allowed.iter().map(|&word| word.to_owned()).collect();
            Misread { word: word.to_owned(), column, wanted, allowed }
        })
    }

    fn side(&mut self) -> Result<Side, Misread> {
        match self.one_of(Wanted::Side, &["request", "reply"])? {
            "request" => Ok(Side::Request),
            _ => Ok(Side::Reply),
        }
    }

    fn codes(&mut self) -> Result<Codes, Misread> {
        let (column, word) = self.next();
        if word == "any" {
            return Ok(Codes::Any);
        }
        let known = codes();
        if let Some((name, codes)) = known.iter().find(|(name, _)| typed(name) == word) {
            return Ok(Codes::Of(name, codes.clone()));
        }
        let allowed = known.iter().map(|(name, _)| typed(name)).chain(["any".to_owned()]).collect();
        Err(Misread { word: word.to_owned(), column, wanted: Wanted::Code, allowed })
    }

    fn span(&mut self) -> Result<Span, Misread> {
        let (column, word) = self.next();
        let misread = |_| Misread { word: word.to_owned(), column, wanted: Wanted::Span, allowed: Vec::new() };
        span(word).map_err(misread)
    }

    fn node(&mut self) -> Result<Name, Misread> {
        let (column, word) = self.next();
        self.nodes.iter().find(|name| **name == *word).cloned().ok_or_else(|| {
            let allowed = self.nodes.iter().map(ToString::to_string).collect();
            Misread { word: word.to_owned(), column, wanted: Wanted::Node, allowed }
        })
    }

    fn number(&mut self) -> Result<u64, Misread> {
        let (column, word) = self.next();
        match word.parse() {
            Ok(number) if 0 < number => Ok(number),
            _ => Err(Misread { word: word.to_owned(), column, wanted: Wanted::Number, allowed: Vec::new() }),
        }
    }

    fn end(&mut self) -> Result<(), Misread> {
        match self.words.get(self.at) {
            None => Ok(()),
            Some(&(column, word)) => {
                Err(Misread { word: word.to_owned(), column, wanted: Wanted::End, allowed: Vec::new() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Order, String> {
        parse(line, &["nameserver".into(), "broker-a".into()]).map_err(|misread| misread.to_string())
    }

    #[test]
    fn a_line_is_a_fault_with_its_odds_its_node_and_its_end() {
        let Ok(Order::Begin(fault)) = read("drop reply send-message 1 in 5 on broker-a for 2s") else { panic!() };
        let Wrong::Drop(Side::Reply, codes) = &fault.what else { panic!("{fault:?}") };
        assert!(codes.holds(10) && codes.holds(310) && codes.holds(320) && !codes.holds(11));
        assert_eq!((fault.one_in, fault.node, fault.lasts), (5, Some("broker-a".into()), Some(Span::from_secs(2))));
        let Ok(Order::Begin(fault)) = read("  delay request pull-message 200ms ") else { panic!() };
        assert!(matches!(fault.what, Wrong::Delay(Side::Request, Codes::Of("PULL_MESSAGE", _), Span(200_000_000))));
        assert_eq!(&*fault.text, "delay request pull-message 200ms");
        assert_eq!(read("kill broker-a"), Ok(Order::Kill("broker-a".into())));
        assert_eq!(read("heal 2"), Ok(Order::Heal(Some(2))));
        assert_eq!(read("heal"), Ok(Order::Heal(None)));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place_and_what_could_stand_there() {
        let cases = [
            ("", "the line ends at column 1: wanted what to do: drop, "),
            ("drpo reply any", "`drpo` at column 1: wanted what to do; did you mean `drop`?"),
            ("drop answer any", "`answer` at column 6: wanted `request` or `reply`: request, reply"),
            ("drop reply send-mesage", "`send-mesage` at column 12: wanted a request's name, e.g. `send-message`, or"),
            ("drop reply", "the line ends at column 11: wanted a request's name"),
            ("delay reply any soon", "`soon` at column 17: wanted a span"),
            ("drop reply any 1 on 5", "`on` at column 18: wanted `1 in N`"),
            ("drop reply any 1 in 0", "`0` at column 21: wanted a whole number from 1 on"),
            ("slow-disk 50ms 1 in 2", "`1` at column 16: wanted `1 in N`, `on NODE`, `for SPAN` or the end: on, for"),
            ("kill broker-b", "`broker-b` at column 6: wanted a node's name; did you mean `broker-a`?"),
            ("stop now", "`now` at column 6: wanted the end of the line"),
        ];
        for (line, wanted) in cases {
            let told = read(line).expect_err(line);
            assert!(told.starts_with(wanted), "{line}: {told}");
        }
    }
}
