//! The book is what the binary prints: every console block is run, every chapter is listed, every link, every path that is named and
//! every part of a file that is shown leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// A line of a block that stands for any number of lines.
const ANY: &str = "…";

/// Beginnings of what is a path of this repository when it stands between backticks.
const FOLDERS: [&str; 7] = ["src/", "tests/", "examples/", "scenarios/", "deploy/", "fuzz/", "book/"];

/// A chapter: what a person reads outside of fences, and its commands.
struct Chapter {
    prose: String,
    commands: Vec<Shown>,
}

/// A command of a console block, and what is said to be printed.
struct Shown {
    command: String,
    printed: Vec<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The editions: the whole book, and its lessons in Chinese.
const EDITIONS: [&str; 2] = ["book/src", "book/zh/src"];

/// Every Markdown file below a folder of the book, in order of path.
fn files(folder: &str) -> Vec<PathBuf> {
    below(&format!("{}/{folder}", EDITIONS[0]))
}

/// Every Markdown file below a folder of the repository, in order of path.
fn below(folder: &str) -> Vec<PathBuf> {
    let mut open = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} has no chapter");
    found
}

fn read(path: &Path) -> Chapter {
    let mut chapter = Chapter { prose: String::new(), commands: Vec::new() };
    let mut fence: Option<String> = None;
    let mut begun = false;
    for line in fs::read_to_string(path).unwrap().lines() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(kind.to_owned()) };
            begun = false;
            continue;
        }
        match fence.as_deref() {
            None => chapter.prose.extend([line, "\n"]),
            Some("console") => match line.strip_prefix("$ ") {
                Some(command) => {
                    begun = true;
                    chapter.commands.push(Shown { command: command.to_owned(), printed: Vec::new() });
                }
                None => {
                    assert!(begun, "{}: a console block begins with a command, not with `{line}`", path.display());
                    chapter.commands.last_mut().unwrap().printed.push(timeless(line));
                }
            },
            Some(_) => {}
        }
    }
    assert!(fence.is_none(), "{}: a fence is not closed", path.display());
    chapter
}

/// A line without what is nobody's promise: how long it took in reality, and blanks at its end.
fn timeless(line: &str) -> String {
    let mark = [" virtual, ", "，实际 "].into_iter().find_map(|mark| line.find(mark)).unwrap_or(line.len());
    line[..mark].trim_end().to_owned()
}

/// The words of a command line, with quotes as a shell has them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(end), _) if letter == end => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    assert!(quote.is_none(), "a quote is not closed in `{line}`");
    words.extend(word);
    words
}

