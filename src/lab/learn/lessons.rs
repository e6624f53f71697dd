//! The lessons in teaching order, and how they are found by what a person types.

use crate::lab::fault::moment::nearest;
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::report::Report;
use crate::lab::scenario::{Scenario, library, load};

/// Why no lesson is meant by what was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unclear {
    /// Several have that in their names.
    Several(Vec<&'static str>),
    /// None has; perhaps this one is meant.
    Unknown(Option<&'static str>),
}

/// The lesson that is meant: by name, by number, or by a part that one name alone has.
///
/// Errors: several are meant, or none.
pub fn find(asked: &str) -> Result<&'static str, Unclear> {
    let asked = asked.trim();
    let name = asked.strip_suffix(".toml").unwrap_or(asked);
    if let Some(found) = library::names().find(|own| *own == name) {
        return Ok(found);
    }
    if let Ok(wanted) = name.parse::<u32>() {
        return library::names().find(|own| number(own) == Some(wanted)).ok_or(Unclear::Unknown(None));
    }
    let part = name.to_lowercase();
    let having: Vec<&'static str> = library::names().filter(|own| !part.is_empty() && own.contains(&part)).collect();
    match having[..] {
        [one] => Ok(one),
        [] => Err(Unclear::Unknown(near(name))),
        _ => Err(Unclear::Several(having)),
    }
}

/// The lesson whose name, or its words without the number, is most like what was typed.
fn near(name: &str) -> Option<&'static str> {
    let words = |own: &'static str| own.split_once('-').map_or(own, |(_, words)| words);
    let found = nearest(name, library::names().chain(library::names().map(words)))?;
    library::names().find(|own| *own == found || words(own) == found)
}

/// A lesson's number: what its name begins with.
pub fn number(id: &str) -> Option<u32> {
    id.split('-').next()?.parse().ok()
}

/// A lesson's scenario; of several shapes the first that has the exercise.
///
/// Errors: it cannot be run, or there is no such lesson.
pub fn scenario(id: &str) -> Result<Scenario, Report> {
    of_text(&format!("{id}.toml"), library::text(id).unwrap_or_default())
}

/// The same of any file.
///
/// Errors: it cannot be run.
pub fn of_text(name: &str, text: &str) -> Result<Scenario, Report> {
    let first = load(name, text.as_bytes(), &Overrides::default())?;
    if first.lesson.exercise.is_some() {
        return Ok(first);
    }
    for variant in first.variants() {
        let other = first.in_variant(&variant.name)?;
        if other.lesson.exercise.is_some() {
            return Ok(other);
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::scenario::library::TOUR;

    #[test]
    fn lessons_are_found_by_name_number_and_part() {
        for asked in ["17-power-loss", "17", "power", "power-loss", "17-power-loss.toml", "POWER"] {
            assert_eq!(find(asked), Ok("17-power-loss"), "{asked}");
        }
        assert_eq!(find("1"), Ok("01-first-message"));
        assert!(matches!(find("three"), Err(Unclear::Several(all)) if all.len() == 3));
        assert_eq!(find("17-power-los"), Ok("17-power-loss"));
        assert_eq!(find("17-powerloss"), Err(Unclear::Unknown(Some("17-power-loss"))));
        assert_eq!(find("power-lass"), Err(Unclear::Unknown(Some("17-power-loss"))));
        assert_eq!(find("99"), Err(Unclear::Unknown(None)));
        assert!(find("").is_err() && find("zzzzzzzzzz") == Err(Unclear::Unknown(None)));
    }

    #[test]
    fn the_tour_goes_through_lessons_that_there_are() {
        assert!(TOUR.iter().all(|id| library::text(id).is_some()));
    }
}
