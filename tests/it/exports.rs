//! A run in the languages of other tools: every scenario's export keeps the rules of its format.

use std::collections::{BTreeMap, BTreeSet};

use assert_cmd::Command;
use mqlab::lab::export::{dot, mermaid, perfetto, shiviz};
use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::Level;
use mqlab::lab::view::lines::Handles;
use mqlab::lab::view::moments::{self, Choice, Moments};
use mqlab::lab::view::spans;
use mqlab::mq::time::Time;
use serde_json::Value;

/// Scenarios with a fault of each family, a frame that is lost, batches, transactions, several brokers.
const SOME: [&str; 5] = ["01-first-message", "17-power-loss", "14-half-message", "24-master-dies", "33-reset-offset"];

fn trace(name: &str) -> Trace {
    let text = library::text(name).unwrap_or_else(|| panic!("{name}"));
    let plan = load(name, text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    Session::run(&plan, Level::Full).trace
}

fn chosen(trace: &Trace, only: &[&str]) -> Moments {
    let only = only.iter().map(|word| (*word).to_owned()).collect();
    let choice = Choice { only, ..Choice::default() };
    moments::of(trace, &Handles::of(trace), &choice, Lang::En).expect("the words are known")
}

fn end(trace: &Trace) -> Time {
    trace.records().last().expect("a run has records").at
}

fn mqlab(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn causes_lead_to_nearest_moments_and_arrivals_to_their_departures() {
    for name in SOME {
        let trace = trace(name);
        let moments = chosen(&trace, &[]);
        assert!(moments.all.len() > 20, "{name}");
        for (place, moment) in moments.all.iter().enumerate() {
            assert!(moment.cause.is_none_or(|cause| cause < place), "{name} #{}", moment.step);
            let Some(frame) = moment.frame.as_ref().filter(|frame| frame.comes_in) else { continue };
            let sent = &moments.all[moment.cause.expect("what comes in was sent")];
            let other = sent.frame.as_ref().expect("by a frame");
            assert_eq!(
                (other.label, sent.node, Some(other.peer)),
                (frame.label, Some(frame.peer), moment.node),
                "{name}"
            );
        }
    }
}

#[test]
fn a_sequence_diagram_has_only_statements_that_mermaid_knows() {
    for name in SOME {
        let trace = trace(name);
        let moments = chosen(&trace, &[]);
        let text = mermaid::of(&trace, &moments, true);
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("%% mqlab "));
        assert_eq!(lines.next(), Some("sequenceDiagram"));
        let lanes = trace.header.nodes.len();
        let lane = |id: &str| id.strip_prefix('n').and_then(|id| id.parse::<usize>().ok()).is_some_and(|id| id < lanes);
        for line in lines {
            let line = line.trim_start();
            if let Some((id, alias)) = line.strip_prefix("participant ").and_then(|rest| rest.split_once(" as ")) {
                assert!(lane(id) && !alias.is_empty(), "{line}");
                continue;
            }
            let (statement, told) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            let plain = told.split("#").skip(1).all(|part| {
                part.split_once(';')
                    .is_some_and(|(code, _)| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()))
            });
            assert!(plain && told.matches(';').count() == told.matches('#').count(), "{line}");
            let sides: Vec<&str> = match statement.strip_prefix("Note over ") {
                Some(over) => over.split(',').collect(),
                None => ["-->>", "->>", "--x", "-x"]
                    .iter()
                    .find_map(|arrow| statement.split_once(arrow))
                    .map(|(from, to)| vec![from, to])
                    .unwrap_or_else(|| panic!("{line}")),
            };
            assert!(sides.into_iter().all(lane), "{line}");
        }
        // One arrow a frame.
        let frames = moments.all.iter().enumerate().filter(|(place, one)| {
            one.frame.as_ref().is_some_and(|frame| frame.comes_in || !moments.arrived().contains(place))
        });
        let arrows =
            text.lines().filter(|line| !line.contains("Note over") && (line.contains(">>n") || line.contains("-xn")));
        assert_eq!(arrows.count(), frames.count(), "{name}");
    }
}

