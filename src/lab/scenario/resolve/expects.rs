//! What is expected of a run.

use toml::Spanned;

use super::{Resolver, Taken, head, place};
use crate::lab::fault::episode::EventMatch;
use crate::lab::fault::moment;
use crate::lab::scenario::count::CountRule;
use crate::lab::scenario::plan::{Check, Expect, Outcome};
use crate::lab::scenario::script::{ExpectScript, Text};
use crate::lab::scenario::table::Table;
use crate::mq::message::Name;

/// The words for outcomes, the default first.
pub(super) const OUTCOMES: &[(&str, Outcome)] =
    &[("holds", Outcome::Holds), ("violated", Outcome::Violated), ("either", Outcome::Either)];

impl Resolver<'_> {
    pub(super) fn expects(&mut self) -> Vec<Expect> {
        let script = self.script;
        let mut expects: Vec<Expect> = Vec::new();
        let mut taken = Taken::new();
        for expect in &script.expect {
            let table = expect.get_ref();
            let id = match (&table.id, &table.check) {
                (None, Some(check)) => Name::from(check.get_ref().as_str()),
                _ => self.identifier(&table.id, "id", &taken),
            };
            taken.insert(id.to_string(), "expectation");
            let outcome = self.word(&table.outcome, "outcome", OUTCOMES);
            if let Some(check) = self.check(expect) {
                expects.push(Expect { id, check, outcome });
            }
        }
        expects
    }

    fn check(&mut self, expect: &Spanned<Table<ExpectScript>>) -> Option<Check> {
        let table = expect.get_ref();
        let Some(name) = &table.check else {
            let help = format!("write `check = \"…\"`: {}", Check::NAMES.join(", "));
            self.wrong("missing", Some(head(expect.span())), "this expectation has no check".into(), &help);
            return None;
        };
        let words: Vec<(&str, &str)> = Check::NAMES.iter().map(|name| (*name, *name)).collect();
        let before = self.problems.len();
        let found = self.word(&Some(name.clone()), "check", &words);
        if self.problems.len() > before {
            return None;
        }
        let text = |given: &Option<Text>| given.as_ref().map(|text| Name::from(text.get_ref().as_str()));
        let one = CountRule::exactly(1);
        if let Some(plain) = Check::PLAIN.iter().find(|check| check.name() == found) {
            return Some(plain.clone());
        }
        Some(match found {
            "records" => Check::Records { message: text(&table.message), count: self.count(&table.count, one) },
            "check-backs" => Check::CheckBacks { message: text(&table.message), count: self.count(&table.count, one) },
            "deliveries" => {
                let (message, group) = (text(&table.message), text(&table.group));
                let count = self.count(&table.count, one);
                match &table.to {
                    Some(to) => Check::DeliveriesTo { node: self.node(to), message, group, count },
                    None => Check::Deliveries { message, group, count },
                }
            }
            "stored" => Check::Stored {
                message: text(&table.message),
                topic: text(&table.topic),
                count: self.count(&table.count, one),
            },
            "send-fails" => {
                Check::SendFails { error: text(&table.error).unwrap_or_default(), count: self.count(&table.count, one) }
            }
            "acked" => Check::Acked { count: self.count(&table.count, one) },
            "lost" => Check::Lost { count: self.count(&table.count, CountRule::exactly(0)) },
            "late" => Check::Late { count: self.count(&table.count, CountRule::exactly(0)) },
            "send-gap" => Check::SendGap { count: self.count(&table.count, one) },
            "receive-gap" => Check::ReceiveGap { count: self.count(&table.count, one) },
            "frames" => self.frames(expect),
            _ => Check::Sometimes { event: self.event(expect) },
        })
    }

    fn frames(&mut self, expect: &Spanned<Table<ExpectScript>>) -> Check {
        let table = expect.get_ref();
        let count = self.count(&table.count, CountRule::exactly(0));
        let (Some(to), Some(frame)) = (&table.to, &table.frame) else {
            let help = "write `to = \"ns-1\"` and `frame = \"SEND_MESSAGE_V2\"`";
            self.wrong("missing", Some(head(expect.span())), "`frames` needs a node and a code".into(), help);
            return Check::Frames { to: Name::default(), frame: Name::default(), count };
        };
        Check::Frames { to: self.node(to), frame: Name::from(frame.get_ref().as_str()), count }
    }

    fn event(&mut self, expect: &Spanned<Table<ExpectScript>>) -> EventMatch {
        let nothing = EventMatch::Fault(Name::default());
        let Some(text) = &expect.get_ref().event else {
            let help = "write `event = \"pull-held@broker-a\"`";
            self.wrong("missing", Some(head(expect.span())), "`sometimes` needs an event".into(), help);
            return nothing;
        };
        let Some(event) = self.timed(&Some(text.clone()), moment::event) else { return nothing };
        self.event_exists(&event, text);
        event
    }

    pub(super) fn count(&mut self, given: &Option<Text>, default: CountRule) -> CountRule {
        let Some(text) = given else { return default };
        CountRule::parse(text.get_ref()).unwrap_or_else(|| {
            let message = format!("`{}` is no count", super::clip(text.get_ref()));
            self.wrong("wrong_value", place(given), message, "e.g. \"1\", \"0 | 3\", \">= 1\", \"2..5\"");
            default
        })
    }
}
