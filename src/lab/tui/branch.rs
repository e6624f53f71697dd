//! Branches: what would have been if something had gone wrong here. A branch is its edits; whoever goes to one runs it.

use crate::lab::fault::moment;
use crate::lab::locale::{Lang, Phrase};
use crate::lab::scenario::Scenario;
use crate::lab::trace::fold::{Picture, State};
use crate::lab::trace::log::{Role, Trace};

/// One way that the run went.
#[derive(Clone, Debug)]
pub struct Branch {
    /// What makes it differ from the scenario, in order.
    pub edits: Vec<String>,
    /// The branch that it left, if it is not the first.
    pub parent: Option<usize>,
    /// The moment that is looked at in it.
    pub at: u64,
}

/// All branches of one scenario; nothing is forgotten while the player is open.
#[derive(Clone, Debug)]
pub struct Branches {
    base: Scenario,
    /// Each once, in the order in which they were made.
    pub all: Vec<Branch>,
    /// Which is looked at.
    pub now: usize,
}

impl Branches {
    /// The scenario as it stands, alone.
    pub fn of(base: Scenario) -> Branches {
        Branches { base, all: vec![Branch { edits: Vec::new(), parent: None, at: 0 }], now: 0 }
    }

    /// The scenario as it stands.
    pub fn base(&self) -> &Scenario {
        &self.base
    }

    /// Leaves the present branch at a moment with one more edit; the scenario to run, or what is wrong with the edit.
    pub fn leave(&mut self, edit: &str, at: u64, lang: Lang) -> Result<Scenario, String> {
        let mut edits = self.all[self.now].edits.clone();
        edits.push(edit.to_owned());
        let scenario = self.base.edited(&edits).map_err(|report| {
            let problem = &report.problems[0];
            let means = if lang == Lang::Zh { "办法" } else { "help" };
            format!("{}; {means}: {}", problem.message, problem.help)
        })?;
        self.all[self.now].at = at;
        self.all.push(Branch { edits, parent: Some(self.now), at });
        self.now = self.all.len() - 1;
        Ok(scenario)
    }

    /// Goes to another branch, leaving the present one at a moment; its scenario and the moment that was looked at there.
    pub fn go_to(&mut self, branch: usize, at: u64) -> Option<(Scenario, u64)> {
        let there = self.all.get(branch)?.clone();
        let scenario = self.base.edited(&there.edits).ok()?;
        self.all[self.now].at = at;
        self.now = branch;
        Some((scenario, there.at))
    }

    /// How a branch is called: its last edit, deeper for each branch that it left.
    pub fn name(&self, branch: usize, lang: Lang) -> String {
        let Some(Branch { edits, parent, .. }) = self.all.get(branch) else { return String::new() };
        let depth = std::iter::successors(*parent, |parent| self.all[*parent].parent).count();
        let main = if lang == Lang::Zh { "原来的运行" } else { "as the scenario has it" };
        format!("{}{}", "  ".repeat(depth), edits.last().map_or(main, String::as_str))
    }
}

/// Whether what was typed is an edit and no moment.
pub fn is_edit(text: &str) -> bool {
    let mut letters = text.trim_start().chars();
    matches!(letters.next(), Some('+' | '-')) && letters.next().is_some_and(char::is_alphabetic)
}

/// The edit as it is printed: with the moment, if whoever typed it left that out.
pub fn dated(edit: &str, trace: &Trace, at: u64) -> String {
    let edit = edit.trim();
    match edit.starts_with('-') || edit.contains(" @") {
        true => edit.to_owned(),
        false => format!("{edit} @{}", moment::written(trace, at)),
    }
}

/// What may go wrong now: each as an edit without its moment, and in words.
pub fn possible(trace: &Trace, picture: &Picture) -> Vec<(String, Phrase)> {
    let nodes = || trace.header.nodes.iter().zip(&picture.nodes);
    let mut menu = Vec::new();
    let mut offer = |edit: String, en: String, zh: String| menu.push((edit, Phrase { en, zh }));
    for role in [Role::Broker, Role::Client, Role::Nameserver] {
        for (head, node) in nodes().filter(|(head, _)| head.role == role) {
            let name = &head.name;
            match node.state {
                State::Waiting => continue,
                State::Down | State::Off => {
                    offer(format!("+restart {name}"), format!("{name} boots again"), format!("{name} 重新启动"));
                    continue;
                }
                State::Paused => {
                    offer(format!("+resume {name}"), format!("{name} goes on"), format!("{name} 继续"));
                }
                State::Up => {}
            }
            offer(format!("+kill {name}"), format!("the process {name} dies"), format!("进程 {name} 死亡"));
            if role == Role::Broker {
                let en = format!("{name} loses power: what was not flushed is gone");
                offer(format!("+power-loss {name}"), en, format!("{name} 断电：未刷盘的都丢失"));
            }
            if node.state == State::Up {
                offer(format!("+pause {name} for 30s"), format!("{name} stops for 30 s"), format!("{name} 停顿 30 秒"));
            }
        }
    }
    let up = |role: Role| nodes().filter(move |(head, node)| head.role == role && node.state != State::Waiting);
    for (broker, _) in up(Role::Broker) {
        for (other, _) in up(Role::Client).chain(up(Role::Nameserver)) {
            let (a, b) = (&other.name, &broker.name);
            let en = format!("nothing passes between {a} and {b} for 30 s");
            offer(format!("+cut {a} {b} for 30s"), en, format!("{a} 与 {b} 之间断网 30 秒"));
        }
    }
    for (broker, _) in up(Role::Broker) {
        let name = &broker.name;
        let en = format!("the clock of {name} steps forward by a minute");
        offer(format!("+clock-skew {name} 60s"), en, format!("{name} 的时钟向前跳一分钟"));
    }
    menu
}
