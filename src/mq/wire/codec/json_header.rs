//! The JSON header: fastjson's text of the command's bean.
//!
//! Keys are written in alphabetical order, nulls left out. Reading is as lax as fastjson: keys match without regard to
//! case, `-` and `_`, numbers may be texts, texts numbers; of two equal keys the last one counts.
//! Source: `RemotingSerializable.encode`, `decode`, fastjson 1.2.51's `JavaBeanDeserializer`.

use crate::mq::fastjson::Json;
use crate::mq::fastjson::cast::{self, folded, text};
use crate::mq::wire::codec::CodecError;
use crate::mq::wire::codec::raw::{ExtFields, Language, RawCommand, SerializeType};

/// Writes the header.
pub(super) fn encode(command: &RawCommand) -> String {
    let text = |text: &str| Json::Text(text.to_owned());
    let int = |number: i32| Json::Int(i64::from(number));
    let mut pairs = vec![(text("code"), int(command.code))];
    if let Some(fields) = &command.ext_fields {
        let fields = fields.iter().filter_map(|(name, value)| Some((text(name), text(value.as_ref()?))));
        pairs.push((text("extFields"), Json::Object(fields.collect())));
    }
    pairs.push((text("flag"), int(command.flag)));
    if let Some(language) = command.language {
        pairs.push((text("language"), text(language.as_str())));
    }
    pairs.push((text("opaque"), int(command.opaque.unwrap_or_default())));
    if let Some(remark) = &command.remark {
        pairs.push((text("remark"), text(remark)));
    }
    pairs.push((text("serializeTypeCurrentRPC"), text(command.serialize_type.as_str())));
    pairs.push((text("version"), int(command.version)));
    Json::Object(pairs).compact()
}

/// Reads the header. Bytes that are not UTF-8 become U+FFFD.
///
/// Errors: not JSON, not an object, or a field that does not become its type.
/// Differs: the field `body`, which a header may carry and nobody sends, is not looked at.
pub(super) fn decode(header: &[u8]) -> Result<RawCommand, CodecError> {
    let json = Json::parse(String::from_utf8_lossy(header).as_bytes())?;
    let Json::Object(pairs) = &json else { return Err(odd("header", &json, "an object")) };
    let mut command = RawCommand {
        code: 0,
        language: Some(Language::Java),
        version: 0,
        opaque: None,
        flag: 0,
        remark: None,
        ext_fields: None,
        body: None,
        serialize_type: SerializeType::Json,
    };
    for (key, value) in pairs {
        let Some(key) = key.as_str() else { continue };
        match folded(key).as_str() {
            "code" => set(&mut command.code, int("code", value)?),
            "flag" => set(&mut command.flag, int("flag", value)?),
            "version" => set(&mut command.version, int("version", value)?),
            "opaque" => set(&mut command.opaque, int("opaque", value)?.map(Some)),
            "remark" => command.remark = text(value),
            "language" => command.language = constant("language", value, &Language::ALL, Language::as_str)?,
            "extfields" => command.ext_fields = fields(value)?,
            // Read only so that what cannot be read fails; the type byte has decided.
            "serializetypecurrentrpc" => {
                let all = [SerializeType::Json, SerializeType::RocketMq];
                constant("serializeTypeCurrentRPC", value, &all, SerializeType::as_str)?;
            }
            _ => {}
        }
    }
    Ok(command)
}

/// A null leaves a number as it is.
fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn int(field: &'static str, value: &Json) -> Result<Option<i32>, CodecError> {
    cast::int(value).ok_or_else(|| odd(field, value, "a number of 32 bits"))
}

fn constant<T: Copy>(
    field: &'static str,
    value: &Json,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Option<T>, CodecError> {
    let names: Vec<&'static str> = all.iter().map(|one| name(*one)).collect();
    match cast::constant(value, &names) {
        Some(found) => Ok(found.and_then(|found| all.iter().copied().find(|one| name(*one) == found))),
        None => Err(odd(field, value, "a constant's name or number")),
    }
}

fn fields(value: &Json) -> Result<Option<ExtFields>, CodecError> {
    match value {
        Json::Null => Ok(None),
        Json::Object(pairs) => {
            Ok(Some(pairs.iter().filter_map(|(name, value)| Some((text(name)?, text(value)))).collect()))
        }
        _ => Err(odd("extFields", value, "an object")),
    }
}

fn odd(field: &'static str, value: &Json, wanted: &'static str) -> CodecError {
    CodecError::HeaderField { field, found: cast::shown(value), wanted }
}
