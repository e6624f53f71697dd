//! Reference pages of the book that are made from the sources: what stands between a page's marks is what the sources say.
//!
//! A page that has fallen behind is written anew beside the build, and the failure says where to copy it from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// Between these two lines a page is made.
const MARKS: [&str; 2] = ["<!-- MADE -->\n", "<!-- MADE_END -->"];
/// Words that begin a sentence of their own in a doc comment.
const LABELS: [&str; 5] = ["Source:", "Errors:", "Units:", "Used:", "Differs:"];
/// Keys of a `[[fault]]` that are not its verb.
const NO_VERBS: [&str; 7] = ["name", "at", "lasts", "off", "every", "times", "until"];

/// A lesson as far as the pages tell of it; read line by line, since keys of other rooms do not matter here.
#[derive(Default)]
struct Lesson {
    id: String,
    track: String,
    title: String,
    title_zh: String,
    /// Checks, and whether they are expected to be violated.
    expects: Vec<(String, bool)>,
    faults: Vec<String>,
    /// Sections of the article, if its card says which.
    article: Option<String>,
}

/// A check of the library: its variant, its name and its sentence.
struct Check {
    variant: String,
    name: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands between two texts; both are there.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let from = text.find(begin).unwrap_or_else(|| panic!("there is no `{begin}`")) + begin.len();
    let len = text[from..].find(end).unwrap_or_else(|| panic!("there is no `{end}` behind `{begin}`"));
    &text[from..from + len]
}

/// Every file below a folder with this ending, by its path in the repository, in order.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut open = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                open.push(path);
            } else if path.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A text as a cell of a table; links of Rust's documentation lead nowhere here.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace("[`", "`").replace("`]", "`")
}

/// Holds a page to what is made of the sources.
fn hold(page: &str, made: &str) {
    let path = format!("book/src/reference/{page}");
    let old = text(&path);
    let shown = between(&old, MARKS[0], MARKS[1]);
    if shown == made {
        return;
    }
    let head = old.find(MARKS[0]).unwrap() + MARKS[0].len();
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(page);
    fs::write(&new, [&old[..head], made, &old[head + shown.len()..]].concat()).unwrap();
    let line = shown.lines().zip(made.lines()).position(|(shown, made)| shown != made);
    let at = line.unwrap_or_else(|| shown.lines().count().min(made.lines().count()));
    panic!(
        "{path} is behind the sources, first in line {at} of what is made:\n  {}\n  {}\ncp {} {path}",
        shown.lines().nth(at).unwrap_or("(its end)"),
        made.lines().nth(at).unwrap_or("(its end)"),
        new.display()
    );
}

/// What stands behind each of these labels, up to the next label.
fn said(paragraph: &str, label: &str) -> Vec<String> {
    let until_next = |part: &str| {
        let end = LABELS.iter().filter_map(|label| part.find(label)).min().unwrap_or(part.len());
        part[..end].trim().to_owned()
    };
    paragraph.split(label).skip(1).map(until_next).collect()
}

/// The doc comments of a file: their mark, and their paragraphs, each on one line.
fn docs(source: &str) -> Vec<(&'static str, Vec<String>)> {
    let mut found: Vec<(&'static str, Vec<Vec<&str>>)> = Vec::new();
    let mut last = None;
    for line in source.lines() {
        let line = line.trim_start();
        let mark = ["///", "//!"].into_iter().find(|mark| line.starts_with(mark));
        if let Some(mark) = mark {
            if last != Some(mark) {
                found.push((mark, vec![Vec::new()]));
            }
            let paragraphs = &mut found.last_mut().unwrap().1;
            match line[mark.len()..].trim() {
                "" => paragraphs.push(Vec::new()),
                words => paragraphs.last_mut().unwrap().push(words),
            }
        }
        last = mark;
    }
    let joined = |paragraphs: Vec<Vec<&str>>| -> Vec<String> {
        paragraphs.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join(" ")).collect()
    };
    found.into_iter().map(|(mark, paragraphs)| (mark, joined(paragraphs))).collect()
}

