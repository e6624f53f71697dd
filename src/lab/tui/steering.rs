//! Keys of the player that ask about its time: breakpoints, bookmarks, what followed, what differs between two branches, and
//! the command to take along.

use ratatui::crossterm::event::KeyCode;

use crate::lab::locale::{Lang, Phrase};
use crate::lab::sim::session::Session;
use crate::lab::trace::record::Level;
use crate::lab::tui::app::App;
use crate::lab::tui::menu::{Menu, Of};
use crate::lab::tui::player::{Player, Typing};
use crate::lab::view::differences::{self, Differences};
use crate::lab::view::lines::{Handles, Line};
use crate::lab::view::{followed, width};

/// Columns of one run's side of a comparison: a screen of 80 has room for two.
const SIDE: usize = 34;
/// So many differing events are shown, and so many that followed.
const ROWS: usize = 200;

impl App {
    /// Does what a key asks for, if it is one of these.
    pub(super) fn steers(&mut self, key: KeyCode) -> bool {
        let Some(player) = &mut self.player else { return false };
        if let KeyCode::Char(letter @ 'a'..='e') = key
            && player.is_asked(letter as usize - 'a' as usize)
        {
            return false;
        }
        match key {
            KeyCode::Char('b') => self.open_conditions(),
            KeyCode::Char('c') => player.run_on(true),
            KeyCode::Char('C') => player.run_on(false),
            KeyCode::Char('m') => {
                if !player.unmark() {
                    (player.prompt, player.typing) = (Some(String::new()), Typing::Bookmark);
                }
            }
            KeyCode::Char('W') => self.ask_what_followed(),
            KeyCode::Char('D') => self.open_comparison(),
            KeyCode::Char('y') => self.copy_command(),
            _ => return false,
        }
        true
    }

    /// The command that gives the run again goes to the terminal, and into the last line.
    pub(super) fn copy_command(&mut self) {
        let Some(player) = &mut self.player else { return };
        let command = player.scenario.command();
        player.note = Some(Phrase::both(command.clone()));
        self.copied = Some(command);
    }

    /// What was typed, for what.
    pub(super) fn takes(&mut self, typing: Typing, text: &str) {
        let Some(player) = &mut self.player else { return };
        match typing {
            Typing::Go => player.go_to(text),
            Typing::Condition => player.toggle_breakpoint(text),
            Typing::Bookmark => player.bookmark(text),
        }
        player.typing = Typing::Go;
    }

    /// Opens the menu of breakpoints: those that are set, and those that could be.
    pub(super) fn open_conditions(&mut self) {
        let lang = self.options.lang;
        let Some(player) = &self.player else { return };
        let mut lines = player.breakpoint_lines(lang);
        let mut texts: Vec<Option<String>> =
            player.stops.breakpoints.iter().map(|own| Some(own.text.clone())).collect();
        for ready in player.ready() {
            if texts.iter().flatten().any(|own| *own == ready.text) {
                continue;
            }
            lines.push(format!("+ {:<24} {}  {}x", ready.text, ready.means.text(lang), ready.times));
            texts.push(Some(ready.text));
        }
        lines.push(if lang == Lang::Zh { "  输入一个条件…" } else { "  type one ..." }.to_owned());
        texts.push(None);
        self.menu = Some(Menu { of: Of::Conditions(texts), lines, chosen: 0 });
    }

    /// A line of the menu of conditions was chosen.
    pub(super) fn choose_condition(&mut self, text: Option<String>) {
        let Some(player) = &mut self.player else { return };
        match text {
            Some(text) => player.toggle_breakpoint(&text),
            None => (player.prompt, player.typing) = (Some(String::new()), Typing::Condition),
        }
    }

