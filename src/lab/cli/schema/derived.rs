//! Schemas that the reports' own types give.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{Known, list, number, object, text, whole};
use crate::lab::bench;
use crate::lab::cli::{hunt, inspect};
use crate::lab::view::{checks, cluster, messages, queues, storage, transactions};

/// What hunts and benchmarks print, and the six views.
pub(super) const REPORTS: [Known; 9] = [
    ("hunt", "mqlab hunt SCENARIO --format json", || of::<hunt::Whole<'_>>("A hunt")),
    ("bench", "mqlab bench --format json", || of::<bench::Report>("Benchmarks")),
    ("scenarios", "mqlab scenario list --format json", scenarios),
    ("cluster", "mqlab show cluster RUN --view --format json", || of::<cluster::Cluster>("The cluster")),
    ("messages", "mqlab show messages RUN --format json", || of::<messages::Messages>("The messages")),
    ("queues", "mqlab show queues RUN --view --format json", || of::<queues::Queues>("The queues")),
    ("storage", "mqlab show storage RUN --format json", || of::<storage::Storage>("The storage")),
    ("transactions", "mqlab show transactions RUN --format json", || {
        of::<transactions::Transactions>("The transactions")
    }),
    ("checks", "mqlab show checks RUN --format json", || of::<checks::Checks>("The checks")),
];

/// What `mqlab inspect` prints.
pub(super) const STORES: [Known; 5] = inspect::SCHEMAS;

/// The schema of a report as it is written, with everything in its place; a key that it does not name is none of it.
pub(in crate::lab::cli) fn of<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    close(&mut schema);
    whole(title, schema)
}

/// An object has the keys that its type has, and no others.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            // What a flattened part may hold has been taken into the whole.
            map.remove("unevaluatedProperties");
            map.values_mut().for_each(close);
        }
        Value::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}

/// `mqlab scenario list`.
fn scenarios() -> Value {
    let phrase = || object(&[("en", text()), ("zh", text())], &[]);
    let one = object(&[("name", text()), ("title", phrase()), ("question", phrase()), ("seed", number())], &[]);
    whole("The scenarios", json!(object(&[("scenarios", list(one))], &[])))
}