#[test]
fn where_the_model_is_coarser_is_told() {
    let mut rooms: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files("src", ".rs") {
        let mut own = None;
        for (mark, paragraphs) in docs(&text(&path)) {
            let source = paragraphs.iter().flat_map(|paragraph| said(paragraph, "Source:")).next();
            if mark == "//!" && own.is_none() {
                own.clone_from(&source);
            }
            let of = source.as_ref().or(own.as_ref()).map_or("", |source| source.trim_end_matches('.'));
            let room = path["src/".len()..path.len() - ".rs".len()].split('/').take(2).collect::<Vec<_>>().join("::");
            for differs in paragraphs.iter().flat_map(|paragraph| said(paragraph, "Differs:")) {
                let row = format!("| `{path}` | {} | {} |", cell(of), cell(&differs));
                rooms.entry(room.clone()).or_default().push(row);
            }
        }
    }
    let mut made = Vec::new();
    for (room, rows) in rooms {
        made.extend([format!("## `{room}`"), String::new()]);
        made.extend(["| where | in RocketMQ | here |".to_owned(), "|---|---|---|".to_owned()]);
        made.extend(rows);
        made.push(String::new());
    }
    hold("differs.md", &made.join("\n"));
}

/// The library, in its order: the first line of each variant's documentation names the check.
fn checks() -> Vec<Check> {
    let plan = text("src/lab/scenario/plan.rs");
    let mut doc = String::new();
    let mut found = Vec::new();
    for line in between(&plan, "pub enum Check {\n", "\n}\n").lines() {
        if let Some(words) = line.strip_prefix("    /// ") {
            if !doc.is_empty() {
                doc.push(' ');
            }
            doc.push_str(words);
        } else if line.strip_prefix("    ").is_some_and(|rest| rest.starts_with(char::is_uppercase)) {
            let (name, text) = doc.strip_prefix('`').and_then(|doc| doc.split_once('`')).expect("a check has a name");
            // A second variant of a name is the same check with another question.
            if let Some(text) = text.strip_prefix(": ") {
                let variant = line.trim().trim_end_matches([',', '{', ' ']).to_owned();
                found.push(Check { variant, name: name.to_owned(), text: text.to_owned() });
            }
            doc.clear();
        }
    }
    found
}

/// The checks that a source names.
fn variants(source: &str) -> Vec<String> {
    let name = |part: &str| part.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    source.split("Check::").skip(1).map(name).collect()
}

/// The row of the index that each variant judges.
fn rows() -> BTreeMap<String, String> {
    let source = text("src/lab/check/mod.rs");
    let mut rows = BTreeMap::new();
    for line in between(&source, "fn guarantee(check: &Check)", "\n}\n").lines() {
        let Some((checks, row)) = line.split_once("=> Some(") else { continue };
        let number: String = row.chars().filter(char::is_ascii_digit).collect();
        let row = if number.is_empty() { "G01h".to_owned() } else { format!("G{number:0>2}") };
        rows.extend(variants(checks).into_iter().map(|variant| (variant, row.clone())));
    }
    rows
}

/// Each once, in the order in which they came.
fn distinct<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn lessons() -> Vec<Lesson> {
    let lesson = |path: String| {
        let source = text(&path);
        let mut lesson = Lesson::default();
        let mut section = "";
        for line in source.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
                if line.split("]]").next().unwrap().ends_with("expect") {
                    lesson.expects.push((String::new(), false));
                }
                continue;
            }
            let Some((key, value)) = line.split_once(" = ") else { continue };
            let word = || value.split('"').nth(1).unwrap_or_default().to_owned();
            match key {
                "id" if section.is_empty() => lesson.id = word(),
                "track" if section.is_empty() => lesson.track = word(),
                "title.en" if section.is_empty() => lesson.title = word(),
                "title.zh" if section.is_empty() => lesson.title_zh = word(),
                "check" if section.ends_with("expect]]") => lesson.expects.last_mut().unwrap().0 = word(),
                "outcome" if section.ends_with("expect]]") => {
                    lesson.expects.last_mut().unwrap().1 = word() == "violated";
                }
                "article" if section == "[card]" => {
                    lesson.article = Some(value.trim_matches(['[', ']']).replace('"', ""));
                }
                verb if section.ends_with("fault]]") && !verb.starts_with('#') && !NO_VERBS.contains(&verb) => {
                    lesson.faults.push(verb.to_owned());
                }
                _ => {}
            }
        }
        lesson.faults = distinct(lesson.faults);
        lesson
    };
    files("scenarios", ".toml").into_iter().map(lesson).collect()
}

