//! Which states a power loss may leave at one moment.
//!
//! What is at risk is a number of dimensions: of each dirty page a version, of the folder's operations a prefix or a subset,
//! of each small file's content a fate. If they multiply to few states all are listed. Otherwise pages are taken whole or not
//! at all; if that is still too many, all prefixes in time, all single omissions and all single survivals are. Torn pages are
//! added one at a time: a device is at work on one page when the power goes. Some choices are drawn besides, and these may
//! have several pages torn.

use std::collections::BTreeSet;

use crate::lab::fault::disk::Personality;
use crate::lab::sim::disk::SimDisk;
use crate::lab::sim::disk::power::{AtRisk, ContentAtRisk, ContentFate, PageFate, SECTOR, SECTORS, Survivors};

/// How far one goes at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Limits {
    /// All states are listed if there are at most two to the power of this.
    pub(super) units: u32,
    /// So many random choices otherwise.
    pub(super) random: u32,
}

/// The states of one moment.
pub(super) struct Choices {
    /// Legal choices, each once.
    pub(super) list: BTreeSet<Survivors>,
    /// Whether these are all, torn pages aside.
    pub(super) complete: bool,
}

/// Lists the states of a moment. `draw(n)` gives a number below `n`.
pub(super) fn choices(
    disk: &SimDisk,
    risk: &AtRisk,
    personality: Personality,
    limits: Limits,
    draw: &mut dyn FnMut(u64) -> u64,
) -> Choices {
    let space = Space { risk, personality };
    let mut list = BTreeSet::new();
    let mut add = |mut chosen: Survivors| {
        disk.legalise(risk, &mut chosen);
        list.insert(chosen);
    };
    add(risk.all());
    add(risk.none());
    let most = 1_u64 << limits.units;
    let fine = space.dimensions(true);
    let mut complete = true;
    if product(&fine) <= most {
        space.each(&fine, &mut add);
    } else {
        complete = false;
        let coarse = space.dimensions(false);
        if product(&coarse) <= most {
            space.each(&coarse, &mut add);
        } else {
            space.singles(&mut add);
        }
        space.prefixes(&mut add);
    }
    space.torn(&mut add);
    // Drawn ones may have several pages torn at once, which no list goes through.
    let random = if complete { u64::from(limits.random).min(product(&fine)) } else { u64::from(limits.random) };
    for _ in 0..random {
        add(risk.drawn(true, draw));
    }
    Choices { list, complete }
}

/// Something that can be chosen in several ways.
#[derive(Clone, Copy, Debug)]
enum Dimension {
    /// How many of a page's stores survive.
    Versions(usize),
    /// Whether a page survives.
    Page(usize),
    /// How many operations survive.
    Names,
    /// Whether one operation survives.
    Name(usize),
    /// What becomes of a content.
    Content(usize),
}

struct Space<'a> {
    risk: &'a AtRisk,
    personality: Personality,
}

fn product(dimensions: &[(Dimension, u64)]) -> u64 {
    dimensions.iter().fold(1, |product: u64, (_, ways)| product.saturating_mul(*ways))
}

