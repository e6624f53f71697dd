//! Scenarios in several shapes: what is the same stands once, what differs under `[[variant]]`.
//!
//! A variant's lists (`[[variant.broker]]`, `[[variant.expect]]` …) are added to the file's own, its other tables and values
//! take the place of those. `title` says what it is. Where nobody names one, the first is meant.

use toml::{Table, Value};

use crate::lab::fault::moment::nearest;
use crate::lab::locale::Phrase;
use crate::lab::scenario::report::Problem;

/// Keys of a variant that are about it.
const OWN: [&str; 2] = ["name", "title"];

/// One shape of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it is.
    pub title: Phrase,
}

/// Every shape that a file has.
pub(super) fn all(text: &str) -> Vec<Variant> {
    let Ok(table) = toml::from_str::<Table>(text) else { return Vec::new() };
    let list = table.get("variant").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_table).map(of).collect()
}

fn of(variant: &Table) -> Variant {
    let name = variant.get("name").and_then(Value::as_str).unwrap_or("?").to_owned();
    let title = |lang: &str| {
        let words = variant.get("title").and_then(|title| title.get(lang).or(Some(title)));
        words.and_then(Value::as_str).map_or_else(|| name.clone(), str::to_owned)
    };
    let title = Phrase { en: title("en"), zh: title("zh") };
    Variant { name, title }
}

/// Makes a scenario one of its shapes; gives which, or `None` where it has one only.
///
/// Errors: it has no such shape.
pub fn choose(scenario: &mut Table, wanted: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(Value::Array(list)) = scenario.remove("variant") else {
        return match wanted {
            None => Ok(None),
            Some(wanted) => Err(problem(format!("no variant `{wanted}`"), "this scenario has one shape only".into())),
        };
    };
    let tables: Vec<Table> = list.into_iter().filter_map(|one| one.try_into().ok()).collect();
    let names: Vec<String> = tables.iter().map(|table| of(table).name).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(problem(format!("two variants are called `{}`", twice.1), "rename one".to_owned()));
    }
    let at = match wanted {
        None => Some(0),
        Some(wanted) => names.iter().position(|name| name == wanted),
    };
    let Some(chosen) = at.and_then(|at| tables.into_iter().nth(at)) else {
        let wanted = wanted.unwrap_or("?");
        let help = match nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there is: {}", names.join(", ")),
        };
        return Err(problem(format!("no variant `{wanted}`"), help));
    };
    let name = of(&chosen).name;
    for (key, value) in chosen.into_iter().filter(|(key, _)| !OWN.contains(&key.as_str())) {
        match (scenario.get_mut(&key), value) {
            (Some(Value::Array(own)), Value::Array(more)) => own.extend(more),
            (_, value) => drop(scenario.insert(key, value)),
        }
    }
    Ok(Some(name))
}

fn problem(message: String, help: String) -> Problem {
    Problem { code: "variant", message, at: None, label: String::new(), help }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "until = '1s'\n[[expect]]\nid = 'x'\n[[variant]]\nname = 'one'\ntitle.en = 'One'\n\
                        title.zh = '一'\n[[variant.broker]]\nname = 'a'\n[[variant]]\nname = 'two'\nuntil = '2s'\n\
                        [[variant.broker]]\nname = 'b'\n[[variant.expect]]\nid = 'y'\n";

    fn chosen(wanted: Option<&str>) -> Result<(Option<String>, Table), Problem> {
        let mut table: Table = toml::from_str(FILE).expect("TOML");
        let name = choose(&mut table, wanted)?;
        Ok((name, table))
    }

    #[test]
    fn lists_are_added_and_the_rest_is_put_in_place() {
        let (name, table) = chosen(Some("two")).unwrap();
        assert_eq!((name.as_deref(), table["until"].as_str()), (Some("two"), Some("2s")));
        assert_eq!(table["expect"].as_array().map(Vec::len), Some(2));
        assert_eq!(table["broker"][0]["name"].as_str(), Some("b"));
        let (first, table) = chosen(None).unwrap();
        assert_eq!((first.as_deref(), table["until"].as_str()), (Some("one"), Some("1s")));
        assert!(!table.contains_key("variant"));
        assert_eq!(all(FILE)[0].title, Phrase { en: "One".into(), zh: "一".into() });
    }

    #[test]
    fn a_name_that_none_has_is_answered() {
        assert_eq!(chosen(Some("tow")).unwrap_err().help, "did you mean `two`?");
        assert_eq!(chosen(Some("zzzzzz")).unwrap_err().help, "there is: one, two");
        let plain = choose(&mut Table::new(), Some("two")).unwrap_err();
        assert_eq!(plain.help, "this scenario has one shape only");
        let mut twice: Table = toml::from_str("variant = [{ name = 'a' }, { name = 'a' }]").unwrap();
        assert!(choose(&mut twice, None).unwrap_err().message.contains("two variants are called `a`"));
    }
}
