//! `mqlab show topics|cluster|progress|queues`: the columns of RocketMQ's own tools, at any moment of a run.

use assert_cmd::Command;
use serde_json::Value;

fn show(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("mqlab").unwrap();
    let output = command.env_remove("MQLAB_SEED").arg("show").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The columns of each line behind the first.
fn rows(text: &str) -> Vec<Vec<String>> {
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    text.lines().skip(1).map(columns).collect()
}

#[test]
fn the_heads_are_those_of_the_tools() {
    let heads = [
        (
            vec!["topics"],
            "#Cluster Name         #Topic                                            #Consumer Group                                 ",
        ),
        (
            vec!["cluster"],
            "#Cluster Name     #Broker Name            #BID  #Addr                  #Version                #InTPS(LOAD)       #OutTPS(LOAD) #PCWait(ms) #Hour #SPACE",
        ),
        (
            vec!["progress"],
            "#Group                            #Count  #Version                 #Type  #Model          #TPS     #Diff Total",
        ),
        (
            vec!["progress", "-g", "billing"],
            "#Topic                            #Broker Name                      #QID  #Broker Offset        #Consumer Offset      #Client IP           #Diff                 #LastTime",
        ),
    ];
    for (args, head) in heads {
        let (code, text, _) = show(&[&args[..], &["08-first-offset"]].concat());
        assert_eq!((code, text.lines().next().unwrap()), (0, head));
    }
    let (_, text, _) = show(&["queues", "08-first-offset"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "orders");
    assert_eq!(
        lines[1],
        "#Broker Name                      #QID  #Min Offset           #Max Offset             #Last Updated"
    );
    assert_eq!(
        lines[2],
        "broker-old                        0     0                     135                     2018-11-10 16:01:32,801"
    );
    assert_eq!(
        lines[3],
        "broker-young                      0     0                     130                     2018-11-10 16:00:17,901"
    );
}

#[test]
fn lag_is_what_the_broker_has_and_the_group_has_not_reported() {
    let early = rows(&show(&["progress", "08-first-offset", "--at", "47s"]).1);
    // audit has consumed everything; what it has not reported yet is its lag. billing's first report is still to come.
    assert_eq!(early[0][..5], ["audit", "1", "V4_3_2", "PUSH", "CLUSTERING"]);
    let late = rows(&show(&["progress", "08-first-offset", "--at", "85s"]).1);
    let diff = |rows: &[Vec<String>], group: &str| {
        let row = rows.iter().find(|row| row[0] == group).unwrap_or_else(|| panic!("{group} in {rows:?}"));
        row.last().unwrap().parse::<i64>().unwrap()
    };
    assert_eq!((diff(&late, "audit"), diff(&late, "billing"), diff(&late, "reports")), (0, 0, 0));
    // A broadcasting group has no place at any broker.
    let screens = late.iter().find(|row| row[0] == "screens").unwrap();
    assert_eq!(screens[1..], ["1", "V4_3_2", "PUSH", "BROADCASTING", "0", "0"]);
    // While billing is dead it is behind by what came meanwhile, and nobody is in it.
    let dead = ["progress", "08-first-offset", "--at", "96s", "--set", "fault.billing-dies.at=90s"];
    let dead = rows(&show(&dead).1);
    let billing = dead.iter().find(|row| row[0] == "billing").unwrap();
    assert_eq!(billing[1..], ["0", "OFFLINE", "0", "5"], "{billing:?}");
}

#[test]
fn a_group_queue_by_queue_and_as_json() {
    let (_, text, _) = show(&["progress", "-g", "audit", "--at", "80s", "08-first-offset"]);
    assert!(text.ends_with("\n\nConsume TPS: 0.0\nDiff Total: 0\n"), "{text}");
    let rows = rows(&text);
    assert_eq!(rows[0][..7], ["%RETRY%audit", "broker-old", "0", "0", "0", "N/A", "0"]);
    let old = rows.iter().find(|row| row[..2] == ["orders", "broker-old"]).unwrap();
    assert_eq!(old[2..7], ["0", "130", "130", "N/A", "0"]);
    let (_, json, _) = show(&["progress", "-g", "audit", "--at", "80s", "--format", "json", "08-first-offset"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let queues = json["queues"].as_array().unwrap();
    let old = queues.iter().find(|row| row["topic"] == "orders" && row["broker"] == "broker-old").unwrap();
    assert_eq!((old["broker_offset"].as_i64(), old["diff"].as_i64()), (Some(130), Some(0)));
    for view in ["topics", "cluster", "progress", "queues"] {
        let (code, json, _) = show(&[view, "--format", "json", "01-first-message"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert!(code == 0 && json.as_object().unwrap().values().all(|rows| !rows.as_array().unwrap().is_empty()));
    }
}

#[test]
fn looking_changes_nothing_and_a_dead_broker_says_nothing() {
    let alive = rows(&show(&["cluster", "01-first-message", "--at", "5s"]).1);
    assert_eq!(alive[0][..5], ["DefaultCluster", "broker-a", "0", "10.0.2.1:10911", "V4_3_2"]);
    // No file of the log is as long as the release looks: the hours are those since 1970.
    assert_eq!(alive[0][alive[0].len() - 2].split('.').next().unwrap(), "428296");
    // The map still names a broker that lost its power.
    let dead = rows(&show(&["cluster", "17-power-loss", "--at", "5s"]).1);
    assert_eq!(dead[0][..5], ["DefaultCluster", "broker-a", "0", "10.0.2.1:10911", "0.00(,ms)"]);
    let twice = show(&["queues", "17-power-loss", "--at", "9s"]);
    assert_eq!(twice, show(&["queues", "17-power-loss", "--at", "9s"]));
}

#[test]
fn a_message_is_found_by_its_key_its_ids_and_not_before_it_is_there() {
    let (code, text, _) = show(&["message", "--key", "order-3", "01-first-message"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((code, lines.len()), (0, 2), "{text}");
    assert_eq!(lines[0], format!("{:<50} {:>4} {:>40}", "#Message ID", "#QID", "#Offset"));
    let unique = lines[1].split(' ').next().unwrap();
    let (_, text, _) = show(&["message", "--unique-key", unique, "-t", "orders", "01-first-message"]);
    assert!(text.starts_with("Topic:               orders\n"), "{text}");
    assert!(text.contains("\nKeys:                [order-3]\n"), "{text}");
    let (_, json, _) = show(&["message", "--key", "order-3", "--format", "json", "01-first-message"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let row = &json["messages"][0];
    assert_eq!((row["message_id"].as_str(), row["topic"].as_str()), (Some(unique), Some("orders")));
    let place = row["offset_id"].as_str().unwrap();
    let (_, text, _) = show(&["message", "--id", place, "01-first-message"]);
    let id = format!("OffsetID:            {place}");
    assert_eq!(text.lines().take(2).collect::<Vec<_>>(), [&id, &id]);
    for wrong in [["--key", "order-77"], ["--unique-key", place], ["--id", unique]] {
        let (code, _, talk) = show(&["message", wrong[0], wrong[1], "01-first-message"]);
        assert!(code == 4 && talk.contains(&format!("no message `{}` at this moment", wrong[1])), "{talk}");
    }
    let (code, _, _) = show(&["message", "--key", "order-3", "--at", "1s", "01-first-message"]);
    assert_eq!(code, 4);
    let (code, _, talk) = show(&["message", "01-first-message"]);
    assert!(code != 0 && talk.contains("--key"), "{talk}");
}

#[test]
fn rates_are_those_of_the_last_ten_seconds_and_of_the_last_minute() {
    // Two orders a second from 5 s to 15 s.
    let rates = |at: &str| {
        let row = rows(&show(&["cluster", "33-reset-offset", "--at", at]).1).remove(0);
        let rate = |column: usize| row[column].split('(').next().unwrap().parse::<f64>().unwrap();
        (rate(5), rate(6))
    };
    let (taken, given) = rates("15s");
    assert!((1.8..=2.0).contains(&taken) && (1.8..=2.0).contains(&given), "{taken} {given}");
    assert_eq!(rates("9s"), (0.0, 0.0), "there are not ten samples yet");
    let (late, _) = rates("34s");
    assert_eq!(late, 0.0);
    let tps = |at: &str| {
        let text = show(&["progress", "-g", "billing", "--at", at, "33-reset-offset"]).1;
        let line = text.lines().find_map(|line| line.strip_prefix("Consume TPS: ")).unwrap().to_owned();
        line.parse::<f64>().unwrap()
    };
    let busy = tps("21s");
    assert!(0.5 < busy && busy <= 2.0, "{busy}");
    let calm = tps("39s");
    assert!(0.0 < calm && calm < busy, "{calm}");
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let (code, _, talk) = show(&["progress", "-g", "bilin", "33-reset-offset"]);
    assert_eq!(code, 4);
    assert!(talk.contains("no group `bilin` at this moment") && talk.contains("groups: billing"), "{talk}");
    let (code, _, talk) = show(&["queues", "--at", "soon", "33-reset-offset"]);
    assert_eq!(code, 4);
    assert!(talk.contains("`soon` is no time of a run") && talk.contains("--at 12s"), "{talk}");
}
