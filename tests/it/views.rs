//! The six views: what is drawn is in their data, the data is what happened, and one focus is followed in all of them.

use std::collections::BTreeSet;

use assert_cmd::Command;
use mqlab::lab::check;
use mqlab::lab::locale::{Lang, Words, views, words};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{Scenario, library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::fold::Pictures;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{Level, What};
use mqlab::lab::tui::app::App;
use mqlab::lab::tui::{Options, places, render};
use mqlab::lab::view::lanes::{self, Rows};
use mqlab::lab::view::life::Life;
use mqlab::lab::view::lines::Handles;
use mqlab::lab::view::scene::{Focus, Index, Scene};
use mqlab::lab::view::tabs::Tab;
use mqlab::lab::view::width;
use mqlab::mq::fact::Fact;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Rect;
use serde_json::Value;

/// Scenarios in which every view has something to show, each with moments worth looking at.
const RUNS: [(&str, [&str; 3]); 4] = [
    ("14-half-message", [":32s\n", ":33s\n", "G"]),
    ("17-power-loss", [":1240ms\n", ":7s\n", "G"]),
    ("21-retry-ladder", [":33s\n", ":50s\n", "G"]),
    ("24-master-dies", [":40s\n", ":70s\n", ":200s\n"]),
];

fn scenario(name: &str, sets: &[&str]) -> Scenario {
    let text = library::text(name).unwrap_or_else(|| panic!("{name}"));
    let sets = sets.iter().map(|set| (*set).to_owned()).collect();
    let changes = Overrides { sets, ..Overrides::default() };
    load(name, text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}"))
}

/// A run with all that its views are made of.
struct Run {
    trace: Trace,
    handles: Handles,
    pictures: Pictures,
    index: Index,
    findings: Vec<check::Finding>,
}

impl Run {
    fn of(name: &str, sets: &[&str]) -> Run {
        let plan = scenario(name, sets).plan;
        let trace = Session::run(&plan, Level::Full).trace;
        let handles = Handles::of(&trace);
        let (pictures, index) = (Pictures::of(&trace), Index::of(&trace, &handles));
        let findings = check::run(&trace, &plan);
        Run { trace, handles, pictures, index, findings }
    }

    /// A view as JSON, at a moment, with a message or a node in focus.
    fn view(&self, tab: Tab, step: u64, focus: &str) -> Value {
        let message = self.handles.find(focus).unwrap_or(0);
        let focus = Focus { message, ..Focus::default() };
        let scene = Scene {
            trace: &self.trace,
            handles: &self.handles,
            pictures: &self.pictures,
            index: &self.index,
            findings: &self.findings,
            step,
            lang: Lang::En,
            focus: &focus,
            rows: usize::MAX,
        };
        tab.data(&scene).json()
    }

    /// The step behind the n-th record of a kind.
    fn behind(&self, kind: &str, nth: usize) -> u64 {
        let of_kind = |what: &What| what.kind() == kind;
        let mut found = self.trace.records().iter().filter(|record| of_kind(&record.what));
        found.nth(nth).unwrap_or_else(|| panic!("no {kind} {nth}")).step + 1
    }

    fn end(&self) -> u64 {
        self.trace.steps()
    }
}

fn app(name: &str, lang: Lang) -> App {
    let options = Options { lang, color: false, unicode: false, mouse: false };
    let mut app = App::new(vec![scenario(name, &[])], options);
    app.open(0);
    app
}

fn press(app: &mut App, keys: &str) {
    keys.chars().for_each(|key| app.press(if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) }));
}

/// The rows of an area, the second half of a wide character left out.
fn rows(buffer: &Buffer, area: Rect) -> Vec<String> {
    let row = |y: u16| {
        let (mut out, mut x) = (String::new(), area.x);
        while x < area.right() {
            let symbol = buffer[(x, y)].symbol();
            out.push_str(symbol);
            x += width::of(symbol).max(1) as u16;
        }
        out
    };
    (area.y..area.bottom()).map(row).collect()
}

fn screen(app: &App, width: u16, height: u16) -> String {
    let buffer = render(app, width, height);
    let rows = rows(&buffer, Rect::new(0, 0, width, height));
    rows.iter().map(|row| format!("{}\n", row.trim_end())).collect()
}

