//! The author's check finds what is wrong with a lesson, and the lessons cover the article.

use mqlab::lab::learn::course::{self, Kind, Lesson, STRIP_COLUMNS, STRIP_ROWS};
use mqlab::lab::learn::lessons;
use mqlab::lab::learn::trial::Effort;
use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::lesson::Card;
use mqlab::lab::scenario::library;
use mqlab::lab::tui::app::App;
use mqlab::lab::tui::{self, Options};
use mqlab::lab::view::width;

/// An exercise with everything that it should have, for the scenario of the power loss.
pub const EXERCISE: &str = r#"
[exercise]
goal.en = "Change one line so that no acknowledged order is ever lost."
goal.zh = "只改一行，使已确认的订单永不丢失。"
editable = ["broker.*.flush", "broker.*.flush_interval", "broker.*.flush_least_pages"]
pass = { expect = "acked-is-durable", outcome = "holds", seeds = 4 }
hints.en = ["What does the broker wait for?", "flush = \"sync\""]
hints.zh = ["Broker 在等待什么？", "flush = \"sync\""]
[[exercise.solution]]
set = ["broker.*.flush=sync"]
why.en = "It answers when the record is on the disk."
why.zh = "记录落盘之后才应答。"
[[exercise.wrong]]
set = ["broker.broker-a.flush_interval=10ms"]
why.en = "Four pages are never dirty."
why.zh = "脏页从来不满四页。"
[[exercise.wrong]]
set = ["broker.broker-a.flush_least_pages=1"]
why.en = "What came after the last round is lost."
why.zh = "最后一轮之后写入的会丢失。"
[card]
do.en = ["Set flushDiskType=SYNC_FLUSH where a loss costs money.", "Watch the time between two flushes."]
do.zh = ["丢失有代价的地方，把 flushDiskType 设为 SYNC_FLUSH。", "关注两次刷盘之间的时间。"]
article = ["5.2"]
"#;

/// The scenario of the power loss with that exercise.
pub fn planted() -> String {
    let text = library::text("17-power-loss").unwrap();
    let end = ["\n[exercise]", "\n[card]"].iter().filter_map(|head| text.find(head)).min().unwrap();
    format!("{}{EXERCISE}", &text[..end])
}

fn checked(text: &str) -> Lesson {
    course::check("planted.toml", text, Effort { most: None, jobs: 2 })
}

fn changed(from: &str, to: &str) -> Lesson {
    let text = planted();
    assert!(text.contains(from), "{from}");
    checked(&text.replacen(from, to, 1))
}

#[test]
fn a_lesson_that_has_everything_is_in_order() {
    let lesson = checked(&planted());
    assert_eq!(lesson.problems, []);
    assert_eq!((lesson.hints, lesson.solutions, lesson.wrong), (2, (1, 1), (2, 2)));
    assert_eq!(course::check("planted.toml", &planted(), Effort { most: Some(1), jobs: 1 }).problems, []);
}

#[test]
fn every_lesson_of_the_course_is_in_order() {
    for (name, text) in library::ALL {
        let lesson = course::check(&format!("{name}.toml"), text, Effort { most: Some(2), jobs: 2 });
        let problems: Vec<&str> = lesson.problems.iter().map(|problem| problem.text.en.as_str()).collect();
        assert_eq!(problems, Vec::<&str>::new(), "{name}");
        assert_eq!(lesson.id, *name);
    }
}

