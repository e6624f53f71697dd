//! `mqlab scenario import`: the course's own files, and files that do not go together.

use mqlab::lab::check;
use mqlab::lab::scenario::import::{Finding, import};
use mqlab::lab::scenario::load;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::Level;

const FILES: [(&str, &str); 4] = [
    ("broker-a.properties", include_str!("../golden/properties/broker-a.properties")),
    ("broker-b-s.properties", include_str!("../golden/properties/broker-b-s.properties")),
    ("broker-b.properties", include_str!("../golden/properties/broker-b.properties")),
    ("broker-a-s.properties", include_str!("../golden/properties/broker-a-s.properties")),
];

/// A slave whose master's name is misspelt.
const ORPHAN: &str = "brokerClusterName=rocketmq-cluster\nbrokerName=brokre-a\nbrokerId=1\nbrokerRole=SLAVE\n";

fn files(list: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    list.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

fn findings(list: &[(&str, &str)]) -> Vec<Finding> {
    import(&files(list)).unwrap_or_else(|error| panic!("{error}")).findings
}

/// Whether a finding about that key of that file says so.
fn says(findings: &[Finding], file: &str, key: &str, part: &str) -> bool {
    findings.iter().any(|one| one.file == file && one.key == key && one.consequence.en.contains(part))
}

#[test]
fn the_course_s_files_are_read_and_their_mistakes_named_by_file_and_line() {
    let found = findings(&FILES);
    let keys: Vec<(usize, &str)> = found
        .iter()
        .filter(|one| one.file == "broker-a.properties")
        .map(|one| (one.line.expect("each has its line"), one.key.as_str()))
        .collect();
    let expected = [
        (25, "mapedFileSizeConsumeQueue"),
        (29, "diskMaxUsedSpaceRatio"),
        (35, "storePathConsumeQueue"),
        (37, "storePathIndex"),
        (39, "storeCheckpoint"),
        (41, "abortFile"),
        (43, "maxMessageSize"),
    ];
    assert_eq!(keys, expected);
    // Each line is the one in the file on which the key stands.
    for finding in &found {
        let (_, text) = FILES.iter().find(|(name, _)| *name == finding.file).expect("a file of these");
        let line = text.lines().nth(finding.line.expect("a line") - 1).expect("it is there");
        assert!(line.starts_with(&finding.key), "{line}");
    }
    assert!(says(&found, "broker-a-s.properties", "storePathIndex", "/usr/local/rocketmq/store1/index"));
    assert!(found.iter().all(|one| !one.consequence.zh.is_empty()));
}

#[test]
fn what_is_written_is_a_scenario_that_takes_the_files_unchanged() {
    let scenario = import(&files(&FILES)).expect("read").scenario;
    for (name, text) in FILES {
        assert!(scenario.contains(text), "{name} stands there as it is");
    }
    assert!(scenario.contains("nameserver = 2"));
    let shown =
        load("imported.toml", scenario.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"));
    let result = Session::run(&shown.plan, Level::History);
    assert!(check::run(&result.trace, &shown.plan).iter().all(|finding| finding.is_as_expected()));
    // A slave of nobody is one in the laboratory, too: it registers, and replicates nothing.
    let orphan = FILES.map(|(name, text)| (name, if name == "broker-a-s.properties" { ORPHAN } else { text }));
    let written = import(&files(&orphan)).expect("read").scenario;
    load("imported.toml", written.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"));
    // A text that a literal cannot hold is escaped, and reads the same.
    let odd = "brokerName=a'''b\r\nx=\u{1}\n";
    let written = import(&files(&[("odd.properties", odd)])).expect("read").scenario;
    let table: toml::Table = toml::from_str(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(table["broker"][0]["properties"].as_str(), Some(odd));
    load("imported.toml", written.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn files_that_do_not_go_together_are_told_with_what_comes_of_it() {
    let master = "brokerName=a\nbrokerRole=SYNC_MASTER\nnamesrvAddr=10.0.1.1:9876;10.0.1.2:9876\nbrokerIP1=10.0.0.1\n";
    let slave =
        "brokerName=a\nbrokerId=1\nbrokerRole=SLAVE\nnamesrvAddr=10.0.1.2:9876;10.0.1.1:9876\nbrokerIP1=10.0.0.2\n";
    assert_eq!(findings(&[("m", master), ("s", slave)]), [], "nothing is wrong with these two");
    let cases = [
        ("brokerName", slave.replace("brokerName=a", "brokerName=aa"), "replicates nothing"),
        ("brokerClusterName", format!("{slave}brokerClusterName=Other\n"), "not the cluster of its master"),
        ("mapedFileSizeCommitLog", format!("{slave}mapedFileSizeCommitLog=65536\n"), "copying stops"),
        ("namesrvAddr", slave.replace("10.0.1.2:9876;", ""), "do not see the other"),
        ("listenPort", slave.replace("10.0.0.2", "10.0.0.1") + "listenPort=10912\n", "cannot listen"),
        ("storePathRootDir", slave.replace("10.0.0.2", "10.0.0.1") + "listenPort=10921\n", "already started"),
        (
            "storePathCommitLog",
            slave.replace("10.0.0.2", "10.0.0.1") + "listenPort=10921\nstorePathRootDir=/store1\n",
            "both logs are lost",
        ),
        ("flushDiskType", format!("{slave}flushDiskType=SYNC_FLUSH\n"), "flushed in the background"),
        ("brokerNam", format!("{slave}brokerNam=b\n"), "did you mean `brokerName`?"),
    ];
    for (key, text, part) in &cases {
        let found = findings(&[("m", master), ("s", text)]);
        assert!(says(&found, "s", key, part), "{key}: {found:#?}");
    }
    assert!(says(&findings(&[("m", master)]), "m", "brokerRole", "SLAVE_NOT_AVAILABLE"));
    assert!(says(&findings(&[("m", master), ("n", master)]), "n", "brokerName", "whoever registers last"));
    let numbered = findings(&[("m", "brokerId=3\n")]);
    assert!(says(&numbered, "m", "brokerId", "a master's id is 0"));
    let twice = findings(&[("m", master), ("s", slave), ("t", slave)]);
    assert!(says(&twice, "t", "brokerId", "s is a 1, too"), "{twice:#?}");
}

#[test]
fn what_upstream_refuses_is_refused_by_name() {
    let refuse = |text: &str| import(&files(&[("broker.conf", text)])).expect_err("refused");
    assert!(refuse("brokerRole=SLAVE\n").starts_with("broker.conf: Slave's brokerId must be > 0"));
    assert_eq!(refuse("a=1\nb=\\u00zz\n"), "broker.conf: line 2: Malformed \\uxxxx encoding.");
}
