//! Which part of a hunt this process is: from the command line, or from the variables of what started it.

use crate::lab::cli::args::{HuntArgs, ShardArg};

/// Part `index`, from 0, of `count`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Which {
    pub(super) index: u64,
    pub(super) count: u64,
}

/// `--shard I/N` or `--shard auto`.
pub(in crate::lab::cli) fn shard(text: &str) -> Result<ShardArg, String> {
    if text == "auto" {
        return Ok(ShardArg::Auto);
    }
    let help = "write `0/8` for the first of eight, or `auto`";
    let (index, count) = text.split_once('/').ok_or_else(|| format!("`{text}` is no part; {help}"))?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| format!("`{text}` is no number; {help}"));
    let (index, count) = (number(index)?, number(count)?);
    if count <= index {
        let last = count.saturating_sub(1);
        return Err(format!("parts are counted from 0: the last of {count} is `{last}/{count}`; {help}"));
    }
    Ok(ShardArg::Part(index, count))
}

/// Which part is asked for; nothing if the hunt is not cut. Errors: a sentence with a way out.
pub(super) fn which(args: &HuntArgs, environment: &dyn Fn(&str) -> Option<String>) -> Result<Option<Which>, String> {
    match (args.shard, args.shards) {
        (None, None) => Ok(None),
        (Some(ShardArg::Part(index, count)), None) => Ok(Some(Which { index, count })),
        (Some(ShardArg::Part(index, count)), Some(shards)) if count == shards => Ok(Some(Which { index, count })),
        (Some(ShardArg::Part(_, count)), Some(shards)) => {
            Err(format!("`--shard` says {count} parts and `--shards` says {shards}\n  help: leave one of them out\n"))
        }
        (Some(ShardArg::Auto) | None, count) => started(count, environment).map(Some),
    }
}

/// The part that an engine's variables name.
fn started(count: Option<u64>, environment: &dyn Fn(&str) -> Option<String>) -> Result<Which, String> {
    const NAMES: [&str; 3] = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "PARALLEL_SEQ"];
    let number = |name: &str| match environment(name).map(|text| text.parse::<u64>().map_err(|_| text)) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(text)) => {
            Err(format!("{name} is `{text}`, which is no number\n  help: name the part, `--shard 0/8`\n"))
        }
    };
    let set: Vec<&str> = NAMES.into_iter().filter(|name| environment(name).is_some()).collect();
    let name = match set[..] {
        [name] => name,
        [] => {
            let names = NAMES.join(", ");
            return Err(format!("which part is this? None of {names} is set\n  help: name it, `--shard 0/8`\n"));
        }
        _ => {
            let names = set.join(" and ");
            return Err(format!("which part is this? {names} are set\n  help: name it, `--shard 0/8`\n"));
        }
    };
    let value = number(name)?.unwrap_or_default();
    let unknown = || format!("{name} does not say of how many\n  help: say it, `--shards 8`\n");
    let (index, count) = match (name, count) {
        ("JOB_COMPLETION_INDEX", count) => (value, count.ok_or_else(unknown)?),
        ("PARALLEL_SEQ", count) => {
            let index = value.checked_sub(1).ok_or("PARALLEL_SEQ counts from 1, and is 0\n  help: `--shard 0/8`\n")?;
            (index, count.ok_or_else(unknown)?)
        }
        // With a number of parts a task's number is its part's, so that single tasks can be run again.
        (_, Some(count)) => (value, count),
        (_, None) => {
            let (first, last) = (number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0), number("SLURM_ARRAY_TASK_MAX")?);
            let count = number("SLURM_ARRAY_TASK_COUNT")?.ok_or_else(unknown)?;
            if last.is_some_and(|last| last.checked_sub(first).map(|span| span + 1) != Some(count)) {
                return Err(format!(
                    "the array has gaps: {count} tasks from {first} to {}\n  help: say how many parts there are, \
                     `--shards 8`; a task's number is its part's then, from 0\n",
                    last.unwrap_or_default()
                ));
            }
            (value.saturating_sub(first), count)
        }
    };
    if count <= index {
        return Err(format!(
            "{name} is {value}: there is no such part among {count}\n  help: parts are counted from 0; PARALLEL_SEQ from 1\n"
        ));
    }
    Ok(Which { index, count })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::lab::cli::args::{Cli, Command};

    fn asked(line: &str, variables: &[(&str, &str)]) -> Result<Option<(u64, u64)>, String> {
        let Some(Command::Hunt(args)) = Cli::parse_from(line.split(' ')).command else { panic!("{line}") };
        let environment =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        which(&args, &environment).map(|which| which.map(|which| (which.index, which.count)))
    }

    #[test]
    fn each_engine_s_variables_name_the_part() {
        let slurm = |id: &'static str, count: &'static str, last: &'static str| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_MIN", "1"),
                ("SLURM_ARRAY_TASK_MAX", last),
            ]
        };
        assert_eq!(asked("mqlab hunt", &[("PARALLEL_SEQ", "3")]), Ok(None), "unasked, nothing is read");
        assert_eq!(asked("mqlab hunt --shard 2/8", &[("PARALLEL_SEQ", "1")]), Ok(Some((2, 8))));
        assert_eq!(asked("mqlab hunt --shards 8", &[("JOB_COMPLETION_INDEX", "7")]), Ok(Some((7, 8))));
        assert_eq!(asked("mqlab hunt --shards 8", &[("PARALLEL_SEQ", "8")]), Ok(Some((7, 8))));
        assert_eq!(asked("mqlab hunt --shard auto", &slurm("1", "4", "4")), Ok(Some((0, 4))));
        assert_eq!(asked("mqlab hunt --shard auto", &slurm("4", "4", "4")), Ok(Some((3, 4))));
        assert_eq!(asked("mqlab hunt --shards 8", &slurm("5", "1", "5")), Ok(Some((5, 8))), "one task run again");
    }

    #[test]
    fn what_does_not_name_a_part_is_told() {
        let wrong = |line: &str, variables: &[(&str, &str)], says: &str| {
            let text = asked(line, variables).unwrap_err();
            assert!(text.contains(says) && text.contains("help:"), "{text}");
        };
        let gaps = [
            ("SLURM_ARRAY_TASK_ID", "5"),
            ("SLURM_ARRAY_TASK_COUNT", "2"),
            ("SLURM_ARRAY_TASK_MIN", "3"),
            ("SLURM_ARRAY_TASK_MAX", "5"),
        ];
        wrong("mqlab hunt --shards 8", &[], "None of JOB_COMPLETION_INDEX");
        wrong("mqlab hunt --shard auto", &[("JOB_COMPLETION_INDEX", "1")], "of how many");
        wrong("mqlab hunt --shard auto", &gaps, "has gaps");
        wrong("mqlab hunt --shards 8", &[("PARALLEL_SEQ", "9")], "no such part");
        wrong("mqlab hunt --shards 8", &[("PARALLEL_SEQ", "0")], "counts from 1");
        wrong("mqlab hunt --shards 8", &[("PARALLEL_SEQ", "x")], "`x`");
        wrong("mqlab hunt --shards 8", &[("PARALLEL_SEQ", "1"), ("JOB_COMPLETION_INDEX", "1")], "are set");
        wrong("mqlab hunt --shard 1/4 --shards 8", &[], "says 4 parts");
        assert!(shard("8/8").unwrap_err().contains("`7/8`"));
        assert!(shard("three").is_err() && shard("1/x").is_err() && shard("0/0").is_err());
    }
}