#[test]
fn a_frame_that_nobody_gets_ends_in_a_cross() {
    let trace = trace("24-master-dies");
    let text = mermaid::of(&trace, &chosen(&trace, &[]), false);
    assert!(text.contains("-x"), "a master dies with frames on their way to it");
    let calm = self::trace("01-first-message");
    let lost = mermaid::of(&calm, &chosen(&calm, &[]), false).lines().filter(|line| line.contains("-xn")).count();
    assert!(lost <= 2, "nothing is lost where nothing goes wrong, but a frame may be under way at the end: {lost}");
}

#[test]
fn a_timeline_closes_what_it_opens_and_every_arrow_has_two_ends() {
    for name in SOME {
        let trace = trace(name);
        let handles = Handles::of(&trace);
        let text = perfetto::of(&trace, &chosen(&trace, &[]), &spans::of(&trace, &handles, Lang::En), end(&trace));
        let file: Value = serde_json::from_str(&text).unwrap();
        let events = file["traceEvents"].as_array().unwrap();
        let named: BTreeSet<u64> =
            events.iter().filter(|one| one["name"] == "process_name").map(|one| one["pid"].as_u64().unwrap()).collect();
        let mut ends: BTreeMap<(String, u64), Vec<(String, f64)>> = BTreeMap::new();
        for event in events {
            let phase = event["ph"].as_str().unwrap();
            assert!(named.contains(&event["pid"].as_u64().unwrap()), "{event}");
            if phase == "M" {
                continue;
            }
            let ts = event["ts"].as_f64().unwrap();
            assert!(0.0 <= ts && ts <= end(&trace).0 as f64 / 1000.0, "{event}");
            if let "b" | "e" | "s" | "f" = phase {
                let id = (event["cat"].as_str().unwrap().to_owned(), event["id"].as_u64().unwrap());
                ends.entry(id).or_default().push((phase.to_owned(), ts));
            }
            assert!(matches!(phase, "b" | "e" | "s" | "f" | "i" | "X"), "{event}");
            assert_eq!(phase == "X", event["dur"].as_f64().is_some_and(|dur| 0.0 < dur), "{event}");
        }
        for (id, both) in &ends {
            let phases: Vec<&str> = both.iter().map(|(phase, _)| phase.as_str()).collect();
            assert!(phases == ["b", "e"] || phases == ["s", "f"], "{name} {id:?}: {both:?}");
            assert!(both[0].1 <= both[1].1, "{id:?}: {both:?}");
        }
        assert!(
            ends.keys().any(|(category, _)| category == "frame")
                && ends.keys().any(|(category, _)| category == "process")
        );
    }
}

#[test]
fn vector_clocks_count_each_host_s_own_events_and_know_no_others_ahead_of_time() {
    for name in SOME {
        let trace = trace(name);
        let moments = chosen(&trace, &[]);
        let text = shiviz::of(&moments);
        let mut lines = text.lines();
        assert_eq!((lines.next(), lines.next()), (Some(shiviz::EXPRESSION), Some("")));
        let mut own: BTreeMap<String, u64> = BTreeMap::new();
        let mut last: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let mut count = 0;
        while let Some(head) = lines.next() {
            let (host, clock) = head.split_once(' ').unwrap();
            let clock: BTreeMap<String, u64> =
                serde_json::from_str(clock).unwrap_or_else(|error| panic!("{head}: {error}"));
            assert!(lines.next().is_some_and(|event| event.starts_with('#')), "{head}");
            let mine = own.entry(host.to_owned()).or_default();
            *mine += 1;
            assert_eq!(clock[host], *mine, "{head}");
            assert!(clock.iter().all(|(other, known)| known <= own.get(other).unwrap_or(&0)), "{head}");
            let before = last.insert(host.to_owned(), clock.clone()).unwrap_or_default();
            assert!(before.iter().all(|(other, known)| known <= &clock[other]), "a host forgets nothing: {head}");
            count += 1;
        }
        assert_eq!(count, moments.all.len());
        // What a broker heard of a producer is in its clock.
        assert!(last.iter().any(|(_, clock)| 2 < clock.len()), "{name}");
    }
}