#[test]
fn every_guarantee_has_its_sentence_and_its_lessons() {
    let (rows, lessons) = (rows(), lessons());
    let suite = text("src/lab/check/suite.rs");
    let always = variants(between(&text("src/lab/check/mod.rs"), "const ALWAYS: &[Check] = &[", "];"));
    let base = variants(between(&suite, "let mut all = vec![", "];"));
    let more = variants(&suite);
    let mut judged = Vec::new();
    let mut counted = Vec::new();
    for Check { variant, name, text } in checks() {
        let shown = lessons.iter().filter_map(|lesson| {
            let mut own = lesson.expects.iter().filter(|(check, _)| *check == name).peekable();
            own.peek()?;
            let link = format!("[{}](../lessons/{}.md)", &lesson.id[..2], lesson.track);
            Some(if own.any(|(_, violated)| *violated) { format!("**{link}**") } else { link })
        });
        let shown = shown.collect::<Vec<_>>().join(" ");
        let shown = if shown.is_empty() { "–" } else { shown.as_str() };
        let when = match &variant {
            variant if always.contains(variant) => "every run",
            variant if base.contains(variant) => "every hunt",
            variant if more.contains(variant) => "hunts that have it",
            _ => "who asks",
        };
        match rows.get(&variant) {
            Some(row) => judged.push((row, format!("| {row} | `{name}` | {} | {when} | {shown} |", cell(&text)))),
            None => counted.push(format!("| `{name}` | {} | {shown} |", cell(&text))),
        }
    }
    judged.sort_by_key(|(row, _)| *row);
    let mut made =
        vec!["| row | check | what it says | judged in | lessons |".to_owned(), "|---|---|---|---|---|".to_owned()];
    made.extend(judged.into_iter().map(|(_, line)| line));
    made.extend(["", "Counts and events, which only a scenario can know:", ""].map(str::to_owned));
    made.extend(["| check | what it says | lessons |", "|---|---|---|"].map(str::to_owned));
    made.extend(counted);
    hold("guarantees.md", &format!("{}\n", made.join("\n")));
}

/// A text, or one in each language.
fn is_bilingual(any_of: &[Value]) -> bool {
    let names = |value: &Value| value["properties"].as_object().map(|names| names.keys().cloned().collect::<Vec<_>>());
    any_of.iter().any(|value| names(value).is_some_and(|names| names == ["en", "zh"]))
}

/// A type, in words.
fn kind(value: &Value) -> String {
    if let Some(any_of) = value["anyOf"].as_array() {
        if is_bilingual(any_of) {
            return "text or `{ en, zh }`".to_owned();
        }
        return distinct(any_of.iter().map(kind).collect()).join(" or ");
    }
    match value["type"].as_str().expect("a value has a type") {
        "array" => format!("list of {}", kind(&value["items"])),
        "object" if value["properties"].is_object() => "table".to_owned(),
        "object" if value["additionalProperties"].is_object() => {
            format!("names to {}", kind(&value["additionalProperties"]))
        }
        "object" => "any table".to_owned(),
        "string" if value["format"].is_string() => "date and time".to_owned(),
        "string" => "text".to_owned(),
        other => other.to_owned(),
    }
}