    fn ask_what_followed(&mut self) {
        let lang = self.options.lang;
        let Some(player) = &mut self.player else { return };
        let step = player.at.checked_sub(1);
        let found = step.and_then(|step| followed::of_step((&player.trace, &player.handles), step, ROWS, lang));
        let Some(found) = found else {
            player.note = Some(Phrase::of("nothing has happened yet: `.` steps", "还没有发生任何事：按 . 前进"));
            return;
        };
        let (mut steps, mut lines) = (Vec::new(), Vec::new());
        for after in &found.all {
            let one = &after.what;
            let indent = "  ".repeat(after.depth.min(8));
            lines.push(format!("{indent}> #{:<5} {:<10} {}", one.step, one.actor, one.text));
            steps.push(Some(one.step + 1));
        }
        if found.all.is_empty() {
            lines.push(if lang == Lang::Zh { "没有别的" } else { "nothing else" }.to_owned());
            steps.push(None);
        }
        if 0 < found.further {
            lines.push(format!("... +{}", found.further));
            steps.push(None);
        }
        self.menu = Some(Menu { of: Of::Moments(steps, super::menu::FOLLOWED), lines, chosen: 0 });
    }

    /// The other branch if there are two, or which of them.
    fn open_comparison(&mut self) {
        let lang = self.options.lang;
        let Some(branches) = &self.branches else { return };
        let others: Vec<usize> = (0..branches.all.len()).filter(|number| *number != branches.now).collect();
        match others[..] {
            [] => {
                if let Some(player) = &mut self.player {
                    let en = "this run has one branch: f makes another, then D compares";
                    player.note = Some(Phrase::of(en, "只有一个分支：按 f 制造另一个，再按 D 比较"));
                }
            }
            [only] => self.compare_with(only),
            _ => {
                let lines = others.iter().map(|number| branches.name(*number, lang)).collect();
                self.menu = Some(Menu { of: Of::Against(others), lines, chosen: 0 });
            }
        }
    }

    /// Puts what differs from another branch over the screen.
    pub(super) fn compare_with(&mut self, branch: usize) {
        let lang = self.options.lang;
        let (Some(player), Some(branches)) = (&mut self.player, &self.branches) else { return };
        let Some(edits) = branches.all.get(branch).map(|branch| branch.edits.clone()) else { return };
        let Ok(other) = branches.base().edited(&edits) else { return };
        let trace = Session::run(&other.plan, Level::Full).trace;
        let handles = Handles::of(&trace);
        let found = differences::of((&player.trace, &player.handles), (&trace, &handles), lang);
        let names = (branches.name(branches.now, lang), branches.name(branch, lang));
        self.menu = Some(compared(player, &found, (names.0.trim(), names.1.trim()), lang));
    }
}

/// Two columns: this branch, and the other one.
fn compared(player: &Player, found: &Differences, names: (&str, &str), lang: Lang) -> Menu {
    let zh = lang == Lang::Zh;
    let (mut steps, mut lines) = (Vec::new(), Vec::new());
    let mut tell = |left: &str, right: &str, step: Option<u64>| {
        lines.push(format!("{} | {}", width::fit(left, SIDE), width::cut(right, SIDE)));
        steps.push(step);
    };
    tell(names.0, names.1, None);
    let Some(parting) = found.parting else {
        tell(if zh { "相同" } else { "the same run" }, if zh { "相同" } else { "the same run" }, None);
        return Menu { of: Of::Moments(steps, super::menu::DIFFERENCES), lines, chosen: 0 };
    };
    let time = player.trace.time(parting);
    let word = if zh { format!("#{parting} {time} 起不同") } else { format!("they part at #{parting}, {time}") };
    tell(&word, "", Some(parting.min(player.end())));
    let cell = |line: &Option<Line>| match line {
        Some(line) => format!("#{} {} {}", line.step, line.actor, line.text),
        None => "-".to_owned(),
    };
    for row in found.rows.iter().take(ROWS) {
        tell(&cell(&row.first), &cell(&row.second), row.first.as_ref().map(|line| line.step + 1));
    }
    if ROWS < found.rows.len() {
        tell(&format!("... +{}", found.rows.len() - ROWS), "", None);
    }
    let none = if zh { "没有发送" } else { "not sent" };
    for (name, first, second) in &found.messages {
        let state = |state: &Option<String>| format!("{name}: {}", state.as_deref().unwrap_or(none));
        tell(&state(first), &state(second), None);
    }
    Menu { of: Of::Moments(steps, super::menu::DIFFERENCES), lines, chosen: 0 }
}
