//! The named policies of the persistence adversary: each chooses among what is at risk.

use std::cmp::Ordering;

use crate::lab::fault::disk::Personality;
use crate::lab::fault::episode::Keep;
use crate::lab::sim::disk::power::{AtRisk, ContentFate, PageAtRisk, PageFate, SECTOR, SECTORS, Survivors};
use crate::lab::trace::image::PAGE;

/// Draws a number below its argument.
pub(super) type Draw<'a> = &'a mut dyn FnMut(u64) -> u64;

/// What survives under a policy.
pub(super) fn survivors(keep: Keep, risk: &AtRisk, personality: Personality, torn: bool, draw: Draw<'_>) -> Survivors {
    let newest = |survives: bool, page: &PageAtRisk| if survives { page.newest() } else { PageFate::LOST };
    let pages = |survives: &dyn Fn(&PageAtRisk) -> bool| {
        let pages = risk.pages.iter().map(|page| newest(survives(page), page)).collect();
        Survivors { pages, ..risk.all() }
    };
    match keep {
        Keep::LoseAllUnsynced => risk.none(),
        Keep::KeepAll => risk.all(),
        Keep::Uniform if personality == Personality::Strict => drawn_moment(risk, draw),
        Keep::Uniform => drawn(risk, torn, draw),
        Keep::LogLostJsonKept => pages(&|page| !page.file.starts_with(LOG)),
        Keep::JsonLostLogKept => Survivors { pages: risk.all().pages, ..risk.none() },
        Keep::LastPageOnly => pages(&|page| {
            let last = risk.pages.iter().filter(|other| other.file == page.file).map(|other| other.page).max();
            last == Some(page.page)
        }),
        Keep::EvenPagesOnly => pages(&|page| page.page.is_multiple_of(2)),
        Keep::HeaderKeptBodyLost => {
            let fates = risk.pages.iter().map(|page| before_last_store(risk, page)).collect();
            Survivors { pages: fates, ..risk.all() }
        }
    }
}

/// The commit log's folder.
const LOG: &str = "commitlog/";

/// Each page lost or one of its versions, perhaps torn; a number of names; each content by itself.
fn drawn(risk: &AtRisk, torn: bool, draw: Draw<'_>) -> Survivors {
    let mut chosen = risk.none();
    for (page, fate) in risk.pages.iter().zip(&mut chosen.pages) {
        if draw(2) == 0 {
            continue;
        }
        // Half of the survivors are whole: the kernel writes a page as it is, and only the last write can be torn.
        fate.stores = match draw(2) {
            0 => page.stores.len() as u32,
            _ => 1 + draw(page.stores.len() as u64) as u32,
        };
        if torn {
            fate.sectors = 1 + draw(u64::from(SECTORS)) as u8;
        }
    }
    if !risk.names.is_empty() {
        let names = draw(risk.names.len() as u64 + 1) as usize;
        chosen.names[..names].fill(true);
    }
    for fate in &mut chosen.contents {
        *fate = [ContentFate::Whole, ContentFate::Short, ContentFate::Empty, ContentFate::Zeros][draw(4) as usize];
    }
    chosen
}

/// Everything up to a moment.
fn drawn_moment(risk: &AtRisk, draw: Draw<'_>) -> Survivors {
    let mut moments: Vec<u64> =
        risk.pages.iter().flat_map(|page| page.stores.iter().map(|store| store.number + 1)).collect();
    moments.extend(risk.names.iter().map(|name| name.stores));
    moments.sort_unstable();
    let Some(last) = moments.len().checked_sub(1) else { return risk.none() };
    let store = moments[draw(last as u64 + 1) as usize];
    let ops = risk.names.iter().take_while(|name| name.stores <= store).count();
    risk.until(store, ops)
}

/// What of a page lies before its file's last store begins, or in the same sector.
fn before_last_store(risk: &AtRisk, page: &PageAtRisk) -> PageFate {
    let Some((last_page, from)) = last_store(risk, page) else { return PageFate::LOST };
    match page.page.cmp(&last_page) {
        Ordering::Less => page.newest(),
        Ordering::Equal => PageFate { sectors: (usize::from(from) / SECTOR + 1) as u8, ..page.newest() },
        Ordering::Greater => PageFate::LOST,
    }
}

/// Where the last store into a page's file begins. One that goes over several pages is noted once a page, in order.
fn last_store(risk: &AtRisk, page: &PageAtRisk) -> Option<(u64, u16)> {
    let of_file = || risk.pages.iter().filter(|other| other.file == page.file);
    let stores = || of_file().flat_map(|other| other.stores.iter().map(|store| (store.number, other.page, *store)));
    let (mut number, mut page, mut store) = stores().max_by_key(|(number, ..)| *number)?;
    while store.from == 0 {
        let before = stores().find(|(other, on, part)| {
            *other + 1 == number && *on + 1 == page && usize::from(part.from + part.len) == PAGE
        });
        let Some(before) = before else { break };
        (number, page, store) = before;
    }
    Some((page, store.from))
}
