//! The README's console block is what the binary prints.

use assert_cmd::Command;

#[test]
fn the_recorded_run_is_the_run() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let block = readme.split("$ mqlab run 17-power-loss --quiet\n").nth(1).expect("the block is there");
    let block = block.split("```").next().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab"))
        .args(["run", "17-power-loss", "--quiet", "--lang", "en"])
        .env("NO_COLOR", "1")
        .env_remove("MQLAB_SEED")
        .output()
        .unwrap();
    // How long it took in reality is nobody's promise.
    let timeless = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(" virtual, ").next().unwrap_or(line).trim_end().to_owned()).collect()
    };
    assert_eq!(timeless(block), timeless(&String::from_utf8(output.stdout).unwrap()));
}
