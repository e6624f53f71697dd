//! The player as a dialogue of lines: what the screen shows as sentences, for screen readers, pipes and tests.
//!
//! It holds the same app as the screen and presses the same keys, so that neither can say what the other does not.

use std::fmt::Write;

use ratatui::crossterm::event::KeyCode;

use crate::lab::locale::{Lang, Words};
use crate::lab::trace::fold::State;
use crate::lab::trace::log::Role;
use crate::lab::tui::app::App;
use crate::lab::tui::branch;
use crate::lab::tui::card;
use crate::lab::tui::panes;
use crate::lab::tui::player::Player;
use crate::lab::view::lines;

/// A line that is understood: its words, and what it does.
struct Line {
    words: &'static [&'static str],
    what: Words,
}

const fn line(words: &'static [&'static str], en: &'static str, zh: &'static str) -> Line {
    Line { words, what: Words { en, zh } }
}

const LINES: &[Line] = &[
    line(&["next", "."], "one event forward; an empty line, too", "前进一个事件；空行也是"),
    line(&["back", ","], "one event back", "后退一个事件"),
    line(&["mark", "]"], "to the next mark; `[`: to the last", "到下一处标记；[ 到上一处"),
    line(&["go", ":"], "go to 31, 1.25s, m10, violation, first send-ok", "去 31、1.25s、m10、violation、first send-ok"),
    line(&["start", "g"], "to the start; `end`: to the end", "到开头；end 到结尾"),
    line(&["why", "w"], "why the last event happened", "上一个事件为什么发生"),
    line(&["whynot", "n"], "what the message waits for", "消息在等什么"),
    line(&["followed", "W"], "what followed from the last event", "上一个事件之后发生了什么"),
    line(&["message"], "look at a message, by m10 or its key", "看一条消息：m10 或它的键"),
    line(&["nodes"], "what each node is like", "每个节点的状态"),
    line(&["checks"], "what the checks found", "检查的结果"),
    line(&["card"], "the lesson's card: figures, checks, exercise", "本课卡片：数字、检查、练习"),
    line(
        &["break", "b"],
        "stop where a condition is true: lag > 10, broker-a down; alone: which there are",
        "条件断点：lag > 10、broker-a down；单独输入则列出",
    ),
    line(&["continue", "c"], "on to a breakpoint; `C`: back to one", "继续到断点；C 反向"),
    line(&["bookmark", "m"], "leave a bookmark, with a note", "留下书签和备注"),
    line(
        &["save"],
        "write the run with its bookmarks to a file: save mine.rmqrun",
        "把运行和书签写入文件：save mine.rmqrun",
    ),
    line(&["+kill broker-a"], "put a fault in: the run branches", "加入故障：产生分支"),
    line(&["branches", "t"], "the branches; `branch 1` goes to one, `diff` compares", "分支；branch 1 切换，diff 比较"),
    line(&["command", "y"], "the command that gives this run again", "复现这次运行的命令"),
    line(&["a"], "answer a question: a, b, c ...", "回答问题：a、b、c…"),
    line(&["help", "?"], "these lines", "这份说明"),
    line(&["quit", "q"], "leave", "离开"),
];

/// Columns that a line of narration takes.
const COLUMNS: usize = 100;

/// A dialogue about one run.
#[derive(Clone, Debug)]
pub struct Dialogue {
    /// The app; its player is up.
    pub app: App,
    left: bool,
}

impl Dialogue {
    /// A dialogue about the run that the app has open.
    pub fn new(app: App) -> Dialogue {
        Dialogue { app, left: false }
    }

    /// Whether the person has left.
    pub fn left(&self) -> bool {
        self.left || self.app.player.is_none()
    }

    /// What is said before the first line.
    pub fn begin(&self) -> String {
        let Some(player) = &self.app.player else { return String::new() };
        let lang = self.app.options.lang;
        let plan = &player.scenario.plan;
        let title = player.scenario.lesson.title.text(lang);
        let head = match lang {
            Lang::En => format!(
                "{} {title}, seed {}, {} events. `help` tells the lines.",
                plan.scenario,
                plan.seed,
                player.end()
            ),
            Lang::Zh => {
                format!("{} {title}，种子 {}，{} 个事件。输入 help 查看说明。", plan.scenario, plan.seed, player.end())
            }
        };
        format!("{head}\n{}", self.lesson())
    }

