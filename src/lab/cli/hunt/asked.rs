//! What a command line asks to be hunted.

use std::ops::Range;
use std::time::Duration;

use crate::lab::cli::args::{HuntArgs, HuntLength, HuntShape, PlanArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, USAGE};
use crate::lab::explore::hunt::guide::CHOICE;
use crate::lab::explore::hunt::shard::{BUILD, Errand};
use crate::lab::explore::hunt::{Campaign, Ground};
use crate::lab::explore::swarm::shape::Shape;
use crate::lab::explore::swarm::{Bounds, Length, Regime, kinds};
use crate::lab::fault::moment::{self, nearest};
use crate::lab::scenario::Scenario;
use crate::lab::scenario::hunt::Draws;
use crate::mq::profile::Profile;
use crate::mq::time::Time;

/// What is hunted, as the hunt knows it and as it can be asked for again; or an exit code and why not.
pub(super) fn campaign(args: &HuntArgs, look: Look) -> Result<(Campaign, Errand), (u8, String)> {
    let scenario = load::scenario(&args.scenario, &PlanArgs::default(), look).map_err(|text| (INVALID, text))?;
    let profile = profile(&scenario, args.profile.as_deref())?;
    for verb in args.only.iter().chain(&args.without) {
        if !kinds::verbs().any(|known| known == verb) {
            let all: Vec<&str> = kinds::verbs().collect();
            let help = nearest(verb, kinds::verbs())
                .map_or_else(|| format!("there are: {}", all.join(", ")), |near| format!("did you mean `{near}`?"));
            return Err((USAGE, format!("a hunt draws no fault named `{verb}`\n  help: {help}\n")));
        }
    }
    let ground = ground(&scenario);
    if args.guided && ground != Ground::Drawn {
        let name = &args.scenario;
        let text = format!(
            "`{name}` is run as it is written: its seeds have no drafts to choose by\n  help: leave `--guided` out, or hunt in \
             `26-hunt`\n"
        );
        return Err((USAGE, text));
    }
    if args.shape.is_some() && ground != Ground::Drawn {
        let text = format!(
            "`{}` has the servers that are written in it\n  help: leave `--shape` out, or hunt in `26-hunt`\n",
            args.scenario
        );
        return Err((USAGE, text));
    }
    let shape = args.shape.map(|shape| match shape {
        HuntShape::Single => Shape::Single,
        HuntShape::Masters => Shape::Masters,
        HuntShape::PairsAsync => Shape::PairsAsync,
        HuntShape::PairsSync => Shape::PairsSync,
    });
    let regime = match (args.within, args.beyond) {
        (true, _) => Regime::Within,
        (_, true) => Regime::Beyond,
        _ => Regime::Mixed,
    };
    let length = match args.length {
        HuntLength::Standard => Length::Standard,
        HuntLength::Long => Length::Long,
    };
    let bounds = Bounds {
        regime,
        length,
        shape,
        only: args.only.iter().cloned().collect(),
        without: args.without.iter().cloned().collect(),
    };
    let seeds = match &args.seeds {
        Some(seeds) => seeds.clone(),
        None if args.length_of_time.is_some() => 0..u64::MAX,
        None => 0..1_000,
    };
    let errand = Errand {
        scenario: args.scenario.clone(),
        text: blake3::hash(scenario.origin.text.as_bytes()).to_hex()[..32].to_owned(),
        seeds: (seeds.start, seeds.end),
        profile: profile.clone(),
        asked: args.profile.clone(),
        regime,
        length,
        shape,
        only: args.only.clone(),
        without: args.without.clone(),
        guided: args.guided,
        build: BUILD.to_owned(),
    };
    Ok((Campaign { ground, bounds, profile, guided: args.guided.then_some(CHOICE) }, errand))
}

/// Where a scenario lets a hunt take place.
pub(in crate::lab::cli) fn ground(scenario: &Scenario) -> Ground {
    match scenario.draws {
        Draws::Everything => Ground::Drawn,
        Draws::Seed => Ground::Written { name: scenario.origin.name.clone(), text: scenario.origin.text.clone() },
    }
}

/// The profile of that name, or the scenario's own.
pub(in crate::lab::cli) fn profile(scenario: &Scenario, asked: Option<&str>) -> Result<String, (u8, String)> {
    let Some(name) = asked else { return Ok(scenario.plan.profile.name()) };
    if let Some(profile) = Profile::named(name) {
        return Ok(profile.name());
    }
    let known = ["rocketmq-4.3.2", "faithful", "hardened"];
    let help = nearest(name, known).map_or_else(|| known.join(", "), |near| format!("did you mean `{near}`?"));
    Err((USAGE, format!("no profile named `{name}`\n  help: {help}\n")))
}

/// Seeds `A..B`, or one.
pub(in crate::lab::cli) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| format!("`{text}` is no seed; write `0..10000`"));
    match text.split_once("..") {
        None => number(text).map(|seed| seed..seed.saturating_add(1)),
        Some((from, to)) => {
            let (from, to) = (number(from)?, number(to)?);
            if to <= from {
                return Err(format!("`{text}` holds no seed: the end is not among them; write `{from}..{}`", from + 1));
            }
            Ok(from..to)
        }
    }
}

/// A virtual time: `40s`.
pub(in crate::lab::cli) fn time(text: &str) -> Result<Time, String> {
    moment::span(text).map(|span| Time(span.0)).map_err(|error| error.message)
}

/// A span of real time: `5m`.
pub(in crate::lab::cli) fn span(text: &str) -> Result<Duration, String> {
    moment::span(text).map(|span| Duration::from_nanos(span.0)).map_err(|error| error.message)
}