#[test]
fn a_graph_names_each_box_before_its_edges() {
    for name in SOME {
        let trace = trace(name);
        let moments = chosen(&trace, &[]);
        let text = dot::of(&trace, &moments);
        let edges: Vec<(&str, &str)> = text
            .lines()
            .filter_map(|line| line.trim().strip_suffix(';')?.split_once(" -> "))
            .filter(|(from, _)| from.starts_with('e') && !from.contains('['))
            .collect();
        let boxes: BTreeSet<&str> =
            text.lines().filter_map(|line| line.trim().split_once(" [label=")).map(|(id, _)| id).collect();
        assert_eq!(boxes.len(), moments.all.len());
        assert_eq!(edges.len(), moments.all.iter().filter(|moment| moment.cause.is_some()).count());
        assert!(edges.iter().all(|(from, to)| boxes.contains(from) && boxes.contains(to)));
        assert_eq!(text.matches('{').count(), text.matches('}').count(), "{name}");
    }
}

#[test]
fn a_choice_keeps_one_story_and_the_faults_and_says_how_much_it_left_out() {
    let trace = trace("17-power-loss");
    let all = chosen(&trace, &[]);
    let one = chosen(&trace, &["order-3"]);
    assert_eq!(one.all.len() + one.left_out, all.all.len());
    assert!(one.all.iter().any(|moment| moment.text.contains("order-3")));
    assert!(!one.all.iter().any(|moment| moment.text.contains("order-7")), "another message's trip");
    assert!(one.all.iter().any(|moment| moment.node.is_none()), "the power loss is everybody's");
    let node = chosen(&trace, &["broker-a"]);
    assert!(node.all.iter().all(|moment| moment.node.is_none_or(|node| trace.header.nodes[node].name == "broker-a")));
    assert!(
        mermaid::of(&trace, &one, false)
            .starts_with(&format!("%% mqlab 17-power-loss seed 2018 profile rocketmq-4.3.2; {} moments", one.left_out))
    );
    let topic = chosen(&trace, &[&Handles::of(&trace).messages[0].1.topic]);
    assert!(one.all.len() < topic.all.len() && topic.all.len() < all.all.len());
}

