//! The terminal: the first screen, and the player that steps through a run, forward and back; a lesson's way to its card.
//!
//! A run is made once and looked at through its trace; stepping back touches no node. Everything drawn here is drawn from
//! `view` and from the picture that the trace folds to.

use std::io::{self, Write};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::crossterm::event::{DisableMouseCapture, EnableMouseCapture, MouseEvent};
use ratatui::crossterm::execute;

use crate::lab::locale::Lang;

pub mod app;

mod asked;

pub mod branch;

pub mod card;

pub mod clipboard;

pub mod course;

pub mod dialogue;

pub mod home;

pub mod keys;

pub mod menu;

pub mod player;

pub mod seen;

pub mod stops;

pub mod teaching;

pub mod theme;

pub mod views;

mod draw;
mod first;
mod layout;
mod mouse;
mod panes;
mod steering;

/// How the terminal is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// The language.
    pub lang: Lang,
    /// With colours.
    pub color: bool,
    /// With box-drawing characters.
    pub unicode: bool,
    /// With the mouse.
    pub mouse: bool,
}

/// Takes the terminal until the person leaves or has asked for a file; gives it back as it was, after a panic too. Whoever keeps
/// how far somebody has come with the lessons hears of it at once.
///
/// Errors: the terminal cannot be written or read.
pub fn run(app: &mut app::App, heard: &mut dyn FnMut(&str, home::State)) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    if app.options.mouse {
        // What was captured is given back before anything is printed.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let _ = execute!(io::stdout(), DisableMouseCapture);
            hook(panic);
        }));
        execute!(io::stdout(), EnableMouseCapture)?;
    }
    let ended = drive(&mut terminal, app, heard);
    if app.options.mouse {
        let _ = execute!(io::stdout(), DisableMouseCapture);
    }
    ratatui::restore();
    ended
}

#[expect(clippy::disallowed_types, reason = "playing goes by the person's clock; the run does not know it")]
fn drive(
    terminal: &mut ratatui::DefaultTerminal,
    app: &mut app::App,
    heard: &mut dyn FnMut(&str, home::State),
) -> io::Result<()> {
    let frame = std::time::Duration::from_millis(100);
    let mut last = std::time::Instant::now();
    while !app.left() && app.asked.is_none() {
        for (lesson, state) in app.told.drain(..) {
            heard(&lesson, state);
        }
        terminal.draw(|frame| draw::draw(frame, app))?;
        if event::poll(frame.saturating_sub(last.elapsed()))? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    let control = key.modifiers.contains(KeyModifiers::CONTROL);
                    match key.code {
                        KeyCode::Char('c') if control => return Ok(()),
                        code => app.press(code),
                    }
                    if let Some(text) = app.copied.take() {
                        // A terminal that does not know the sequence shows nothing; the command stands in the last line.
                        io::stdout().write_all(clipboard::osc52(&text).as_bytes())?;
                    }
                }
                Event::Mouse(mouse) => {
                    let size = terminal.size()?;
                    mouse::act(app, mouse, ratatui::layout::Rect::new(0, 0, size.width, size.height));
                }
                _ => {}
            }
        }
        if last.elapsed() >= frame {
            last = std::time::Instant::now();
            app.tick();
        }
    }
    Ok(())
}

/// What the mouse does on a screen of that size, for tests.
pub fn click(app: &mut app::App, event: MouseEvent, width: u16, height: u16) {
    mouse::act(app, event, ratatui::layout::Rect::new(0, 0, width, height));
}

/// Where the panes of the view that is up stand on a screen of that size, for tests.
pub fn places(app: &app::App, width: u16, height: u16) -> Vec<ratatui::layout::Rect> {
    let Some(player) = &app.player else { return Vec::new() };
    let sheet = layout::player(ratatui::layout::Rect::new(0, 0, width, height), app, player);
    let own = [sheet.cluster, sheet.timeline, sheet.message].into_iter().flatten();
    own.chain(sheet.view.into_iter().map(|(_, place)| place)).collect()
}

/// Draws an app as it is into a buffer of that size, for tests and pictures.
pub fn render(app: &app::App, width: u16, height: u16) -> ratatui::buffer::Buffer {
    let area = ratatui::layout::Rect::new(0, 0, width, height);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    draw::draw_in(area, &mut buffer, app);
    buffer
}
