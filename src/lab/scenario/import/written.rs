//! The scenario that takes the files: their text unchanged, a topic, a shop and its billing to see them at work.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::File;

/// Writes it.
pub(super) fn scenario(files: &[File<'_>]) -> String {
    let mut out = String::from("# Made by `mqlab scenario import` of:");
    for file in files {
        let _ = write!(out, " {}", file.name.replace(char::is_control, "?"));
    }
    let registries: BTreeSet<&str> =
        files.iter().flat_map(|file| file.value("namesrvAddr", "").split(';')).map(str::trim).collect();
    let count = registries.iter().filter(|one| !one.is_empty()).count().clamp(1, 16);
    let _ = write!(
        out,
        "\nformat = 1\nid = \"imported\"\nuntil = \"60s\"\ntitle.en = \"Imported brokers\"\n\
         title.zh = \"导入的 Broker\"\nquestion.en = \"Do these files do what they say?\"\n\
         question.zh = \"这些配置真的如其所写吗？\"\n\n[cluster]\nnameserver = {count}\n"
    );
    // A master stands before its slaves.
    let (slaves, masters): (Vec<&File<'_>>, Vec<&File<'_>>) = files.iter().partition(|file| file.is_slave());
    let mut names = BTreeSet::new();
    for file in masters.into_iter().chain(slaves) {
        let stem = plain(file.broker_name());
        let stem = if file.is_slave() { format!("{stem}-s") } else { stem };
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let Some(name) = std::iter::once(stem.clone()).chain(numbered).find(|name| !names.contains(name)) else {
            continue;
        };
        let _ = write!(out, "\n[[broker]]\nname = \"{name}\"\n");
        let master = files.iter().find(|other| !other.is_slave() && other.broker_name() == file.broker_name());
        if file.is_slave() {
            let _ = match master {
                Some(master) => writeln!(out, "of = \"{}\"", plain(master.broker_name())),
                None => writeln!(out, "broker = \"{}\" # whose slave nobody is", plain(file.broker_name())),
            };
        }
        names.insert(name);
        let _ = writeln!(out, "properties = {}", quoted(&file.text));
    }
    out.push_str(
        "\n[[topic]]\nname = \"orders\"\nqueues = 4\n\n[[producer]]\nname = \"shop\"\ngroup = \"shop\"\nstart = \"5s\"\n\
         [[producer.send]]\ntopic = \"orders\"\nmode = \"sync\"\ncount = 20\nevery = \"1s\"\nkey = \"order-{n}\"\n\
         body = \"order {n}\"\n\n[[consumer]]\nname = \"billing-1\"\ngroup = \"billing\"\nsubscribe = { orders = \"*\" }\n\n\
         [[expect]]\nid = \"no-acked-loss\"\ncheck = \"no-acked-loss\"\noutcome = \"holds\"\n",
    );
    out
}

/// A name that a node may have.
fn plain(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    name.chars().take(56).map(legal).collect()
}

/// A text as TOML, unchanged; with escapes where it cannot stand as it is.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    match !text.contains("'''") && !text.ends_with('\'') && text.chars().all(is_plain) {
        true => format!("'''\n{text}'''"),
        false => toml::Value::String(text.to_owned()).to_string(),
    }
}