#[test]
fn each_thing_that_is_wrong_with_a_lesson_is_found() {
    let long = "word ".repeat(100);
    let cases: [(&str, &str, Kind, &str); 12] = [
        ("why.zh = \"记录落盘之后才应答。\"\n", "", Kind::Resolves, "no Chinese"),
        (
            "why.zh = \"记录落盘之后才应答。\"",
            "why.zh = \"It answers when it is there\"",
            Kind::Language,
            "solution 1 why",
        ),
        ("hints.zh = [\"Broker 在等待什么？\", ", "hints.zh = [", Kind::Resolves, "in Chinese"),
        ("hints.en = [\"What does the broker wait for?\", ", "hints.en = [", Kind::Resolves, "in English"),
        ("Change one line so", &format!("{long} so"), Kind::Width, "exercise goal (en) takes"),
        (
            "say.en = \"The power is gone",
            &format!("say.en = \"{long} The power is gone"),
            Kind::Width,
            "step 3 (en) takes",
        ),
        (
            "set = [\"broker.*.flush=sync\"]",
            "set = [\"broker.*.flush_interval=10ms\"]",
            Kind::Solution,
            "mqlab run planted --seed 1 --set",
        ),
        (
            "broker.broker-a.flush_interval=10ms",
            "broker.broker-a.flush=sync",
            Kind::Wrong,
            "wrong way 1 passes in 4 seeds",
        ),
        ("outcome = \"holds\", seeds", "outcome = \"violated\", seeds", Kind::Unsolved, "nothing changed"),
        (
            "do.en = [\"Set flushDiskType=SYNC_FLUSH where a loss costs money.\", ",
            "do.en = [",
            Kind::Resolves,
            "the card has",
        ),
        (
            "check = \"deliveries\"\ncount = \"0 | 1\"",
            "check = \"deliveries\"\ncount = \"7\"",
            Kind::Run,
            "no-order-twice",
        ),
        (
            "expect = \"acked-is-durable\"",
            "expect = \"acked-is-durabel\"",
            Kind::Resolves,
            "did you mean \"acked-is-durable\"?",
        ),
    ];
    for (from, to, kind, part) in cases {
        let lesson = changed(from, to);
        let found = lesson.problems.iter().find(|problem| problem.kind == kind);
        let found = found.unwrap_or_else(|| panic!("{from}: {:?}", lesson.problems));
        assert!(found.text.en.contains(part), "{from}: {}", found.text.en);
        assert!(!found.text.zh.is_empty() && !lesson.is_good());
    }
}

#[test]
fn what_is_left_out_of_a_lesson_is_missed() {
    let text = planted();
    let cut = |from: &str| text[..text.find(from).unwrap()].to_owned();
    let kinds = |text: &str| checked(text).problems.into_iter().map(|problem| problem.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&cut("\n[exercise]")), [Kind::Exercise, Kind::Card]);
    assert_eq!(kinds(&cut("\n[card]")), [Kind::Card]);
    assert_eq!(kinds(&cut("\n[[exercise.solution]]")), [Kind::Solution, Kind::Wrong, Kind::Card]);
    let last = text.rfind("[[exercise.wrong]]").unwrap();
    assert_eq!(kinds(&text[..last]), [Kind::Wrong, Kind::Card]);
    let one = text
        .replace("\"What does the broker wait for?\", ", "")
        .replace("\"Broker 在等待什么？\", ", "")
        .replace(", \"Watch the time between two flushes.\"", "")
        .replace(", \"关注两次刷盘之间的时间。\"", "");
    assert_eq!(kinds(&one), [Kind::Exercise, Kind::Card]);
}

#[test]
fn the_first_seed_that_fails_is_the_same_with_any_number_of_threads() {
    let text =
        planted().replace("seeds = 4", "seeds = 12").replace("broker.*.flush=sync", "broker.*.flush_least_pages=1");
    let of = |jobs: usize| course::check("planted.toml", &text, Effort { most: None, jobs }).problems;
    let one = of(1);
    assert!(one.iter().any(|problem| problem.kind == Kind::Solution), "{one:?}");
    assert_eq!(one, of(3));
}

/// The check of widths looks at what the player shows.
#[test]
fn a_step_is_shown_as_the_check_wraps_it() {
    let scenario = lessons::of_text("planted.toml", &planted()).unwrap();
    let options = Options { lang: Lang::En, color: false, unicode: false, mouse: false };
    let mut app = App::new(vec![scenario.clone()], options);
    app.open(0);
    let mut looked_at = 0;
    while let Some(player) = &mut app.player {
        let before = player.at;
        player.mark(true);
        if player.at == before || player.at == player.end() {
            break;
        }
        let Some((number, _)) = player.narration() else { continue };
        let buffer = tui::render(&app, 80, 24);
        let shown: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        let texts = course::strip(&scenario.lesson.steps[number]);
        for line in width::wrap(&texts[0].1.en, STRIP_COLUMNS) {
            assert!(shown.contains(&line), "step {number}: {line}\n{shown}");
        }
        assert!(width::wrap(&texts[0].1.en, STRIP_COLUMNS).len() <= STRIP_ROWS);
        looked_at += 1;
    }
    assert!(4 <= looked_at, "{looked_at}");
}

