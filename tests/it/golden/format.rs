//! Rows of texts: file names, times, checksums, bytes and numbers.

use mqlab::mq::message::{id, java, record};
use mqlab::mq::node::Addr;
use mqlab::mq::store::mapped_file::offset_to_file_name;
use mqlab::mq::time::{Calendar, Millis};
use serde_json::{Value, json};

use super::{Answer, same, unhex};

/// Functions of the release that nothing here asks for.
const NOT_HERE: &[&str] = &["parseDate", "humanReadableByteCount", "ipCheck", "isInternalIP"];

/// Why a row is passed over.
pub(super) fn waits(input: &Value) -> Option<String> {
    let function = input["function"].as_str()?;
    let is_new_york = input["timeZone"] == "America/New_York";
    match function {
        _ if NOT_HERE.contains(&function) => Some(format!("nothing here asks for `{function}`")),
        _ if is_new_york => Some("a zone here is a distance from UTC, without summer time".to_owned()),
        _ => None,
    }
}

pub(super) fn util_format(input: &Value, expected: &Value) -> Answer {
    let got = match input["function"].as_str()? {
        "offset2FileName" => json!(offset_to_file_name(input["number"].as_i64()?)),
        "timeMillisToHumanString" => json!(calendar(input)?.human_string()),
        "timeMillisToHumanString2" => json!(written(input, "yyyy-MM-dd HH:mm:ss,SSS")?),
        "timeMillisToHumanString3" => json!(written(input, "yyyyMMddHHmmss")?),
        "formatDate" => json!(written(input, input["text"].as_str()?)?),
        "crc32" => json!(record::body_crc(&unhex(input["hex"].as_str().unwrap_or("")))),
        "string2bytes" => match input["text"].as_str()? {
            // Upstream's null.
            "" => Value::Null,
            text => json!(hex(&id::pairs(text).collect::<Vec<_>>()).to_lowercase()),
        },
        "isBlank" => json!(input["text"].as_str().is_none_or(java::is_blank)),
        "bytes2string" => json!(hex(&unhex(input["hex"].as_str()?))),
        "ipToIPv4Str" => {
            let bytes: [u8; 4] = unhex(input["hex"].as_str()?).try_into().ok()?;
            let text = Addr { ip: u32::from_be_bytes(bytes), port: 0 }.to_string();
            json!(text.trim_end_matches(":0"))
        }
        "asInt default -9" => json!(java::parse_int(input["text"].as_str()?).unwrap_or(-9)),
        "asLong default -9" => json!(java::parse_long(input["text"].as_str()?).unwrap_or(-9)),
        _ => return None,
    };
    same(&got, &expected["value"])
}

/// Ids are 16 bytes: other lengths in pieces, the last one filled up.
fn hex(bytes: &[u8]) -> String {
    let piece = |bytes: &[u8]| {
        let mut whole = [0; 16];
        whole[..bytes.len()].copy_from_slice(bytes);
        id::hex(&whole)[..2 * bytes.len()].to_owned()
    };
    bytes.chunks(16).map(piece).collect()
}

fn calendar(input: &Value) -> Option<Calendar> {
    let hours = match input["timeZone"].as_str()? {
        "UTC" => 0,
        "Asia/Shanghai" => 8,
        _ => return None,
    };
    Some(Calendar::of(Millis(input["number"].as_i64()?), hours * 3_600_000))
}

/// A moment in a pattern of `SimpleDateFormat`.
fn written(input: &Value, pattern: &str) -> Option<String> {
    let Calendar { year, month, day, hour, minute, second, milli } = calendar(input)?;
    let fields = [
        ("yyyy", format!("{year:04}")),
        ("MM", format!("{month:02}")),
        ("dd", format!("{day:02}")),
        ("HH", format!("{hour:02}")),
        ("mm", format!("{minute:02}")),
        ("ss", format!("{second:02}")),
        ("SSS", format!("{milli:03}")),
    ];
    Some(fields.into_iter().fold(pattern.to_owned(), |text, (letters, value)| text.replace(letters, &value)))
}
