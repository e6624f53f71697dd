//! *tui*: what the player takes: its first frame, a step back in each view, a jump to anywhere, a long run's opening, a branch.
//!
//! Every figure is of a key pressed and the screen of 80x24 drawn, as a person waits for it. The long runs are those of
//! reference topology R.

use ratatui::crossterm::event::KeyCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::bench::cluster;
use crate::lab::bench::stopwatch::{Stopwatch, peak_rss_bytes, rss_bytes};
use crate::lab::locale::Lang;
use crate::lab::scenario::{Scenario, library, load};
use crate::lab::tui::app::App;
use crate::lab::tui::{Options, render};

/// The figures.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tui {
    /// A lesson opened from the list, and its first frame.
    pub first_frame_ns: u64,
    /// How many lessons were stepped back in.
    pub lessons: usize,
    /// The longest step back of all lessons in all views, and where it was.
    pub lesson_step_back_max_ns: u64,
    /// The lesson and the view of the longest.
    pub lesson_slowest: String,
    /// Long runs, the shorter first.
    pub runs: Vec<Long>,
}

/// A long run in the player.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Long {
    /// Its events.
    pub events: u64,
    /// From the list to its first frame: the run itself, its judgement, what the player makes of it.
    pub open_ns: u64,
    /// Each view.
    pub views: Vec<View>,
    /// A jump to anywhere in the first view: the 99th of a hundred.
    pub scrub_p99_ns: u64,
    /// A fault put in at the middle, until its branch is drawn.
    pub branch_ns: u64,
    /// Memory that the run and its player have in use.
    pub memory_bytes: u64,
    /// The most that the process has had.
    pub peak_rss_bytes: u64,
}

/// A view in a long run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct View {
    /// Its key.
    pub key: char,
    /// Its first frame.
    pub first_ns: u64,
    /// A step back: the 99th of a hundred.
    pub step_back_p99_ns: u64,
}

/// Steps of which the 99th of a hundred is taken.
const SAMPLES: usize = 100;
/// Steps back in each view of a lesson.
const LESSON_STEPS: usize = 10;
/// Keys of the views.
const VIEWS: [char; 6] = ['1', '2', '3', '4', '5', '6'];

/// Measures lessons, and runs of so many virtual seconds.
pub(crate) fn measure(lessons: usize, seconds: &[u64]) -> Tui {
    let scenarios: Vec<Scenario> = library::ALL.iter().take(lessons).map(|(name, text)| read(name, text)).collect();
    let (mut app, options) = app(scenarios);
    let first_frame_ns = timed(|| {
        app.open(0);
        draw(&app);
    });
    let mut slowest = (0, String::new());
    for (place, (name, _)) in library::ALL.iter().take(lessons).enumerate() {
        app.open(place);
        app.press(KeyCode::Char('G'));
        for view in VIEWS {
            app.press(KeyCode::Char(view));
            draw(&app);
            for _ in 0..LESSON_STEPS {
                let took = step_back(&mut app);
                slowest = slowest.max((took, format!("{name}, view {view}")));
            }
        }
    }
    drop(app);
    let lessons = lessons.min(library::ALL.len());
    let (lesson_step_back_max_ns, lesson_slowest) = slowest;
    let runs = seconds.iter().map(|seconds| long(*seconds, options)).collect();
    Tui { first_frame_ns, lessons, lesson_step_back_max_ns, lesson_slowest, runs }
}

