//! Edits: a fault put into a run, or taken out of it, in one line that can be said again.
//!
//! ```text
//! +kill broker-a @1.2s                      a fault at a moment
//! +cut shop broker-a for 5s @first:append   with how long it lasts, after an event
//! +disk-full broker-a capacity=65536 @12s   with the keys that its verb has in a scenario file
//! -outage                                   without the fault of that name
//! ```
//!
//! An edit becomes an entry of the scenario's `[[fault]]` list, so that whoever runs the line meets the fault where the
//! person did who typed it.

use toml::{Table, Value};

use crate::lab::fault::moment::nearest;
use crate::lab::scenario::report::Problem;

/// The verbs of faults as edits write them, each with the keys of its words in order.
pub const VERBS: &[(&str, &[&str])] = &[
    ("kill", &["node"]),
    ("power-loss", &["node", "keep"]),
    ("restart", &["node"]),
    ("stop", &["node"]),
    ("pause", &["node"]),
    ("resume", &["node"]),
    ("cut", &["from", "to"]),
    ("heal", &["from", "to"]),
    ("reset", &["from", "to"]),
    ("delay", &["from", "to", "by"]),
    ("latency", &["from", "to"]),
    ("bandwidth", &["from", "to"]),
    ("stall", &["from", "to"]),
    ("datagram", &["from", "to"]),
    ("resets", &["from", "to"]),
    ("half-open", &["from", "to"]),
    ("partition", &["isolate"]),
    ("flap", &["from", "to"]),
    ("clog", &["from", "to"]),
    ("swizzle", &[]),
    ("refuse-connect", &["from", "to"]),
    ("full-table", &["from", "to"]),
    ("port-exhaustion", &["from", "to"]),
    ("slow-accept", &["from", "to"]),
    ("split-view", &["broker", "nameserver"]),
    ("end", &["fault"]),
    ("slow-cpu", &["node"]),
    ("crash", &["node"]),
    ("rack-loss", &[]),
    ("reconfigure", &["node"]),
    ("rolling-restart", &[]),
    ("replace", &["node"]),
    ("restore", &["node", "age"]),
    ("swap-disks", &["one", "other"]),
    ("twin", &["node"]),
    ("clock-offset", &["node", "by"]),
    ("clock-drift", &["node"]),
    ("clock-freeze", &["node"]),
    ("clock-coarse", &["node"]),
    ("clock-diverge", &["node", "by"]),
    ("clock-skew", &["node", "by"]),
    ("disk-full", &["node", "file"]),
    ("io-error", &["node", "on"]),
    ("map-error", &["node", "on"]),
    ("sync-error", &["node", "file"]),
    ("slow-sync", &["node", "file"]),
    ("slow-disk", &["node", "file"]),
    ("hung-disk", &["node", "file"]),
    ("bit-flip", &["node", "file"]),
    ("read-flip", &["node", "file"]),
    ("misdirected", &["node", "file"]),
    ("lost-write", &["node", "file"]),
    ("bad-sector", &["node", "file"]),
    ("truncate", &["node", "file"]),
    ("stale-page", &["node", "file"]),
    ("refuse", &["node", "on"]),
];

/// How an edit is written.
const FORM: &str = "an edit is `+VERB NODE [KEY=VALUE] [for SPAN] @MOMENT`, e.g. `+kill broker-a @1.2s`, or `-FAULT`";

/// Makes an edit in a scenario.
pub(super) fn apply(scenario: &mut Table, edit: &str) -> Result<(), Problem> {
    let text = edit.trim();
    let faults = scenario.entry("fault").or_insert_with(|| Value::Array(Vec::new()));
    let Some(faults) = faults.as_array_mut() else { return Err(wrong("`fault` is no list here".to_owned(), FORM)) };
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(fault), _) => {
            let fault = added(fault, faults)?;
            faults.push(Value::Table(fault));
            Ok(())
        }
        (_, Some(name)) => removed(name.trim(), faults),
        _ => Err(wrong(format!("`{text}` begins with neither `+` nor `-`"), FORM)),
    }
}

/// The entry that an edit adds to the faults.
fn added(text: &str, others: &[Value]) -> Result<Table, Problem> {
    let Some((words, moment)) = text.split_once(" @") else {
        return Err(wrong(format!("`+{text}` does not say when"), "end it with `@1.2s`, or another moment"));
    };
    let mut words: Vec<&str> = words.split_whitespace().collect();
    let mut fault = Table::new();
    if let [.., "for", lasts] = *words {
        fault.insert("lasts".to_owned(), Value::String(lasts.to_owned()));
        words.truncate(words.len() - 2);
    }
    let Some((verb, words)) = words.split_first() else { return Err(wrong(format!("`+{text}` does nothing"), FORM)) };
    let Some((_, positions)) = VERBS.iter().find(|(known, _)| known == verb) else {
        let known = VERBS.iter().map(|(known, _)| *known);
        let help = match nearest(verb, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known: {}", known.collect::<Vec<_>>().join(", ")),
        };
        return Err(wrong(format!("no fault has the verb `{verb}`"), &help));
    };
    let mut keys = Table::new();
    let mut positions = positions.iter();
    for word in words {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, super::overrides::read_value(value)?),
            None => {
                let Some(position) = positions.next() else {
                    return Err(wrong(format!("`{verb}` has no place for `{word}`"), "write it as KEY=VALUE"));
                };
                (*position, Value::String((*word).to_owned()))
            }
        };
        if keys.insert(key.to_owned(), value).is_some() {
            return Err(wrong(format!("`{key}` is said twice"), "say it once"));
        }
    }
    fault.insert("name".to_owned(), Value::String(name(verb, words, others)));
    fault.insert("at".to_owned(), Value::String(moment.trim().to_owned()));
    fault.insert((*verb).to_owned(), Value::Table(keys));
    Ok(fault)
}