    /// Does what a line says and answers; every answer ends with a newline.
    pub fn hear(&mut self, line: &str) -> String {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        if branch::is_edit(line) {
            return self.moved(|app| app.edit(line));
        }
        match word {
            "" | "next" | "." => self.key('.'),
            "back" | "," => self.key(','),
            "mark" | "]" => self.key(']'),
            "[" => self.key('['),
            "start" | "g" => self.key('g'),
            "end" | "G" => self.key('G'),
            "continue" | "c" if !self.is_answer(word) => self.moved(|app| {
                if let Some(player) = &mut app.player {
                    player.run_on(true);
                }
            }),
            "C" => self.key('C'),
            "play" | "space" => self.moved(|app| {
                if let Some(player) = &mut app.player {
                    player.go(player.next_stop().unwrap_or(player.end()));
                }
            }),
            "go" => self.go(rest),
            ":" => self.go(rest),
            _ if word.starts_with(':') => self.go(&line[1..]),
            "why" | "w" if rest == "not" => self.menu('n'),
            "why" | "w" => self.menu('w'),
            "whynot" | "n" => self.menu('n'),
            "followed" | "W" => self.menu('W'),
            "message" => self.message(rest),
            "nodes" => self.nodes(),
            "checks" => self.checks(),
            "card" => self.card(),
            "break" | "b" if rest.is_empty() && !self.is_answer(word) => {
                self.app.open_conditions();
                self.told_menu()
            }
            "break" | "b" if !rest.is_empty() => self.told(|player| player.toggle_breakpoint(rest)),
            "bookmark" | "m" => self.told(|player| player.bookmark(rest)),
            "save" if !rest.is_empty() => self.told(|player| {
                player.save(rest);
            }),
            "branches" | "t" => self.menu('t'),
            "branch" => self.branch(rest),
            "diff" | "D" => self.menu('D'),
            "command" | "y" => {
                self.app.press(KeyCode::Char('y'));
                self.note()
            }
            "help" | "?" => self.help(),
            "quit" | "q" | "exit" => {
                self.left = true;
                String::new()
            }
            _ if self.is_answer(word) => {
                self.app.press(KeyCode::Char(word.chars().next().unwrap_or('a')));
                self.lesson()
            }
            _ => self.unknown(word),
        }
    }

    fn is_answer(&self, word: &str) -> bool {
        let mut letters = word.chars();
        let letter = letters.next().filter(|letter| ('a'..='e').contains(letter) && letters.next().is_none());
        let player = self.app.player.as_ref();
        letter.is_some_and(|letter| player.is_some_and(|player| player.is_asked(letter as usize - 'a' as usize)))
    }

    fn unknown(&self, word: &str) -> String {
        let known = LINES.iter().flat_map(|line| line.words.iter().copied());
        let near = crate::lab::fault::moment::nearest(word, known);
        match (near, self.app.options.lang) {
            (Some(near), Lang::En) => format!("`{word}` is not understood: did you mean `{near}`?\n"),
            (Some(near), Lang::Zh) => format!("不明白 `{word}`：是不是 `{near}`？\n"),
            (None, Lang::En) => format!("`{word}` is not understood: `help` tells the lines\n"),
            (None, Lang::Zh) => format!("不明白 `{word}`：输入 help 查看说明\n"),
        }
    }

    /// A key that moves.
    fn key(&mut self, key: char) -> String {
        self.moved(|app| app.press(KeyCode::Char(key)))
    }

    fn go(&mut self, text: &str) -> String {
        let text = text.to_owned();
        self.moved(|app| {
            if let Some(player) = &mut app.player {
                player.go_to(&text);
            }
        })
    }

    /// Moves, and tells where that led: what happened last there, and the narration that begins to hold.
    fn moved(&mut self, how: impl FnOnce(&mut App)) -> String {
        let told = |app: &App| {
            let player = app.player.as_ref();
            player.map(|player| (player.narration().map(|(number, _)| number), player.at == player.end()))
        };
        let (from, before) = (self.app.player.as_ref().map_or(0, |player| player.at), told(&self.app));
        how(&mut self.app);
        let mut out = self.here(from);
        out.push_str(&self.note());
        if told(&self.app) != before {
            out.push_str(&self.lesson());
        }
        out
    }