/// The tables that a value holds.
fn tables(value: &Value) -> Vec<&Value> {
    if value["properties"].is_object() {
        vec![value]
    } else if value["items"].is_object() {
        tables(&value["items"])
    } else if let Some(any_of) = value["anyOf"].as_array() {
        if is_bilingual(any_of) { Vec::new() } else { any_of.iter().flat_map(tables).collect() }
    } else if value["additionalProperties"].is_object() {
        tables(&value["additionalProperties"])
    } else {
        Vec::new()
    }
}

fn section(path: &str, table: &Value, made: &mut Vec<String>) {
    if !path.is_empty() {
        let level = if path.contains('.') { "###" } else { "##" };
        made.extend([format!("{level} `{path}`"), String::new()]);
    }
    if let Some(text) = table["description"].as_str() {
        made.extend([cell(text), String::new()]);
    }
    made.extend(["| key | type | meaning |", "|---|---|---|"].map(str::to_owned));
    let keys: BTreeMap<&String, &Value> = table["properties"].as_object().unwrap().iter().collect();
    for (key, value) in &keys {
        let text = value["description"].as_str().unwrap_or_default();
        made.push(format!("| `{key}` | {} | {} |", kind(value), cell(text)));
    }
    made.push(String::new());
    for (key, value) in &keys {
        let path = if path.is_empty() { (*key).clone() } else { format!("{path}.{key}") };
        for inner in tables(value) {
            section(&path, inner, made);
        }
    }
}

#[test]
fn every_key_of_a_scenario_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).args(["schema", "scenario"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut made = Vec::new();
    section("", &schema, &mut made);
    hold("scenario.md", &made.join("\n"));
}

/// The anchor that mdBook gives a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.to_lowercase();
    let kept = letters.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn every_lesson_stands_on_the_map() {
    let (rows, checks) = (rows(), checks());
    let row_of = |name: &str| {
        let check = checks.iter().find(|check| check.name == name)?;
        rows.get(&check.variant).map(String::as_str)
    };
    let page = text("book/src/reference/map.md");
    let mut made =
        ["| lesson | article | guarantees | faults | chapter |", "|---|---|---|---|---|"].map(str::to_owned).to_vec();
    for lesson in lessons() {
        // A lesson whose card names no section keeps what the page says.
        let line = page.lines().find(|line| line.starts_with(&format!("| `{}` |", lesson.id))).unwrap_or_default();
        let told = line.split('|').nth(2).map_or("", str::trim).to_owned();
        let guarantees: Vec<&str> = lesson.expects.iter().filter_map(|(name, _)| row_of(name)).collect();
        let faults: Vec<String> = lesson.faults.iter().map(|verb| format!("`{verb}`")).collect();
        let or_none = |text: String| if text.is_empty() { "–".to_owned() } else { text };
        let cells = [
            format!("`{}`", lesson.id),
            or_none(lesson.article.unwrap_or(told)),
            or_none(distinct(guarantees).join(", ")),
            or_none(faults.join(", ")),
        ];
        let heading = format!("{} {}", &lesson.id[..2], lesson.title);
        let link = format!("[{}](../lessons/{}.md#{})", lesson.title, lesson.track, anchor(&heading));
        made.push(format!("| {} | {link} |", cells.join(" | ")));
    }
    hold("map.md", &format!("{}\n", made.join("\n")));
}

#[test]
fn every_lesson_has_its_place_in_the_chapter_of_its_track() {
    for lesson in lessons() {
        for (edition, title) in [("book/src", &lesson.title), ("book/zh/src", &lesson.title_zh)] {
            let chapter = format!("{edition}/lessons/{}.md", lesson.track);
            let heading = format!("\n## {} {title}\n", &lesson.id[..2]);
            assert!(text(&chapter).contains(&heading), "{chapter} has no `## {} {title}`", &lesson.id[..2]);
            let run = format!(" {}", lesson.id);
            assert!(text(&chapter).contains(&run), "{chapter} shows nothing of {}", lesson.id);
        }
    }
}