/// Reference topology R for so many seconds of virtual time.
fn long(seconds: u64, options: Options) -> Long {
    // Without its faults: they come at moments of their own, and what follows them is what is expected.
    let text = cluster::TEXT.split("[[fault]]").next().unwrap_or_default();
    let text = text.replace("until = \"600s\"", &format!("until = \"{seconds}s\""));
    let text = text.replace("count = 6400", "count = 100000");
    let before = rss_bytes();
    let mut app = App::new(vec![read("bench-tui.toml", &text)], options);
    let open_ns = timed(|| {
        app.open(0);
        draw(&app);
    });
    let events = app.player.as_ref().map_or(0, |player| player.end());
    app.press(KeyCode::Char('G'));
    let view = |key: char, app: &mut App| {
        let first_ns = timed(|| {
            app.press(KeyCode::Char(key));
            draw(app);
        });
        View { key, first_ns, step_back_p99_ns: p99((0..SAMPLES).map(|_| step_back(app))) }
    };
    let views = VIEWS.into_iter().map(|key| view(key, &mut app)).collect();
    app.press(KeyCode::Char('1'));
    // Places far from each other, the same in every run.
    let places = (0..SAMPLES as u64).map(|number| number * 2_654_435_761 % events.max(1));
    let scrub_p99_ns = p99(places.map(|place| {
        timed(|| {
            if let Some(player) = &mut app.player {
                player.go(place);
            }
            draw(&app);
        })
    }));
    let memory_bytes = rss_bytes().saturating_sub(before);
    if let Some(player) = &mut app.player {
        player.go(events / 2);
    }
    let branch_ns = timed(|| {
        ":+kill broker-a".chars().for_each(|letter| app.press(KeyCode::Char(letter)));
        app.press(KeyCode::Enter);
        draw(&app);
    });
    Long { events, open_ns, views, scrub_p99_ns, branch_ns, memory_bytes, peak_rss_bytes: peak_rss_bytes() }
}

fn app(scenarios: Vec<Scenario>) -> (App, Options) {
    let options = Options { lang: Lang::En, color: true, unicode: true, mouse: false };
    (App::new(scenarios, options), options)
}

fn read(name: &str, text: &str) -> Scenario {
    load(name, text.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"))
}

fn draw(app: &App) {
    std::hint::black_box(render(app, 80, 24));
}

fn step_back(app: &mut App) -> u64 {
    timed(|| {
        app.press(KeyCode::Char(','));
        draw(app);
    })
}

fn timed(what: impl FnOnce()) -> u64 {
    let watch = Stopwatch::start();
    what();
    watch.nanos()
}

fn p99(samples: impl Iterator<Item = u64>) -> u64 {
    let mut all: Vec<u64> = samples.collect();
    all.sort_unstable();
    all.get(all.len() * 99 / 100).or(all.last()).copied().unwrap_or(0)
}

impl Tui {
    /// The figures as lines.
    pub(crate) fn text(&self) -> String {
        let ms = |ns: u64| format!("{:.1} ms", ns as f64 / 1e6);
        let mut text = format!(
            "tui       first frame {}; step back in {} lessons at most {} ({})\n",
            ms(self.first_frame_ns),
            self.lessons,
            ms(self.lesson_step_back_max_ns),
            self.lesson_slowest
        );
        for run in &self.runs {
            text += &format!(
                "          {} events: opened in {}, scrub p99 {}, branch {}, memory {} MiB\n",
                run.events,
                ms(run.open_ns),
                ms(run.scrub_p99_ns),
                ms(run.branch_ns),
                run.memory_bytes >> 20
            );
            for view in &run.views {
                let (first, back) = (ms(view.first_ns), ms(view.step_back_p99_ns));
                text += &format!("          view {}: first frame {first}, step back p99 {back}\n", view.key);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_of_something_that_was_drawn() {
        let tui = measure(1, &[40]);
        assert!(0 < tui.first_frame_ns && 0 < tui.lesson_step_back_max_ns);
        assert!(tui.lesson_slowest.starts_with("01-first-message"), "{}", tui.lesson_slowest);
        let run = &tui.runs[0];
        assert!(5_000 < run.events && run.views.len() == 6 && 0 < run.branch_ns, "{run:?}");
        let text = tui.text();
        assert!(text.contains("view 6: first frame") && text.contains("scrub p99"), "{text}");
    }
}
