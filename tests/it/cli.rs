//! The binary as a person or a script meets it: output, exit codes, error messages.

use assert_cmd::Command;
use serde_json::Value;

fn mqlab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    command.args(arguments);
    command
}

#[test]
fn a_benchmark_prints_its_figures_as_json() {
    let output = mqlab(&["bench", "ping", "--format", "json"]).output().unwrap();
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ping = &report["workloads"][0];
    assert_eq!(ping["name"], "ping");
    assert_eq!(ping["unit"], "packets");
    for field in ["per_s", "limit_per_s", "ratio", "events_per_s", "messages_per_s", "runs_per_s"] {
        assert!(ping[field].as_f64().is_some(), "{field}");
    }
    for field in ["events", "messages", "runs", "wall_ns", "virtual_ns", "peak_rss_bytes"] {
        assert!(ping[field].as_u64().is_some(), "{field}");
    }
    assert_eq!(ping["digest"].as_str().unwrap().len(), 32);
}

#[test]
fn a_misspelt_workload_is_answered_with_the_nearest_one() {
    let output = mqlab(&["bench", "pinng"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(talk.contains("did you mean `ping`"), "{talk}");
}

#[test]
fn without_a_command_there_is_help() {
    let output = mqlab(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("bench"));
}