/// Whether these lines are what is told; a line of dots stands for any number of lines.
fn is_told(told: &[String], printed: &[String]) -> bool {
    let parts: Vec<&[String]> = told.split(|line| line.trim() == ANY).collect();
    let (first, rest) = parts.split_first().expect("a split has a part");
    if !printed.starts_with(first) {
        return false;
    }
    let mut left = &printed[first.len()..];
    let Some((last, between)) = rest.split_last() else { return left.is_empty() };
    for part in between.iter().filter(|part| !part.is_empty()) {
        let Some(at) = left.windows(part.len()).position(|window| window == *part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

/// Runs the blocks of these chapters, those of one chapter in one folder, one after the other.
fn hold(paths: &[PathBuf]) {
    for path in paths {
        let folder = tempfile::tempdir().unwrap();
        for shown in read(path).commands {
            let words = words(&shown.command);
            assert_eq!(words[0], "mqlab", "{}: a console block is run, and only `mqlab` is", path.display());
            let output = Command::new(env!("CARGO_BIN_EXE_mqlab"))
                .args(&words[1..])
                .current_dir(folder.path())
                .env_clear()
                .env("NO_COLOR", "1")
                .env("LC_ALL", "en_US.UTF-8")
                .output()
                .unwrap();
            let (text, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let (place, command) = (path.display(), &shown.command);
            // Not as expected, nothing to judge, a replay that parts and an exercise that does not pass yet are shown, too; a wrong command line is not.
            let is_shown = matches!(output.status.code(), Some(0 | 1 | 3 | 5 | 6));
            assert!(is_shown, "{place}\n$ {command}\nends with {}:\n{talk}", output.status);
            let printed: Vec<String> = text.lines().map(timeless).collect();
            assert!(is_told(&shown.printed, &printed), "{place}\n$ {command}\nprints something else:\n{text}");
        }
    }
}

#[test]
fn what_the_chapters_of_the_trip_show_is_what_is_printed() {
    hold(&files("trip"));
}

#[test]
fn what_the_chapters_of_the_laboratory_show_is_what_is_printed() {
    hold(&files("lab"));
}

#[test]
fn what_the_chapters_of_the_lessons_show_is_what_is_printed() {
    hold(&files("lessons"));
}

#[test]
fn what_the_lessons_in_chinese_show_is_what_is_printed() {
    hold(&below(EDITIONS[1]));
}

#[test]
fn what_the_other_chapters_show_is_what_is_printed() {
    let others = |path: &PathBuf| !["trip", "lab", "lessons"].iter().any(|part| path.parent().unwrap().ends_with(part));
    hold(&files("").into_iter().filter(others).collect::<Vec<_>>());
}

#[test]
fn every_chapter_is_listed_and_every_link_leads_somewhere() {
    for edition in EDITIONS {
        let sources = root().join(edition);
        let summary = fs::read_to_string(sources.join("SUMMARY.md")).unwrap();
        for path in below(edition) {
            let name = path.strip_prefix(&sources).unwrap().display().to_string();
            assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{edition} does not list {name}");
            for link in read(&path).prose.split("](").skip(1) {
                let target = link.split([')', '#']).next().unwrap();
                let there = target.is_empty() || path.parent().unwrap().join(target).is_file();
                assert!(there || target.starts_with("http"), "{name} links to {target}, which is not there");
            }
        }
    }
}

#[test]
fn what_is_named_and_what_is_included_is_there() {
    for path in EDITIONS.into_iter().flat_map(below) {
        let text = fs::read_to_string(&path).unwrap();
        for include in text.split("{{#include ").skip(1) {
            let include = include.split("}}").next().unwrap();
            let (file, anchor) = include.split_once(':').map_or((include, None), |(file, anchor)| (file, Some(anchor)));
            let from = fs::read_to_string(path.parent().unwrap().join(file))
                .unwrap_or_else(|error| panic!("{} shows {file}: {error}", path.display()));
            for (mark, anchor) in ["ANCHOR", "ANCHOR_END"].into_iter().zip(std::iter::repeat(anchor)) {
                let Some(anchor) = anchor else { continue };
                let mark = format!("{mark}: {anchor}");
                let is_mark = |line: &str| line.trim_end_matches(" -->").ends_with(&mark);
                assert!(from.lines().any(is_mark), "{} shows {file}, which has no `{mark}`", path.display());
            }
        }
        let prose = read(&path).prose;
        assert_eq!(prose.matches('`').count() % 2, 0, "{}: a backtick is alone", path.display());
        for code in prose.split('`').skip(1).step_by(2) {
            let is_path = FOLDERS.iter().any(|folder| code.starts_with(folder)) && !code.contains([' ', '*', '<', '{']);
            assert!(!is_path || root().join(code).exists(), "{} names {code}, which is not there", path.display());
        }
    }
}

#[test]
fn the_comparison_tells_lines_apart() {
    let lines = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let printed = lines("a b c d e");
    for told in ["a b c d e", "a … e", "…", "… c …", "a … c … e", "… b c d e", "a … b c d e", "… b … d …"]
    {
        assert!(is_told(&lines(told), &printed), "{told}");
    }
    for told in
        ["", "a b c d", "b … e", "a … d", "… c b …", "… b d …", "a b c d e f", "… x …", "… c … c …", "a … a b c d e"]
    {
        assert!(!is_told(&lines(told), &printed), "{told}");
    }
    assert_eq!(words("a 'b c' \"d\" e=' f'g"), ["a", "b c", "d", "e= fg"]);
    assert_eq!(
        timeless("result  as expected in 5 events, 1.0s virtual, 7 ms real"),
        "result  as expected in 5 events, 1.0s"
    );
    assert_eq!(
        timeless("结果  符合预期：5 个事件，虚拟时间 1.0s，实际 7 毫秒"),
        "结果  符合预期：5 个事件，虚拟时间 1.0s"
    );
}
