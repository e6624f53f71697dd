//! Where broadcasting consumers have got to, as their hosts' offset files say.

use std::collections::BTreeMap;

use crate::lab::oracle::Files;
use crate::lab::oracle::json::Json;

/// The next offset by topic, broker and queue.
pub type LocalOffsets = BTreeMap<(String, String, i64), i64>;

/// What the offset file of a group says on this host, or the one before it if that is missing or cannot be read.
pub fn read(files: &dyn Files, group: &str) -> LocalOffsets {
    let end = format!("/{group}/offsets.json");
    let listed = files.list();
    for suffix in ["", ".bak"] {
        let wanted = format!("{end}{suffix}");
        let found = listed.iter().find(|(path, _)| path.starts_with(".rocketmq_offsets/") && path.ends_with(&wanted));
        if let Some((path, len)) = found
            && let Ok(json) = Json::parse(&files.read(path, 0, *len as usize))
        {
            return offsets_in(&json);
        }
    }
    LocalOffsets::new()
}

fn offsets_in(json: &Json) -> LocalOffsets {
    let table = json.get("offsetTable").map(Json::members).unwrap_or_default();
    let one = |(name, offset): &(String, Json)| {
        let queue = Json::parse(name.as_bytes()).ok()?;
        let text = |field: &str| Some(queue.get(field)?.text()?.to_owned());
        Some(((text("topic")?, text("brokerName")?, queue.get("queueId")?.int()?), offset.int()?))
    };
    table.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_objects_for_names_is_read() {
        let text = "{\n\t\"offsetTable\":{{\n\t\t\t\"brokerName\":\"b\",\n\t\t\t\"queueId\":1,\n\t\t\t\"topic\":\"T\"\n\t\t}:5\n\t}\n}";
        let offsets = offsets_in(&Json::parse(text.as_bytes()).expect("it is fastjson's"));
        assert_eq!(offsets, LocalOffsets::from([(("T".to_owned(), "b".to_owned(), 1), 5)]));
    }
}