#[test]
fn the_page_holds_the_run_and_fetches_nothing() {
    let (code, page, _) = mqlab(&["export", "17-power-loss", "--to", "html"]);
    assert_eq!(code, 0);
    let (head, rest) = page.split_once(r#"<script type="application/json" id="run">"#).unwrap();
    let (data, script) = rest.split_once("</script>").unwrap();
    let run: Value = serde_json::from_str(data).unwrap();
    assert!(!page.contains("{{") && !data.contains('<'), "every place is filled, and no data ends an element");
    for outside in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!head.contains(outside) && !script.contains(outside), "{outside}");
    }
    let ids: BTreeSet<&str> =
        head.split("id=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(id, _)| id).collect();
    let asked = script.split("at(\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(id, _)| id);
    asked.for_each(|id| assert!(ids.contains(id), "the script asks for #{id}"));
    let trace = trace("17-power-loss");
    assert_eq!(run["moments"].as_array().unwrap().len(), chosen(&trace, &[]).all.len());
    assert_eq!(run["messages"].as_array().unwrap().len(), Handles::of(&trace).messages.len());
    let lost = run["findings"].as_array().unwrap().iter().find(|one| one["holds"] == false).unwrap();
    let witness = lost["witness"].as_array().unwrap();
    assert!(!witness.is_empty());
    let told: Vec<&str> = witness
        .iter()
        .map(|place| run["moments"][place.as_u64().unwrap() as usize]["kind"].as_str().unwrap())
        .collect();
    assert!(told.contains(&"sent-result"), "{told:?}");
    assert!(run["replay"].as_str().unwrap().starts_with("mqlab run 17-power-loss"));
}

#[test]
fn the_page_speaks_the_language_that_is_asked_for() {
    let (_, page, _) = mqlab(&["export", "01-first-message", "--to", "html", "--lang", "zh"]);
    assert!(page.contains(r#"<html lang="zh-CN">"#) && page.contains("为什么"));
    let (_, page, _) = mqlab(&["export", "01-first-message", "--to", "html", "--lang", "en"]);
    assert!(page.contains(r#"<html lang="en">"#) && !page.contains("为什么"));
}

#[test]
fn an_export_is_the_same_every_time() {
    for to in ["html", "mermaid", "perfetto", "shiviz", "jsonl", "dot"] {
        let once = mqlab(&["export", "01-first-message", "--to", to]);
        assert_eq!(once.0, 0, "{to}: {}", once.2);
        assert_eq!(once, mqlab(&["export", "01-first-message", "--to", to]), "{to}");
    }
}

#[test]
fn what_is_not_in_the_run_is_named_with_a_way_out() {
    let (code, out, talk) = mqlab(&["export", "01-first-message", "--to", "mermaid", "--only", "broker-aa"]);
    assert_eq!((code, out.as_str()), (4, ""));
    assert!(talk.contains("`broker-aa`") && talk.contains("did you mean `broker-a`?"), "{talk}");
    let (code, _, talk) = mqlab(&["export", "01-first-message", "--to", "jsonl", "--only", "m1"]);
    assert!(code == 4 && talk.contains("whole run"), "{talk}");
    let (code, _, talk) = mqlab(&["export", "01-first-message", "--to", "dot", "-o", "no/such/folder/x.dot"]);
    assert!(code == 4 && talk.contains("no/such/folder/x.dot"), "{talk}");
}

/// Graphviz reads the graph, where it is installed; where not, the test says so.
#[test]
fn graphviz_draws_the_graph() {
    let trace = trace("01-first-message");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.dot");
    std::fs::write(&file, dot::of(&trace, &chosen(&trace, &[]))).unwrap();
    match Command::new("dot").arg("-Tsvg").arg(&file).output() {
        Ok(output) => {
            assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr))
        }
        Err(error) => eprintln!("Graphviz is not installed, the graph was not drawn: {error}"),
    }
}

#[test]
fn the_page_has_the_views_as_they_are_shown_at_chosen_moments() {
    let (_, page, _) = mqlab(&["export", "17-power-loss", "--to", "html", "--lang", "en"]);
    let data = page.split_once(r#"id="run">"#).and_then(|(_, rest)| rest.split_once("</script>")).unwrap().0;
    let run: Value = serde_json::from_str(data).unwrap();
    let tabs: Vec<&str> = run["tabs"].as_array().unwrap().iter().map(|tab| tab.as_str().unwrap()).collect();
    assert_eq!(tabs, ["Messages", "Queues", "Storage", "Transactions", "Checks"]);
    let samples = run["samples"].as_array().unwrap();
    let step = |sample: &Value| sample["step"].as_u64().unwrap();
    assert!(samples.is_sorted_by_key(step) && step(&samples[0]) == 0);
    let trace = trace("17-power-loss");
    assert_eq!(step(samples.last().unwrap()), trace.steps());
    let outage = trace.records().iter().find(|record| record.what.kind() == "power-lost").unwrap().step;
    let text = |step: u64, view: usize| {
        let sample = samples.iter().find(|sample| sample["step"] == step).expect("faults are among the moments");
        run["texts"][sample["views"][view].as_u64().unwrap() as usize].as_str().unwrap()
    };
    let (before, behind) = (text(outage, 2), text(outage + 1, 2));
    assert!(before.contains("page cache") && behind.contains("the log holds no record"), "{before}\n{behind}");
    for view in 0..tabs.len() {
        let mut args = vec!["show", ["messages", "queues", "storage", "transactions", "checks"][view], "17-power-loss"];
        args.extend(["--lang", "en"]);
        if view == 1 {
            args.push("--view");
        }
        let (_, shown, _) = mqlab(&args);
        let (mine, shown) = (text(trace.steps(), view), shown.lines().next().unwrap().trim_end());
        assert_eq!(mine.lines().next().unwrap(), shown, "{}", tabs[view]);
    }
}