/// `kill-broker-a`, or with a number behind it if a fault has that name.
fn name(verb: &str, words: &[&str], others: &[Value]) -> String {
    let plain = words.iter().filter(|word| !word.contains('='));
    let all: Vec<&str> = std::iter::once(verb).chain(plain.copied()).collect();
    let legal = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '.' };
    let name: String = all.join("-").chars().take(56).map(legal).collect();
    let taken = |name: &str| others.iter().any(|other| named(other, name));
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
}

fn named(fault: &Value, name: &str) -> bool {
    fault.get("name").and_then(Value::as_str) == Some(name)
}

/// Turns a fault off: it stays, so that whatever names it still means something, and never begins.
fn removed(name: &str, faults: &mut [Value]) -> Result<(), Problem> {
    if let Some(Value::Table(fault)) = faults.iter_mut().find(|fault| named(fault, name)) {
        fault.insert("off".to_owned(), Value::Boolean(true));
        return Ok(());
    }
    let names: Vec<&str> = faults.iter().filter_map(|fault| fault.get("name").and_then(Value::as_str)).collect();
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `-{near}`?"),
        None if names.is_empty() => "this scenario has no fault with a name".to_owned(),
        None => format!("there is: {}", names.join(", ")),
    };
    Err(wrong(format!("no fault named `{name}`"), &help))
}

fn wrong(message: String, help: &str) -> Problem {
    Problem { code: "edit", message, at: None, label: String::new(), help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(edits: &[&str]) -> Result<Table, Problem> {
        let mut table: Table =
            toml::from_str("[[fault]]\nname = 'outage'\nat = '1s'\nkill = { node = 'broker-a' }").expect("TOML");
        for edit in edits {
            apply(&mut table, edit)?;
        }
        Ok(table)
    }

    #[test]
    fn an_edit_is_an_entry_of_the_faults() {
        let table = edited(&["+pause broker-a for 5s @after:append@broker-a + 2ms"]).unwrap();
        let fault = &table["fault"][1];
        assert_eq!(fault["name"].as_str(), Some("pause-broker-a"));
        assert_eq!(fault["at"].as_str(), Some("after:append@broker-a + 2ms"));
        assert_eq!(fault["lasts"].as_str(), Some("5s"));
        assert_eq!(fault["pause"]["node"].as_str(), Some("broker-a"));
    }

    #[test]
    fn words_go_to_their_places_and_other_keys_are_named() {
        let table = edited(&["+cut shop broker-a one_way=true @0.8s", "+power-loss broker-a keep-all @2s"]).unwrap();
        let (cut, power) = (&table["fault"][1]["cut"], &table["fault"][2]["power-loss"]);
        assert_eq!((cut["from"].as_str(), cut["to"].as_str()), (Some("shop"), Some("broker-a")));
        assert_eq!(cut["one_way"].as_bool(), Some(true));
        assert_eq!(power["keep"].as_str(), Some("keep-all"));
    }

    /// The reader's own words name every key of a fault.
    #[test]
    fn every_verb_of_a_scenario_file_is_an_edit() {
        let error = toml::from_str::<crate::lab::scenario::fault::FaultScript>("zzz = 1").unwrap_err().to_string();
        let keys = error.split('`').skip(3).step_by(2).filter(|key| !["name", "at", "lasts", "off"].contains(key));
        let mut keys: Vec<&str> = keys.collect();
        let mut verbs: Vec<&str> = VERBS.iter().map(|(verb, _)| *verb).collect();
        keys.sort_unstable();
        verbs.sort_unstable();
        assert_eq!(verbs, keys);
    }

    #[test]
    fn names_are_given_once_and_a_fault_can_be_turned_off() {
        let table = edited(&["+kill a @1s", "+kill a @2s", "-outage"]).unwrap();
        let names: Vec<_> = table["fault"].as_array().unwrap().iter().map(|fault| fault["name"].as_str()).collect();
        assert_eq!(names, [Some("outage"), Some("kill-a"), Some("kill-a-2")]);
        assert_eq!(table["fault"][0]["off"].as_bool(), Some(true));
    }

    #[test]
    fn wrong_edits_are_answered_with_a_way_out() {
        let cases = [
            ("kill broker-a @1s", "neither `+` nor `-`", "+VERB"),
            ("+kill broker-a", "does not say when", "@1.2s"),
            ("+kil broker-a @1s", "no fault has the verb `kil`", "did you mean `kill`?"),
            ("+ @1s", "does nothing", "+VERB"),
            ("+kill a b @1s", "no place for `b`", "KEY=VALUE"),
            ("+kill a node=b @1s", "said twice", "once"),
            ("+cut a b by=[1 @1s", "not a TOML value", "bracket"),
            ("-outag", "no fault named `outag`", "did you mean `-outage`?"),
            ("-zzz", "no fault named", "there is: outage"),
        ];
        for (edit, message, help) in cases {
            let problem = edited(&[edit]).unwrap_err();
            assert!(problem.message.contains(message), "{edit}: {}", problem.message);
            assert!(problem.help.contains(help), "{edit}: {}", problem.help);
        }
    }
}
