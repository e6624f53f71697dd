//! What can be taken out of a plan: one thing less at a time, and what is no scenario any more is passed over.

/// A way to make plans smaller.
pub trait Removals {
    /// Texts with something less, the boldest first. They need not be scenarios.
    fn smaller(&self, text: &str) -> Vec<String>;
}

/// Faults, clients, sends and brokers that go, counts that halve, settings that are left at their defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Removals for Plain {
    fn smaller(&self, text: &str) -> Vec<String> {
        let blocks = blocks(text);
        let mut all = Vec::new();
        let faults: Vec<usize> = (0..blocks.len()).filter(|at| blocks[*at].starts_with("[[fault]]")).collect();
        if faults.len() > 2 {
            let (first, second) = faults.split_at(faults.len() / 2);
            all.extend([without(&blocks, first), without(&blocks, second)]);
        }
        for heads in [
            &["[[fault]]", "[[operator]]", "[[operator."] as &[&str],
            &["[[producer]]", "[[consumer]]"],
            &["[[broker]]"],
            &["[[producer.send]]", "[[producer.on]]", "[[consumer.on]]"],
        ] {
            let meant = (0..blocks.len()).filter(|at| heads.iter().any(|head| blocks[*at].starts_with(head)));
            all.extend(meant.map(|at| without(&blocks, &with_parts(&blocks, at))));
        }
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            all.extend(less(line).into_iter().map(|less| replaced(&lines, at, less.as_deref())));
        }
        all
    }
}

/// A line made smaller, the boldest first; nothing to leave it out.
fn less(line: &str) -> Vec<Option<String>> {
    let Some((key, value)) = line.split_once(" = ") else { return Vec::new() };
    match key {
        "count" | "queues" | "nameserver" => {
            let Ok(count) = value.parse::<u64>() else { return Vec::new() };
            let halves = [count / 2, count.saturating_sub(1)];
            let mut smaller: Vec<u64> = halves.into_iter().filter(|less| 0 < *less && *less < count).collect();
            smaller.dedup();
            smaller.into_iter().map(|less| Some(format!("{key} = {less}"))).collect()
        }
        "size"
        | "delay_level"
        | "tag"
        | "batch"
        | "select"
        | "latency_fault"
        | "retry_another_broker"
        | "suspend"
        | "wait_store"
        | "timeout"
        | "retries"
        | "properties"
        | "role"
        | "model" => vec![None],
        _ => Vec::new(),
    }
}

fn replaced(lines: &[&str], at: usize, by: Option<&str>) -> String {
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some(line) = if number == at { by } else { Some(*line) } {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The text cut before each table.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            blocks.push(String::new());
        }
        blocks.last_mut().expect("one is there").push_str(line);
    }
    blocks
}

/// A block with those that belong to it: a producer's sends.
fn with_parts(blocks: &[String], at: usize) -> Vec<usize> {
    let head = blocks[at].split("]]").next().unwrap_or_default();
    let part = format!("{head}.");
    let parts = blocks[at + 1..].iter().take_while(|block| block.starts_with(&part)).count();
    (at..=at + parts).collect()
}

fn without(blocks: &[String], gone: &[usize]) -> String {
    blocks.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, block)| block.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "seed = 1\n\n[[producer]]\nname = \"p\"\n[[producer.send]]\ncount = 9\n\n[[producer]]\n\
                        name = \"q\"\n\n[[fault]]\nname = \"x\"\n";

    #[test]
    fn a_producer_goes_with_its_sends() {
        let all = Plain.smaller(TEXT);
        let alone = "seed = 1\n\n[[producer]]\nname = \"q\"\n\n[[fault]]\nname = \"x\"\n";
        assert!(all.iter().any(|text| text == alone), "{all:#?}");
    }

    #[test]
    fn faults_go_first_and_counts_halve_last() {
        let all = Plain.smaller(TEXT);
        assert!(!all[0].contains("[[fault]]"), "{}", all[0]);
        assert!(all[0].contains("count = 9"));
        assert!(all.iter().any(|text| text.contains("count = 4")));
        assert!(all.iter().all(|text| text.len() <= TEXT.len() && text != TEXT));
    }
}
