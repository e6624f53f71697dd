//! Opening a lesson: in the player where there is somebody to look, as text anywhere else; then what to do next.

use std::process::ExitCode;

use anyhow::Result;

use super::{Desk, How};
use crate::lab::cli::load;
use crate::lab::learn::progress::Stage;
use crate::lab::locale::learning as say;
use crate::lab::scenario::Scenario;
use crate::lab::scenario::places::Pattern;
use crate::lab::tui::home::Choice;
use crate::lab::view::width;

/// Columns of a text.
const COLUMNS: usize = 100;

/// Opens a lesson.
pub(super) fn lesson(mut desk: Desk, id: &'static str, how: How) -> Result<ExitCode> {
    let scenario = match super::scenario(id) {
        Ok(scenario) => scenario,
        Err(refusal) => return load::answer(Err(refusal)),
    };
    desk.progress.at(id);
    desk.progress.touring = how.tour;
    desk.keep();
    let look = desk.look;
    if how.plain {
        let seen = load::study(scenario.clone(), look)?;
        if let Some(looked) = seen.all().get(id) {
            desk.progress.saw(id, &looked.steps, &looked.answers, looked.ended);
        }
        desk.keep();
        load::say(&task(&desk, &scenario))?;
    } else if !look.no_input && load::is_terminal() {
        let choice = if how.tour { Choice::Tour } else { Choice::Open(id.to_owned()) };
        load::teach(Some(choice), look)?;
        // It was written down meanwhile, and perhaps another lesson is the last one now.
        if let Ok(after) = super::desk(look)
            && let Some(last) = after.progress.last.clone()
            && let Ok(scenario) = super::scenario(&last)
        {
            load::say(&task(&after, &scenario))?;
        }
    } else {
        load::say(&format!("{}{}", head(&desk, &scenario), task(&desk, &scenario)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a lesson is called and asks.
fn head(desk: &Desk, scenario: &Scenario) -> String {
    let lang = desk.lang();
    let title = scenario.lesson.title.text(lang);
    format!("{}  {title}\n{}\n", scenario.plan.scenario, scenario.lesson.question.text(lang))
}

/// The exercise, and what to type for it.
pub(super) fn task(desk: &Desk, scenario: &Scenario) -> String {
    let id = scenario.plan.scenario.as_str();
    let Some(exercise) = &scenario.lesson.exercise else {
        let open = format!("mqlab run {id}");
        return desk.line(say::NO_EXERCISE, &[]) + &desk.goes_on(&open);
    };
    if desk.progress.stage(id) == Stage::Passed {
        return desk.after();
    }
    let paths: Vec<String> = exercise.editable.iter().map(Pattern::to_string).collect();
    let goal = desk.line(say::GOAL, &[("goal", exercise.goal.text(desk.lang()))]);
    let editable = desk.line(say::EDITABLE, &[("paths", &paths.join(", "))]);
    let text: Vec<String> = [goal, editable].iter().flat_map(|text| width::wrap(text.trim_end(), COLUMNS)).collect();
    format!("{}\n{}", text.join("\n"), desk.goes_on(&format!("mqlab learn edit {id}")))
}
