//! Why something happened, and why something has not: an answer for every kind of event and every state of a message.

use std::collections::BTreeSet;

use assert_cmd::Command;
use mqlab::lab::locale::{Lang, sentences};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::fold::Pictures;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{Level, What};
use mqlab::lab::tui::app::App;
use mqlab::lab::tui::{Options, render};
use mqlab::lab::view::lines::Handles;
use mqlab::lab::view::why;
use mqlab::lab::view::why_not::{self, ALL, Wanted, WhyNot};
use mqlab::mq::fact::Fact;
use ratatui::crossterm::event::KeyCode;
use serde_json::Value;

fn run(name: &str, sets: &[&str]) -> Trace {
    let text = library::text(name).unwrap_or_else(|| panic!("{name}"));
    let sets = sets.iter().map(|set| (*set).to_owned()).collect();
    let changes = Overrides { sets, ..Overrides::default() };
    let plan = load(name, text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    Session::run(&plan, Level::Full).trace
}

/// What a message waits for in a state at a moment: in words, who must act, by which timer; or that it has it.
fn asked(trace: &Trace, key: &str, wanted: Wanted, step: u64) -> String {
    let handles = Handles::of(trace);
    let number = handles.find(key).unwrap_or_else(|| panic!("{key}"));
    match why_not::of((trace, &handles, &Pictures::of(trace)), number, wanted, step) {
        WhyNot::Has(step, _) => format!("has it since #{step}"),
        WhyNot::Waits(unmet) => {
            let each = unmet.iter().map(|one| {
                let who = one.who.as_deref().unwrap_or("nobody");
                let next = one
                    .next
                    .as_ref()
                    .map_or_else(|| "no timer".to_owned(), |due| format!("{} of {}", due.timer.name(), due.node));
                format!("{} [{who}, {next}]", one.text.en)
            });
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

/// The step behind the first record that is as asked.
fn behind(trace: &Trace, is_it: impl Fn(&What) -> bool) -> u64 {
    trace.records().iter().find(|record| is_it(&record.what)).expect("there is such a record").step + 1
}

fn is_appended(what: &What) -> bool {
    matches!(what, What::Fact(Fact::Appended { topic, .. }) if topic == "orders")
}

#[test]
fn every_kind_of_event_has_a_sentence_in_both_languages() {
    let told = |kind: &str| sentences::of(kind).or_else(|| sentences::small(kind));
    let silent: Vec<&str> = What::kinds().filter(|kind| told(kind).is_none()).collect();
    assert_eq!(silent, Vec::<&str>::new());
    let mut met = BTreeSet::new();
    for name in ["01-first-message", "15-nobody-remembers", "17-power-loss", "24-master-dies", "33-reset-offset"] {
        let trace = run(name, &[]);
        let handles = Handles::of(&trace);
        for record in trace.records() {
            met.insert(record.what.kind());
            for lang in [Lang::En, Lang::Zh] {
                let one = why::told(&trace, &handles, record, lang);
                assert!(!one.text.is_empty(), "{name}: {one:?}");
                assert!(!one.text.contains('{'), "{name}: a field that is not there: {one:?}");
            }
        }
    }
    assert!(60 < met.len(), "{}: {met:?}", met.len());
}

#[test]
fn an_event_of_every_kind_that_the_library_leaves_is_answered() {
    let mut met: BTreeSet<&str> = BTreeSet::new();
    for (name, _) in library::ALL {
        let trace = run(name, &[]);
        let handles = Handles::of(&trace);
        for record in trace.records() {
            if !met.insert(record.what.kind()) {
                continue;
            }
            for lang in [Lang::En, Lang::Zh] {
                let found = why::of_step((&trace, &handles), record.step, 4, lang).unwrap();
                let own = found.what.iter().find(|one| one.seq == record.seq).unwrap();
                assert!(!own.text.is_empty(), "{name}: {own:?}");
                assert_eq!(record.cause.is_none(), found.causes.is_empty() && own.seq == found.what[0].seq, "{own:?}");
            }
        }
    }
    let never: Vec<&str> = What::kinds().filter(|kind| !met.contains(kind)).collect();
    assert!(never.len() < What::kinds().count() / 2, "kinds of events that no scenario leaves: {never:?}");
}

#[test]
fn the_command_answers_for_every_state_in_both_languages() {
    // Before its send every state is open.
    for wanted in ALL {
        for lang in ["en", "zh"] {
            let asked = ["why", "17-power-loss", "m10", "--at", "1ms", "--not", wanted.name(), "--lang", lang];
            let (code, out, talk) = mqlab(&asked);
            assert_eq!(code, 0, "{talk}");
            let (head, who) = match lang {
                "en" => (format!("why not {}\n", wanted.name()), "    who     "),
                _ => (format!("为什么没有{}（{}）\n", wanted.word().zh, wanted.name()), "    谁      "),
            };
            assert!(out.contains(&head) && out.contains(who), "{wanted:?}: {out}");
        }
        let (code, json, _) =
            mqlab(&["why", "17-power-loss", "m10", "--at", "1ms", "--not", wanted.word().zh, "--format", "json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((code, &json["asked"]), (0, &Value::from(wanted.name())), "asked for by its Chinese name");
        assert!(json["unmet"].as_array().is_some_and(|unmet| !unmet.is_empty()));
    }
    let (_, out, _) = mqlab(&["why", "01-first-message", "m1", "--not", "consumed", "--lang", "zh"]);
    assert!(out.contains("已经消费（consumed）：#"), "{out}");
}

#[test]
fn causes_go_back_to_the_plan_and_effects_go_the_same_way_forward() {
    let trace = run("01-first-message", &[]);
    let handles = Handles::of(&trace);
    let stored = behind(&trace, is_appended) - 1;
    let whole = why::of_step((&trace, &handles), stored, usize::MAX, Lang::En).unwrap();
    assert!(whole.what.iter().any(|one| one.kind == "appended"));
    assert_eq!(whole.causes[0].kind, "sent", "the frame that brought it: {:?}", whole.causes[0]);
    assert!(whole.causes.iter().any(|one| one.kind == "call-send"), "and the call behind it");
    assert!(whole.causes.windows(2).all(|pair| pair[1].seq < pair[0].seq));
    assert!(trace.get(whole.causes.last().unwrap().seq).unwrap().cause.is_none());
    let cut = why::of_step((&trace, &handles), stored, 2, Lang::En).unwrap();
    assert_eq!((cut.causes.len(), cut.further), (2, whole.causes.len() - 2));
    for effect in &whole.effects {
        let back = why::of_step((&trace, &handles), effect.step, 1, Lang::En).unwrap();
        assert!(back.what.iter().any(|one| one.seq == effect.seq));
    }
    assert!(whole.effects.iter().any(|one| one.kind == "arrived"), "the producer gets the answer");
    assert_eq!(why::of_step((&trace, &handles), trace.steps(), 1, Lang::En), None);
}

#[test]
fn a_message_on_its_way_waits_for_its_call_its_frame_and_its_broker() {
    let trace = run("17-power-loss", &[]);
    let calls = asked(&trace, "order-10", Wanted::Sent, 1);
    assert!(calls.starts_with("its application calls send in #") && calls.ends_with("[shop, no timer]"), "{calls}");
    assert!(asked(&trace, "order-10", Wanted::Consumed, 1).starts_with("no group pulls"), "nobody consumes there");
    let stored = behind(&trace, is_appended) - 1;
    let way = asked(&trace, "order-1", Wanted::Stored, stored);
    assert!(
        way.starts_with("SEND_MESSAGE_V2 is on its way to broker-a") && way.contains(&format!("#{stored}")),
        "{way}"
    );
    assert_eq!(asked(&trace, "order-1", Wanted::Stored, stored + 1), format!("has it since #{stored}"));
    assert_eq!(
        asked(&trace, "order-1", Wanted::Queued, stored + 1),
        "broker-a has not followed its log to 0: ReputMessageService has still to read the record [broker-a, Reput of broker-a]"
    );
    let answer = asked(&trace, "order-1", Wanted::Acked, stored + 1);
    assert!(answer.starts_with("SUCCESS is on its way to shop"), "{answer}");
    let call = behind(&trace, |what| what.kind() == "call-send");
    let route = asked(&trace, "order-1", Wanted::Stored, call);
    assert!(route.starts_with("the producer has no route for orders yet [shop"), "{route}");
}

#[test]
fn a_record_in_the_page_cache_waits_for_its_flush_and_one_that_is_gone_for_nobody() {
    let trace = run("17-power-loss", &[]);
    let stored = behind(&trace, is_appended);
    let flush = asked(&trace, "order-1", Wanted::Flushed, stored);
    assert!(
        flush.contains("has forced its log up to 0") && flush.ends_with("[broker-a, FlushCommitLog of broker-a]"),
        "{flush}"
    );
    let off = behind(&trace, |what| what.kind() == "power-lost");
    let dark = asked(&trace, "order-1", Wanted::Flushed, off);
    assert!(
        dark.starts_with("broker-a has no power; it runs again at") && dark.ends_with("[broker-a, no timer]"),
        "{dark}"
    );
    for wanted in [Wanted::Flushed, Wanted::Delivered] {
        let lost = asked(&trace, "order-1", wanted, trace.steps());
        assert!(lost.contains("broker-a recovered without it") && lost.contains("[nobody"), "{lost}");
    }
    let synced = run("17-power-loss", &["broker.broker-a.flush=sync"]);
    let waits = asked(&synced, "order-1", Wanted::Acked, behind(&synced, is_appended));
    assert!(
        waits.starts_with("broker-a has stored it and has not answered") && waits.contains("[broker-a, "),
        "{waits}"
    );
}

#[test]
fn a_send_that_failed_waits_for_nobody() {
    let trace = run("02-wrong-address", &[]);
    for wanted in [Wanted::Stored, Wanted::Acked, Wanted::Queued, Wanted::Flushed] {
        let failed = asked(&trace, "m1", wanted, trace.steps());
        assert!(failed.starts_with("its send has failed: ") && failed.ends_with("[nobody, no timer]"), "{failed}");
    }
}

#[test]
fn a_stored_message_waits_for_its_consumer_and_a_failed_one_for_its_next_try() {
    let trace = run("01-first-message", &[]);
    let queued = behind(&trace, |what| matches!(what, What::Fact(Fact::Queued { topic, .. }) if topic == "orders"));
    let pulled = asked(&trace, "order-1", Wanted::Delivered, queued);
    assert!(pulled.starts_with("billing: ") && !pulled.contains("[nobody"), "{pulled}");
    let heard = behind(&trace, |what| what.kind() == "listen");
    let busy = asked(&trace, "order-1", Wanted::Consumed, heard);
    assert!(busy.starts_with("billing: the listener of billing-1 has it"), "{busy}");
    assert!(asked(&trace, "order-1", Wanted::Consumed, trace.steps()).starts_with("has it since"));

    let ladder = run("21-retry-ladder", &[]);
    let back = behind(&ladder, |what| what.kind() == "sent-back");
    let again = asked(&ladder, "m1", Wanted::Consumed, back + 5);
    assert!(
        again.contains("failed it 1 times; it waits to be tried again") && again.contains("Schedule of broker-a"),
        "{again}"
    );
    let dead = asked(&ladder, "m1", Wanted::Consumed, ladder.steps());
    assert!(dead.contains("lies under %DLQ%") && dead.contains("[nobody"), "{dead}");
}

#[test]
fn a_half_message_waits_until_its_transaction_is_over_and_then_for_nobody() {
    let trace = run("14-half-message", &[]);
    let half = behind(
        &trace,
        |what| matches!(what, What::Fact(Fact::Appended { queue_offset: 1, topic, .. }) if topic == "RMQ_SYS_TRANS_HALF_TOPIC"),
    );
    let open = asked(&trace, "transfer-2", Wanted::Delivered, half + 2);
    assert!(open.contains("until its transaction is decided [broker-a"), "{open}");
    let over = asked(&trace, "transfer-2", Wanted::Delivered, trace.steps());
    assert_eq!(over, "credit: its transaction was rolled back [nobody, no timer]");
    assert!(asked(&trace, "transfer-3", Wanted::Delivered, trace.steps()).starts_with("has it since"), "committed");
    // Sixteen times the broker wrote it anew; then it gave the last copy up.
    let trace = run("15-nobody-remembers", &[]);
    let given_up = behind(&trace, |what| matches!(what, What::Fact(Fact::HalfDiscarded { .. })));
    let before = asked(&trace, "transfer-1", Wanted::Consumed, given_up - 1);
    assert!(before.contains("until its transaction is decided"), "{before}");
    let after = asked(&trace, "transfer-1", Wanted::Consumed, given_up);
    assert_eq!(after, "credit: broker-a gave it up: it was asked for too often [nobody, no timer]");
}

#[test]
fn a_message_that_was_passed_over_waits_for_nobody() {
    let trace = run("30-three-subscriptions", &[]);
    let passed = asked(&trace, "m1", Wanted::Delivered, trace.steps());
    assert!(passed.contains("passed over it at 0: it was filtered out") && passed.contains("[nobody"), "{passed}");
}

#[test]
fn every_state_of_every_message_has_an_answer_at_every_moment() {
    for name in ["01-first-message", "17-power-loss", "09-rebalance"] {
        let trace = run(name, &[]);
        let handles = Handles::of(&trace);
        let pictures = Pictures::of(&trace);
        let steps = (0..=trace.steps()).step_by(usize::try_from(trace.steps() / 12).unwrap().max(1));
        for step in steps {
            for number in (0..handles.messages.len()).step_by(7) {
                for wanted in ALL {
                    let answer = why_not::of((&trace, &handles, &pictures), number, wanted, step);
                    let WhyNot::Waits(unmet) = answer else { continue };
                    assert!(!unmet.is_empty(), "{name} {} {wanted:?} #{step}", handles.name(number));
                    assert!(unmet.iter().all(|one| !one.text.en.is_empty() && !one.text.zh.is_empty()));
                }
            }
        }
    }
}

fn mqlab(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_tells_the_life_of_a_message_and_its_first_open_state() {
    let (code, out, _) = mqlab(&["why", "17-power-loss", "order-10"]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with("m10 order-10  LOST\n") && out.contains("why not flushed\n  broker-a recovered without it"),
        "{out}"
    );
    let (code, out, _) = mqlab(&["why", "17-power-loss", "m10", "--format", "json", "--at", "3s", "--not", "flushed"]);
    assert_eq!(code, 0);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["message"], "m10 order-10");
    assert!(json["reached"]["stored"]["step"].is_u64() && json["reached"]["flushed"].is_null());
    assert_eq!((&json["asked"], &json["unmet"][0]["who"]), (&Value::from("flushed"), &Value::from("broker-a")));
    let (_, out, _) = mqlab(&["why", "17-power-loss", "m10", "--lang", "zh"]);
    assert!(out.contains("为什么没有落盘（flushed）") && out.contains("恢复后没有它"), "{out}");
}

#[test]
fn the_command_tells_causes_and_effects_of_an_event() {
    let (code, out, _) = mqlab(&["why", "17-power-loss", "#31"]);
    assert_eq!(code, 0);
    assert!(out.contains("\nbecause\n") && out.contains("\nit led to\n"), "{out}");
    let (_, json, _) = mqlab(&["why", "17-power-loss", "#31", "--format", "json", "--depth", "3"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["causes"].as_array().unwrap().len(), 3);
    assert!(json["further"].as_u64().unwrap() > 0 && json["what"][0]["step"] == 31);
}

#[test]
fn what_cannot_be_asked_is_told_with_a_way_out() {
    for (arguments, told) in [
        (&["why", "17-power-loss", "#100000"][..], "its events are #0 to #"),
        (&["why", "17-power-loss", "order-77"], "m1 to m10"),
        (&["why", "17-power-loss", "m1", "--at", "soon"], "write `#31` or `12s`"),
        (&["why", "17-power-loss", "#3", "--not", "acked"], "ask about a message"),
    ] {
        let (code, out, talk) = mqlab(arguments);
        assert_eq!((code, out.as_str()), (4, ""), "{arguments:?}");
        assert!(talk.contains(told), "{arguments:?}: {talk}");
    }
}

/// The player on a scenario, in English, in 100 columns.
fn open(name: &str) -> App {
    let text = library::text(name).expect("in the library");
    let scenario = load(name, text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}"));
    let mut app = App::new(vec![scenario], Options { lang: Lang::En, color: false, unicode: false, mouse: false });
    app.open(0);
    app
}

fn press(app: &mut App, keys: &str) -> String {
    keys.chars().for_each(|key| app.press(if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) }));
    let buffer = render(app, 100, 30);
    let rows = (0..30).map(|y| (0..100).map(|x| buffer[(x, y)].symbol()).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn in_the_player_w_tells_why_and_enter_goes_there() {
    let mut app = open("17-power-loss");
    let nothing = press(&mut app, "w");
    assert!(nothing.contains("nothing has happened yet") && app.menu.is_none(), "{nothing}");
    let menu = press(&mut app, ":32\nw");
    assert!(menu.contains("Why?") && menu.contains("appends orders/0 #0 @571") && menu.contains("< #30"), "{menu}");
    assert!(menu.contains("> #33"), "the answer comes in: {menu}");
    let first_cause = app.menu.as_ref().unwrap().lines.iter().position(|line| line.starts_with('<')).unwrap();
    press(&mut app, &"j".repeat(first_cause));
    press(&mut app, "\n");
    assert_eq!(app.player.as_ref().unwrap().at, 31, "just behind #30");
}

#[test]
fn in_the_player_n_tells_what_the_message_waits_for() {
    let mut app = open("17-power-loss");
    let menu = press(&mut app, ":32\n:m4\n:32\nn");
    assert!(menu.contains("m4 order-4") && menu.contains("+ stored") && menu.contains("- flushed"), "{menu}");
    assert!(menu.contains("broker-a must act; FlushCommitLog fires at"), "{menu}");
    let place = app.menu.as_ref().unwrap().lines.iter().position(|line| line.contains("+ stored")).unwrap();
    press(&mut app, &"j".repeat(place));
    press(&mut app, "\n");
    assert_eq!(app.player.as_ref().unwrap().at, 32);
    for (columns, rows) in [(60, 16), (80, 24), (20, 5)] {
        press(&mut app, "n");
        render(&app, columns, rows);
        app.press(KeyCode::Esc);
    }
}