    /// Where the moment is: behind which event.
    fn here(&self, from: u64) -> String {
        let Some(player) = &self.app.player else { return String::new() };
        let lang = self.app.options.lang;
        let said = |step: u64| {
            let text = lines::of_step(&player.trace, &player.handles, step, lang);
            format!("#{step} {} {text}", player.trace.time(step))
        };
        match (player.at.checked_sub(1), lang) {
            _ if player.at == from && from == player.end() && lang == Lang::Zh => "已到结尾。\n".to_owned(),
            _ if player.at == from && from == player.end() => "This is the end.\n".to_owned(),
            (None, Lang::En) => "This is the start: nothing has happened yet.\n".to_owned(),
            (None, Lang::Zh) => "这是开头：还没有发生任何事。\n".to_owned(),
            (Some(_), Lang::En) if player.at + 1 == from => format!("back before {}\n", said(player.at)),
            (Some(_), Lang::Zh) if player.at + 1 == from => format!("退回到此前：{}\n", said(player.at)),
            (Some(step), _) => format!("{}\n", said(step)),
        }
    }

    fn note(&mut self) -> String {
        let lang = self.app.options.lang;
        let note = self.app.player.as_mut().and_then(|player| player.note.take());
        note.map_or_else(String::new, |note| format!("{}\n", note.text(lang)))
    }

    fn lesson(&self) -> String {
        let Some(player) = &self.app.player else { return String::new() };
        let lines = panes::lesson_lines(&self.app, player, COLUMNS);
        lines.into_iter().map(|(line, _)| format!("{line}\n")).collect()
    }

    /// The lines of the menu that a key opens.
    fn menu(&mut self, key: char) -> String {
        self.app.press(KeyCode::Char(key));
        self.told_menu()
    }

    fn told_menu(&mut self) -> String {
        let Some(menu) = self.app.menu.take() else { return self.note() };
        menu.lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn told(&mut self, does: impl FnOnce(&mut Player)) -> String {
        if let Some(player) = &mut self.app.player {
            does(player);
        }
        self.note()
    }

    fn message(&mut self, text: &str) -> String {
        let lang = self.app.options.lang;
        let Some(player) = &mut self.app.player else { return String::new() };
        match player.handles.find(text) {
            Some(number) => player.look_at(number),
            None if text.is_empty() => {}
            None => {
                let count = player.handles.messages.len();
                return match lang {
                    Lang::En => format!("no message `{text}`: m1 to m{count}, or a key\n"),
                    Lang::Zh => format!("没有消息 `{text}`：m1 到 m{count}，或消息的键\n"),
                };
            }
        }
        let (name, state) = (player.handles.name(player.message), player.life.state(player.at).text(lang));
        format!("{name}  {state}\n{}\n", player.life.road(player.at, lang))
    }

    fn nodes(&self) -> String {
        let zh = self.app.options.lang == Lang::Zh;
        let Some(player) = &self.app.player else { return String::new() };
        let picture = player.picture();
        let mut out = String::new();
        for (head, node) in player.trace.header.nodes.iter().zip(&picture.nodes) {
            let word = match node.state {
                State::Waiting => ["waits", "未启动"],
                State::Up => ["up", "运行"],
                State::Paused => ["paused", "暂停"],
                State::Down => ["dead", "已死"],
                State::Off => ["no power", "断电"],
            };
            let _ = write!(out, "{} {}", head.name, word[usize::from(zh)]);
            if head.role == Role::Broker && node.state == State::Up {
                let _ = match zh {
                    true => write!(out, "，日志 {}，落盘 {}", node.log_end, node.flushed),
                    false => write!(out, ", log {}, flushed {}", node.log_end, node.flushed),
                };
            }
            out.push('\n');
        }
        out
    }

    fn checks(&self) -> String {
        let Some(player) = &self.app.player else { return String::new() };
        let asked = player.findings.iter().filter(|finding| finding.asked);
        asked.map(|one| format!("{}: {}\n", one.id, one.summary.text(self.app.options.lang))).collect()
    }

    fn card(&mut self) -> String {
        self.app.finish();
        let (Some(card), Some(player)) = (self.app.card.take(), &self.app.player) else { return String::new() };
        let lines = card::lines(&self.app, player, &card, COLUMNS);
        lines.into_iter().map(|(line, _)| format!("{line}\n")).collect()
    }

    fn branch(&mut self, text: &str) -> String {
        let count = self.app.branches.as_ref().map_or(0, |branches| branches.all.len());
        match text.parse::<usize>().ok().filter(|number| (1..=count).contains(number)) {
            Some(number) => self.moved(|app| app.switch(number - 1)),
            None if self.app.options.lang == Lang::Zh => format!("分支有 1 到 {count}\n"),
            None => format!("there are branches 1 to {count}\n"),
        }
    }

    fn help(&self) -> String {
        let lang = self.app.options.lang;
        LINES.iter().map(|line| format!("{}: {}\n", line.words.join(" "), line.what.text(lang))).collect()
    }
}
