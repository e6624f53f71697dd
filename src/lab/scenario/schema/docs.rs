//! The sentences of the tables' keys: the ones that stand over the fields that read them.

/// The sources of every table of a scenario file.
const SOURCES: [&str; 9] = [
    include_str!("../script.rs"),
    include_str!("../exercise.rs"),
    include_str!("../fault.rs"),
    include_str!("../wrong.rs"),
    include_str!("../device.rs"),
    include_str!("../operator.rs"),
    include_str!("../puller.rs"),
    include_str!("../hunt.rs"),
    include_str!("../found.rs"),
];

/// A table as its source describes it.
struct Described {
    text: String,
    fields: Vec<(String, String)>,
}

/// What the sources say.
pub(super) struct Docs(Vec<Described>);

impl Docs {
    /// Reads the sources.
    pub(super) fn of_sources() -> Docs {
        Docs(SOURCES.iter().flat_map(|source| described(source)).collect())
    }

    /// A table is known by its keys.
    fn find(&self, names: &[&str]) -> Option<&Described> {
        let is = |one: &&Described| one.fields.iter().map(|(name, _)| name.as_str()).eq(names.iter().copied());
        self.0.iter().find(is)
    }

    /// What is said of a table.
    pub(super) fn table(&self, names: &[&str]) -> Option<&str> {
        self.find(names).map(|found| found.text.as_str())
    }

    /// What is said of a key of the table with those keys.
    pub(super) fn field(&self, names: &[&str], name: &str) -> Option<&str> {
        let fields = &self.find(names)?.fields;
        fields.iter().find(|(own, _)| own == name).map(|(_, text)| text.as_str()).filter(|text| !text.is_empty())
    }
}

fn described(source: &str) -> Vec<Described> {
    let mut all: Vec<Described> = Vec::new();
    let (mut text, mut renamed, mut kebab, mut open) = (String::new(), None, false, false);
    for line in source.lines().map(str::trim) {
        if let Some(more) = line.strip_prefix("///") {
            let gap = if text.is_empty() { "" } else { " " };
            text.push_str(gap);
            text.push_str(more.trim());
        } else if line.starts_with("#[serde(") {
            kebab |= line.contains("kebab-case");
            renamed = line.split_once("rename = \"").and_then(|(_, rest)| rest.split('"').next()).or(renamed);
        } else if line.starts_with("pub struct ") && line.ends_with('{') {
            all.push(Described { text: std::mem::take(&mut text), fields: Vec::new() });
            open = true;
        } else if open && line.starts_with("pub ") {
            let name = line.trim_start_matches("pub ").split(':').next().unwrap_or_default();
            let name = renamed.take().map_or_else(|| name.to_owned(), str::to_owned);
            let name = if kebab { name.replace('_', "-") } else { name };
            let text = std::mem::take(&mut text);
            all.last_mut().expect("a table is open").fields.push((name, text));
        } else if line == "}" {
            (open, kebab) = (false, false);
            text.clear();
        } else if !line.starts_with("#[") {
            text.clear();
        }
    }
    all
}