/// Number, title, and what stands in the third column.
fn sections() -> Vec<(&'static str, &'static str, &'static str)> {
    let rows = include_str!("../golden/article-sections.tsv").lines().filter(|line| !line.starts_with('#'));
    let cells = |line: &'static str| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_else(|| panic!("{line}"));
        (next(), next(), next())
    };
    rows.map(cells).collect()
}

fn cards() -> Vec<(u32, Option<Card>)> {
    let card = |id: &'static str| {
        let scenario = lessons::scenario(id).unwrap_or_else(|report| panic!("{report}"));
        (lessons::number(id).unwrap(), scenario.lesson.card)
    };
    library::names().map(card).collect()
}

/// Whether a card speaks of a section, or of the one that it is a part of.
fn covers(card: &Card, section: &str) -> bool {
    card.article
        .iter()
        .any(|own| own == section || section.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('.')))
}

#[test]
fn every_section_of_the_article_has_a_lesson_or_a_reason() {
    let (sections, cards) = (sections(), cards());
    let mut gaps = Vec::new();
    for (number, title, how) in &sections {
        if cards.iter().filter_map(|(_, card)| card.as_ref()).any(|card| covers(card, number)) {
            continue;
        }
        let is_whole = match how.split_once(' ') {
            None if *how == "below" => {
                let below = format!("{number}.");
                sections.iter().any(|(other, ..)| other.starts_with(&below)) || ["3.2", "7.2"].contains(number)
            }
            Some(("none:", reason)) => !reason.is_empty(),
            // A lesson whose card is not written yet will say so.
            Some(("lessons", numbers)) => numbers.split(',').any(|own| {
                let own: u32 = own.parse().unwrap_or_else(|_| panic!("{number} {title}: {own}"));
                cards.iter().any(|(lesson, card)| *lesson == own && card.is_none())
            }),
            _ => false,
        };
        if !is_whole {
            gaps.push(format!("{number} {title}: {how}"));
        }
    }
    assert_eq!(gaps, Vec::<String>::new());
    assert!(40 < sections.len());
}

#[test]
fn cards_name_sections_that_there_are() {
    let sections = sections();
    for (lesson, card) in cards() {
        for own in card.into_iter().flat_map(|card| card.article) {
            let is_there = |(number, ..): &(&str, &str, &str)| *number == own || number.starts_with(&format!("{own}."));
            assert!(sections.iter().any(is_there), "lesson {lesson}: the article has no section {own}");
        }
    }
}

/// What the article says otherwise than the release does, each with the lessons of which one shows it.
const CORRECTED: [(&str, &[u32]); 10] = [
    ("brokers report every 10 s", &[24]),
    ("the server pushes", &[6]),
    ("retries after 1 s, 5 s, 10 s", &[21]),
    ("SUCCESS after three tries", &[21, 32]),
    ("the server keeps sending until success", &[11]),
    ("retry 3 times", &[20]),
    ("rollback deletes the half message", &[14]),
    ("the outcome is kept in a map", &[15]),
    ("a master's failure is transparent", &[24]),
    ("the listings of four brokers", &[3, 23]),
];

#[test]
fn each_wrong_sentence_of_the_article_has_a_lesson_that_corrects_it() {
    let cards = cards();
    let gaps: Vec<&str> = CORRECTED
        .iter()
        .filter(|(_, lessons)| {
            let own = cards.iter().filter(|(number, _)| lessons.contains(number)).map(|(_, card)| card);
            let corrects = |card: &Option<Card>| card.as_ref().is_none_or(|card| !card.corrects.is_empty());
            !own.into_iter().any(corrects)
        })
        .map(|(sentence, _)| *sentence)
        .collect();
    assert_eq!(gaps, Vec::<&str>::new());
}