/// What may be said of a message, and what was always said in the first view.
const SAID: &[Words] = &[
    words::SENT,
    words::STORED,
    words::FLUSHED,
    words::ACKED,
    words::FAILED,
    words::DELIVERED,
    words::NOT_SENT,
    words::IN_FLIGHT,
    words::SEND_FAILED,
    words::STORED_NOT_ACKED,
    words::ACKED_NOT_DURABLE,
    words::ACKED_DURABLE,
    words::IN_HAND,
    words::CONSUMED,
    words::LOST,
    Words {
        en: "Cluster Timeline Message waits up paused dead no power log flushed max brokers broker holds queues queue tag",
        zh: "集群 时间线 消息 未启动 运行 暂停 已死 断电 日志 落盘 个 Broker 挂起 个队列 没有消息",
    },
    Words { en: "UNIQ_KEY commitlog len tag X t gets from", zh: "收到 的" },
];

/// Everything that a view may draw: what its JSON holds, and labels.
struct Corpus {
    words: BTreeSet<String>,
    text: String,
}

impl Corpus {
    fn of(json: &[Value]) -> Corpus {
        let mut text = String::new();
        json.iter().for_each(|json| flatten(json, &mut text));
        for label in views::ALL.iter().chain(SAID) {
            text.push_str(&format!("{}\n{}\n", label.en, label.zh));
        }
        let text = text.to_lowercase();
        // A message's road tells seconds without their unit.
        let bare = pieces(&text).filter_map(|piece| piece.strip_suffix('s'));
        Corpus { words: pieces(&text).chain(bare).map(str::to_owned).collect(), text }
    }

    /// A piece as it stands; one at the end of a row, or cut, may be a part of one.
    fn has(&self, piece: &str, is_whole: bool) -> bool {
        let piece = piece.to_lowercase();
        self.words.contains(&piece) || (!is_whole || !piece.is_ascii()) && self.text.contains(&piece)
    }
}

fn flatten(json: &Value, out: &mut String) {
    match json {
        Value::Array(all) => {
            // A list says how many it has.
            out.push_str(&format!("{}\n", all.len()));
            all.iter().for_each(|one| flatten(one, out));
        }
        Value::Object(map) => map.values().for_each(|one| flatten(one, out)),
        Value::String(text) => out.push_str(&format!("{text}\n")),
        other => out.push_str(&format!("{other}\n")),
    }
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|piece| !piece.is_empty())
}

/// What a pane draws that is not in its data.
fn strangers(tab: Tab, rows: &[String], corpus: &Corpus) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| !row.contains("... +")) {
        let row = row.trim_matches(['|', '+']).trim_end();
        let (begin, end) = (row.as_ptr() as usize, row.as_ptr() as usize + row.len());
        for piece in pieces(row) {
            let (from, to) = (piece.as_ptr() as usize, piece.as_ptr() as usize + piece.len());
            let behind = row[to - begin..].chars().next();
            // An arrow cuts its label to its own length.
            let is_cut = behind == Some('~') || tab == Tab::Cluster && behind == Some('-');
            let is_whole = from != begin && to != end && !is_cut;
            let is_lane = tab == Tab::Queues && piece.chars().all(|letter| matches!(letter, 'c' | 'P'));
            if !is_lane && !corpus.has(piece, is_whole) {
                found.push(format!("`{piece}` in `{row}`"));
            }
        }
    }
    found
}

