//! A part as a file: JSON with a format number and a sum over the rest.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lab::explore::hunt::shard::{Part, file_name};
use crate::lab::locale::Phrase;

/// The format's version.
pub const FORMAT: u64 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    format: u64,
    /// Over the part as JSON without spaces.
    sum: String,
    part: Part,
}

/// The file's text.
pub fn text(part: &Part) -> String {
    let file = File { format: FORMAT, sum: sum(part), part: part.clone() };
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}

fn sum(part: &Part) -> String {
    let bytes = serde_json::to_vec(part).unwrap_or_default();
    blake3::hash(&bytes).to_hex()[..32].to_owned()
}

/// Reads a file. Errors: what is wrong with it, and the way out.
pub fn read(bytes: &[u8]) -> Result<Part, Phrase> {
    let again = |en: String, zh: String| Phrase {
        en: format!("{en}\n  help: remove it and run that part of the hunt again"),
        zh: format!("{zh}\n  帮助：删除该文件，并重新运行这一分片"),
    };
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match error.is_eof() {
            true => again(
                format!("it is cut off at line {line}, column {column}"),
                format!("文件在第 {line} 行第 {column} 列处中断"),
            ),
            false => again(
                format!("it is no JSON from line {line}, column {column} on"),
                format!("自第 {line} 行第 {column} 列起不是 JSON"),
            ),
        }
    })?;
    let Some(format) = value.get("format").and_then(Value::as_u64) else {
        return Err(again("it is no part of a hunt".into(), "它不是一次搜索的分片".into()));
    };
    if format != FORMAT {
        return Err(Phrase {
            en: format!(
                "its format is {format}, this build reads {FORMAT}\n  help: merge with the build that wrote it"
            ),
            zh: format!("其格式为 {format}，本程序只读 {FORMAT}\n  帮助：请用写出它的那个版本合并"),
        });
    }
    // Once more from the text, which knows the line.
    let file: File = serde_json::from_slice(bytes).map_err(|error| {
        again(format!("what stands there is not what a part holds: {error}"), format!("内容与分片格式不符：{error}"))
    })?;
    let part = file.part;
    if file.sum != sum(&part) {
        return Err(again(
            "its sum does not fit what it holds: it was changed or damaged".into(),
            "校验和与内容不符：文件被改动或损坏".into(),
        ));
    }
    let (from, to) = part.errand.seeds;
    let most = || (part.block().end - part.block().start).div_ceil(part.errand.row());
    let is_sound = part.index < part.count && from <= to && part.tally.seeds <= most();
    match is_sound {
        true => Ok(part),
        false => {
            let name = file_name(part.index, part.count);
            Err(again(format!("no hunt writes such a {name}"), format!("搜索不会写出这样的 {name}")))
        }
    }
}