impl Space<'_> {
    /// The dimensions with their numbers of ways; of pages versions, or only whether they survive.
    fn dimensions(&self, versions: bool) -> Vec<(Dimension, u64)> {
        let mut dimensions = Vec::new();
        for (number, page) in self.risk.pages.iter().enumerate() {
            dimensions.push(match versions {
                true => (Dimension::Versions(number), page.stores.len() as u64 + 1),
                false => (Dimension::Page(number), 2),
            });
        }
        let names = self.risk.names.len();
        match self.personality {
            Personality::Reordering => dimensions.extend((0..names).map(|name| (Dimension::Name(name), 2))),
            _ => dimensions.push((Dimension::Names, names as u64 + 1)),
        }
        for (number, content) in self.risk.contents.iter().enumerate() {
            dimensions.push((Dimension::Content(number), self.fates(content).len() as u64));
        }
        dimensions
    }

    fn fates(&self, content: &ContentAtRisk) -> &'static [ContentFate] {
        let zeros = matches!(self.personality, Personality::Writeback | Personality::Reordering);
        // The lock file's content is nobody's business.
        match (&*content.file == "lock", content.len < 2 * SECTOR, zeros) {
            (true, _, _) => &[ContentFate::Whole],
            (_, true, false) => &[ContentFate::Whole, ContentFate::Empty],
            (_, false, false) => &[ContentFate::Whole, ContentFate::Short, ContentFate::Empty],
            (_, true, true) => &[ContentFate::Whole, ContentFate::Empty, ContentFate::Zeros],
            (_, false, true) => &[ContentFate::Whole, ContentFate::Short, ContentFate::Empty, ContentFate::Zeros],
        }
    }

    /// Every combination.
    fn each(&self, dimensions: &[(Dimension, u64)], add: &mut dyn FnMut(Survivors)) {
        for mut number in 0..product(dimensions) {
            let mut chosen = self.risk.none();
            for (dimension, ways) in dimensions {
                self.choose(&mut chosen, *dimension, (number % ways) as usize);
                number /= ways;
            }
            add(chosen);
        }
    }

    fn choose(&self, chosen: &mut Survivors, dimension: Dimension, way: usize) {
        match dimension {
            Dimension::Versions(page) => chosen.pages[page] = PageFate { stores: way as u32, sectors: SECTORS },
            Dimension::Page(page) if way == 1 => chosen.pages[page] = self.risk.pages[page].newest(),
            Dimension::Page(page) => chosen.pages[page] = PageFate::LOST,
            Dimension::Names => chosen.names[..way].fill(true),
            Dimension::Name(name) => chosen.names[name] = way == 1,
            Dimension::Content(content) => {
                chosen.contents[content] = self.fates(&self.risk.contents[content])[way];
            }
        }
    }

    /// Everything up to each moment.
    fn prefixes(&self, add: &mut dyn FnMut(Survivors)) {
        let stores = self.risk.pages.iter().flat_map(|page| page.stores.iter().map(|store| store.number + 1));
        let stores: BTreeSet<u64> = stores.chain(self.risk.names.iter().map(|name| name.stores)).collect();
        for store in stores {
            let first = self.risk.names.partition_point(|name| name.stores < store);
            let last = self.risk.names.partition_point(|name| name.stores <= store);
            (first..=last).for_each(|op| add(self.risk.until(store, op)));
        }
    }

    /// All but one thing, and one thing alone.
    fn singles(&self, add: &mut dyn FnMut(Survivors)) {
        let (all, none) = (self.risk.all(), self.risk.none());
        for (dimension, ways) in self.dimensions(true) {
            for way in 0..ways as usize {
                let (mut but_one, mut alone) = (all.clone(), none.clone());
                if let Dimension::Names = dimension {
                    but_one.names.fill(false);
                }
                self.choose(&mut but_one, dimension, way);
                self.choose(&mut alone, dimension, way);
                add(but_one);
                add(alone);
            }
        }
    }

    /// One page torn, all others new or all others lost.
    fn torn(&self, add: &mut dyn FnMut(Survivors)) {
        let sector = |byte: u16| usize::from(byte) / SECTOR;
        for (number, page) in self.risk.pages.iter().enumerate() {
            let last_of_all = page.stores.iter().map(|store| sector(store.from + store.len - 1)).max().unwrap_or(0);
            for (version, store) in (1_u32..).zip(&page.stores) {
                // The newest version may be torn anywhere; an older one where its own last store is.
                let (first, last) = match version as usize == page.stores.len() {
                    true => (0, last_of_all),
                    false => (sector(store.from), sector(store.from + store.len - 1)),
                };
                for sectors in first + 1..=last {
                    let fate = PageFate { stores: version, sectors: sectors as u8 };
                    for mut chosen in [self.risk.all(), self.risk.none()] {
                        chosen.pages[number] = fate;
                        add(chosen);
                    }
                }
            }
        }
    }
}

/// What survives, in words.
pub(super) fn describe(risk: &AtRisk, chosen: &Survivors) -> String {
    let names = chosen.names.iter().filter(|survives| **survives).count();
    let mut text = format!("{names} of {} names", chosen.names.len());
    for (page, fate) in risk.pages.iter().zip(&chosen.pages) {
        let (stores, of) = (fate.stores, page.stores.len());
        text.push_str(&format!(", page {} of {} with {stores} of {of} stores", page.page, page.file));
        if 0 < stores && fate.sectors < SECTORS {
            text.push_str(&format!(" torn at sector {}", fate.sectors));
        }
    }
    for (content, fate) in risk.contents.iter().zip(&chosen.contents) {
        if *fate != ContentFate::Whole {
            text.push_str(&format!(", {} {}", content.file, format!("{fate:?}").to_lowercase()));
        }
    }
    text
}