#[test]
fn what_a_view_draws_is_in_its_data() {
    for (name, moments) in RUNS {
        for lang in [Lang::En, Lang::Zh] {
            let mut app = app(name, lang);
            for moment in moments {
                press(&mut app, &format!("1{moment}"));
                for (key, tab) in Tab::ALL {
                    press(&mut app, &key.to_string());
                    let player = app.player.as_ref().unwrap();
                    let mut json = vec![mqlab::lab::tui::views::data(player, tab, lang).json()];
                    if tab == Tab::Cluster {
                        json.push(mqlab::lab::tui::views::data(player, Tab::Messages, lang).json());
                    }
                    let corpus = Corpus::of(&json);
                    for (width, height) in [(80, 24), (120, 36), (60, 16)] {
                        let buffer = render(&app, width, height);
                        let panes = places(&app, width, height);
                        assert!(!panes.is_empty(), "{name} {tab:?} {width}x{height}");
                        for pane in panes {
                            let drawn = rows(&buffer, pane);
                            let found = strangers(tab, &drawn, &corpus);
                            assert!(found.is_empty(), "{name} {lang:?} {moment} {tab:?} {width}x{height}: {found:#?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_comparison_finds_what_is_not_in_the_data() {
    let corpus = Corpus::of(&[serde_json::json!({ "key": "order-1", "at": 571 })]);
    let row = |text: &str| strangers(Tab::Storage, &[format!("| {text} |")], &corpus);
    assert!(row("@571 order-1 written").is_empty());
    assert_eq!(row("@571 order-7 written"), ["`7` in ` @571 order-7 written`"]);
    assert_eq!(row("written invented written").len(), 1);
}

#[test]
fn every_view_at_every_size() {
    for lang in [Lang::En, Lang::Zh] {
        for (name, moment) in [("24-master-dies", "70s"), ("14-half-message", "32s"), ("17-power-loss", "0s")] {
            let mut app = app(name, lang);
            press(&mut app, &format!(":{moment}\n"));
            for (key, _) in Tab::ALL {
                press(&mut app, &key.to_string());
                for width in 1..=130 {
                    for height in (1..=40).skip(width as usize % 2).step_by(if width < 60 { 8 } else { 2 }) {
                        render(&app, width, height);
                    }
                }
                app.press(KeyCode::Tab);
                press(&mut app, "jjjk");
                render(&app, 60, 16);
                render(&app, 80, 24);
            }
        }
    }
}

#[test]
fn screens_are_as_they_were_and_colour_changes_no_letter() {
    let shown = [
        ("cluster", "24-master-dies", ":70s\n"),
        ("messages", "17-power-loss", ":7s\n"),
        ("queues", "09-rebalance", ":60s\n"),
        ("storage", "17-power-loss", ":1240ms\n"),
        ("transactions", "14-half-message", ":35s\n"),
        ("checks", "17-power-loss", "G"),
    ];
    for ((key, tab), (view, name, moment)) in Tab::ALL.into_iter().zip(shown) {
        assert_eq!(tab.name(), view);
        for (lang, word) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
            let mut app = app(name, lang);
            press(&mut app, &format!("{moment}{key}"));
            for (width, height) in [(80, 24), (120, 36)] {
                let mono = screen(&app, width, height);
                insta::assert_snapshot!(format!("{view}-{width}x{height}-{word}"), mono);
                app.options.color = true;
                assert_eq!(screen(&app, width, height), mono);
                app.options.color = false;
            }
        }
    }
}

#[test]
fn one_focus_is_followed_in_every_view() {
    let mut app = app("17-power-loss", Lang::En);
    press(&mut app, ":1240ms\n2jj");
    let chosen = |app: &App| {
        let screen = screen(app, 80, 24);
        let row = screen.lines().find(|line| line.starts_with("|>")).unwrap_or_default().to_owned();
        (row, screen)
    };
    let (row, text) = chosen(&app);
    assert!(row.contains("m3 order-3"), "{text}");
    press(&mut app, "4");
    let (row, text) = chosen(&app);
    assert!(row.contains("order-3") && text.contains("m3 order-3"), "{text}");
    press(&mut app, "k");
    press(&mut app, "2");
    let (row, text) = chosen(&app);
    assert!(row.contains("m2 order-2"), "{text}");
    press(&mut app, "4");
    app.press(KeyCode::Tab);
    press(&mut app, "j");
    let (_, text) = chosen(&app);
    assert!(text.contains("00 00 00 BE da a3 20 a7"), "the length's bytes are capitals\n{text}");
    press(&mut app, "j");
    let (_, text) = chosen(&app);
    assert!(text.contains("00 00 00 be DA A3 20 A7"), "{text}");
    press(&mut app, "1");
    assert!(screen(&app, 80, 24).contains("Message m2 order-2"), "{}", screen(&app, 80, 24));
}

#[test]
fn lives_found_together_are_those_found_one_by_one() {
    for (name, _) in RUNS {
        let run = Run::of(name, &[]);
        for number in (0..run.handles.messages.len()).step_by(9) {
            let alone = Life::of(&run.trace, &run.handles, number);
            assert_eq!(run.index.lives[number], alone, "{name} {}", run.handles.name(number));
        }
    }
}

fn list<'a>(json: &'a Value, name: &str) -> &'a [Value] {
    json[name].as_array().unwrap_or_else(|| panic!("no {name} in {json:#}"))
}

#[test]
fn a_queue_shows_what_is_in_hand_and_what_is_done_and_not_committed() {
    let run = Run::of("01-first-message", &[]);
    let lane = |step: u64| {
        let json = run.view(Tab::Queues, step, "m1");
        assert_eq!(json["schema"], "mqlab.view.queues/1");
        let chosen = json["chosen"].as_u64().unwrap_or_else(|| panic!("{json:#}")) as usize;
        json["lanes"][chosen].clone()
    };
    let listened = run.behind("listen", 0);
    assert_eq!((&lane(listened)["hand"], &lane(listened)["done"]), (&serde_json::json!([0]), &serde_json::json!([])));
    assert_eq!(lane(listened)["owner"], "billing-1");
    let done = run.behind("listened", 0);
    assert_eq!((&lane(done)["hand"], &lane(done)["done"]), (&serde_json::json!([]), &serde_json::json!([0])));
    assert_eq!((lane(done)["lag"].as_i64(), lane(run.end())["lag"].as_i64()), (Some(1), Some(0)));
    assert_eq!(lane(run.end())["done"], serde_json::json!([]));
    let timers = run.view(Tab::Queues, done, "m1");
    let at: Vec<u64> = list(&timers, "timers").iter().map(|timer| timer["ns"].as_u64().unwrap()).collect();
    assert!(at.is_sorted() && timers["at"]["ns"].as_u64() <= at.first().copied(), "{at:?}");
}

#[test]
fn a_member_that_is_gone_has_nothing_in_hand() {
    let run = Run::of("17-power-loss", &["producer.shop.start=7s"]);
    let lost = run.end();
    for lane in list(&run.view(Tab::Queues, lost, "m1"), "lanes") {
        assert!(list(lane, "hand").is_empty(), "{lane:#}");
    }
}

#[test]
fn the_log_says_where_each_record_is_safe() {
    let places = |run: &Run, step: u64| -> BTreeSet<String> {
        let json = run.view(Tab::Storage, step, "m1");
        list(&json, "records").iter().map(|record| record["place"].as_str().unwrap().to_owned()).collect()
    };
    let lazy = Run::of("17-power-loss", &[]);
    let outage = lazy.behind("power-lost", 0);
    let json = lazy.view(Tab::Storage, outage - 1, "m4");
    assert_eq!((list(&json, "records").len(), &json["log"]["fsynced"]), (10, &serde_json::json!(0)));
    assert_eq!(places(&lazy, outage - 1), ["page-cache".to_owned()].into());
    assert!(list(&lazy.view(Tab::Storage, outage, "m1"), "records").is_empty(), "the page cache is gone");
    let eager = Run::of("17-power-loss", &["broker.broker-a.flush=sync"]);
    let outage = eager.behind("power-lost", 0);
    assert_eq!(places(&eager, outage), ["fsynced".to_owned()].into());
    let copied = Run::of("24-master-dies", &[]);
    let json = copied.view(Tab::Storage, copied.behind("killed", 0) - 1, "m1");
    assert!(list(&json, "records").iter().any(|record| record["place"] == "replicated"), "{json:#}");
}

#[test]
fn a_record_s_fields_bytes_and_unit_are_one_another_s() {
    let run = Run::of("17-power-loss", &[]);
    let json = run.view(Tab::Storage, run.behind("power-lost", 0) - 1, "order-4");
    let record = &json["records"][json["chosen"].as_u64().unwrap() as usize];
    let value = |name: &str| {
        let found = list(&json, "fields").iter().find(|field| field["name"] == name);
        found.unwrap_or_else(|| panic!("{name}"))["value"].as_str().unwrap().to_owned()
    };
    assert_eq!((value("total size"), value("physical offset")), (record["len"].to_string(), record["at"].to_string()));
    assert_eq!((value("magic").as_str(), value("topic").as_str()), ("DAA320A7", "orders"));
    assert_eq!(value("body"), "order 4 of the shop");
    let bytes: Vec<&Value> = list(&json, "bytes").iter().flat_map(|row| list(row, "hex")).collect();
    assert_eq!(bytes.len() as u64, record["len"].as_u64().unwrap());
    let last = list(&json, "fields").last().unwrap();
    assert_eq!(last["to"].as_u64(), record["len"].as_u64(), "the fields fill the record");
    assert_eq!((&json["unit"]["leads"], &json["unit"]["at"]), (&Value::Bool(true), &record["at"]));
}

#[test]
fn transactions_go_from_half_to_what_was_decided() {
    let run = Run::of("14-half-message", &[]);
    let states = |step: u64| -> Vec<String> {
        let json = run.view(Tab::Transactions, step, "transfer-1");
        list(&json, "halves").iter().map(|half| half["state"].as_str().unwrap().to_owned()).collect()
    };
    assert!(states(run.behind("call-transaction", 0)).is_empty());
    assert_eq!(states(run.behind("execute-local", 0)), ["half"]);
    assert_eq!(states(run.behind("decided", 0)), ["unknown"]);
    assert_eq!(states(run.behind("transaction-ended", 0)), ["committed"]);
    assert_eq!(states(run.end()), ["committed", "rolled-back", "committed"]);
    let json = run.view(Tab::Transactions, run.end(), "transfer-2");
    let half = &json["halves"][1];
    assert_eq!((&half["op"], &half["local"]), (&serde_json::json!(1), &serde_json::json!("ROLLBACK_MESSAGE")));
    assert!(list(&json, "notes").iter().any(|note| note["key"] == "transfer-1"), "{json:#}");
    let silent = Run::of("15-nobody-remembers", &[]);
    let step = silent.behind("half-checked", 0);
    let half = silent.view(Tab::Transactions, step, "m1")["halves"][0].clone();
    assert_eq!((&half["state"], &half["checks"]), (&serde_json::json!("unknown"), &serde_json::json!(1)));
    let path = silent.view(Tab::Transactions, step, "m1")["path"].clone();
    assert_eq!(path.as_array().unwrap().last().unwrap()["at"]["step"], step - 1, "the broker asked last\n{path:#}");
    assert!(half["next_check"].is_string() && half["half"] == 1, "the copy that was written again\n{half:#}");
}

#[test]
fn messages_are_counted_by_their_states() {
    let run = Run::of("21-retry-ladder", &[]);
    let json = run.view(Tab::Messages, run.end(), "order-1");
    let message = &json["messages"][0];
    assert_eq!((message["deliveries"].as_u64(), message["queue"].as_str()), (Some(17), Some("%DLQ%billing/0 #0")));
    let copies = run.trace.records().iter().filter(|record| matches!(record.what, What::Fact(Fact::Appended { .. })));
    assert_eq!(message["copies"].as_u64(), Some(copies.count() as u64));
    let run = Run::of("17-power-loss", &[]);
    let states = |step: u64| run.view(Tab::Messages, step, "m1")["states"].clone();
    assert_eq!(states(0), serde_json::json!([["not-sent", 10]]));
    assert_eq!(states(run.behind("power-lost", 0)), serde_json::json!([["acked", 10]]));
    assert_eq!(states(run.end()), serde_json::json!([["lost", 10]]));
}

#[test]
fn a_filter_lists_what_has_it_and_counts_the_rest() {
    let (code, text, _) = show(&["messages", "24-master-dies", "--filter", "FAILED", "--format", "json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    let failed = list(&json, "states").iter().find(|state| state[0] == "failed").unwrap()[1].clone();
    assert_eq!((code, &json["found"], list(&json, "messages").len() as u64), (0, &failed, failed.as_u64().unwrap()));
    assert!(list(&json, "messages").iter().all(|message| message["state"] == "failed") && failed != 0);
    let mut app = app("24-master-dies", Lang::En);
    press(&mut app, "G/order-15\n");
    let text = screen(&app, 80, 24);
    // order-15, and order-150 to order-159.
    assert!(text.contains("Messages /order-15: 11") && text.contains("m150 order-150"), "{text}");
    press(&mut app, "jjj/none of them\n");
    assert!(screen(&app, 80, 24).contains("no message has that"), "{}", screen(&app, 80, 24));
    press(&mut app, "/\n");
    assert!(screen(&app, 80, 24).contains("> Messages  19 SEND FAILED"), "{}", screen(&app, 80, 24));
}

#[test]
fn a_check_is_open_until_its_last_witness() {
    let run = Run::of("17-power-loss", &[]);
    let verdict = |step: u64| {
        let json = run.view(Tab::Checks, step, "m1");
        let check = list(&json, "checks").iter().find(|check| check["id"] == "acked-is-durable").unwrap();
        (check["verdict"].as_str().unwrap().to_owned(), list(&json, "witness").len())
    };
    let outage = run.behind("power-lost", 0);
    assert_eq!(verdict(0), ("open".to_owned(), 0));
    let (before, events) = verdict(outage - 1);
    assert_eq!((before.as_str(), 0 < events), ("open", true));
    assert_eq!(verdict(outage).0, "violation", "long before the run ends");
    let json = run.view(Tab::Checks, run.end(), "m1");
    let number = |name: &str| {
        list(&json, "numbers").iter().find(|number| number["name"] == name).unwrap()["count"].as_u64().unwrap()
    };
    assert_eq!((number("sent"), number("acknowledged"), number("lost"), number("faults")), (10, 10, 10, 2));
    assert!(list(&json, "checks").iter().all(|check| check["verdict"] != "open"));
}

#[test]
fn the_cluster_says_who_is_up_and_how_far_each_has_come() {
    let run = Run::of("24-master-dies", &[]);
    let json = run.view(Tab::Cluster, run.behind("killed", 0) + 60, "m1");
    let node = |name: &str| list(&json, "nodes").iter().find(|node| node["name"] == name).unwrap().clone();
    assert_eq!(
        (node("broker-a")["state"].as_str(), node("broker-a-s")["role"].as_str()),
        (Some("down"), Some("slave"))
    );
    let (master, slave) = (node("broker-b"), node("broker-b-s"));
    assert_eq!((&master["appended"], &master["replicated"]), (&slave["appended"], &slave["appended"]));
    assert!(node("shop")["sent"].as_u64() >= node("shop")["acked"].as_u64());
    assert!(list(&json, "routes").iter().any(|route| route["client"] == "shop" && route["topic"] == "orders"));
    let past = list(&json, "timeline").iter().filter(|row| row["past"] == true).count();
    assert!(0 < past && past < list(&json, "timeline").len());
}

fn show(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("mqlab").unwrap();
    let output = command.env_remove("MQLAB_SEED").env("LANG", "C").arg("show").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_view_is_shown_as_text_and_as_json() {
    for (_, tab) in Tab::ALL {
        let mut args = vec![tab.name(), "17-power-loss", "--at", "1240ms", "--focus", "order-3"];
        if matches!(tab, Tab::Cluster | Tab::Queues) {
            args.push("--view");
        }
        let (code, text, complaint) = show(&args);
        assert_eq!((code, complaint.as_str()), (0, ""), "{tab:?}");
        assert!(text.lines().count() > 5, "{text}");
        args.extend(["--format", "json"]);
        let (code, text, _) = show(&args);
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!((code, json["schema"].as_str().unwrap()), (0, format!("mqlab.view.{}/1", tab.name()).as_str()));
        assert_eq!(json["at"]["time"], "1.250s");
    }
    for (args, complaint) in [
        (vec!["storage", "17-power-loss", "--focus", "nobody"], "m1 to m10, a message's key"),
        (vec!["checks", "17-power-loss", "--at", "31"], "write `#31` or `12s`"),
    ] {
        let (code, _, told) = show(&args);
        assert!(code == 4 && told.contains(complaint), "{code} {told}");
    }
}

#[test]
fn rows_made_one_by_one_are_those_of_the_whole_picture() {
    for (name, _) in RUNS {
        let plan = scenario(name, &[]).plan;
        let trace = Session::run(&plan, Level::Full).trace;
        let handles = Handles::of(&trace);
        let (whole, rows) = (lanes::of(&trace, &handles, Lang::En), Rows::of(&trace));
        let made: Vec<lanes::Row> =
            (0..rows.count()).filter_map(|place| rows.row(&trace, &handles, place, Lang::En)).collect();
        assert_eq!(made, whole.rows, "{name}");
        assert_eq!(rows.past(trace.steps()), rows.count());
    }
}
