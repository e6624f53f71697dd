//! Every key, once: the bottom bar, the help and the player read this table.

use ratatui::crossterm::event::KeyCode;

use crate::lab::locale::Words;

/// A key and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// As it is shown.
    pub key: &'static str,
    /// In a word.
    pub what: Words,
}

const fn key(key: &'static str, en: &'static str, zh: &'static str) -> Binding {
    Binding { key, what: Words { en, zh } }
}

/// On the first screen.
pub const HOME: &[Binding] = &[
    key("Enter", "open", "打开"),
    key("Up/Down", "choose", "选择"),
    key("/", "find a lesson", "查找课程"),
    key("L", "中文", "English"),
    key("?", "help", "帮助"),
    key("Esc", "back", "返回"),
    key("q", "quit", "退出"),
];

/// On a lesson's card.
pub const CARD: &[Binding] = &[
    key("n", "next lesson", "下一课"),
    key("Esc", "back to the run", "回到运行"),
    key("J", "turn the page", "翻页"),
    key("y", "copy the command", "复制复现命令"),
    key("L", "中文", "English"),
    key("?", "help", "帮助"),
    key("q", "quit", "退出"),
];

/// In the player, most important first.
pub const PLAYER: &[Binding] = &[
    key("Space", "play", "播放"),
    key(".", "step", "前进"),
    key(",", "back", "后退"),
    key("]", "next", "下一处"),
    key(":", "go", "去"),
    key("?", "help", "帮助"),
    key("q", "quit", "退出"),
    key("1-6", "views", "视图"),
    key("f", "fault", "故障"),
    key("g G", "ends", "首尾"),
    key("[", "last", "上一处"),
    key("w", "why", "为什么"),
    key("n", "why not", "为什么没有"),
    key("W", "what followed", "之后"),
    key("b", "breakpoint", "断点"),
    key("c C", "on or back to one", "继续或反向继续到断点"),
    key("m", "bookmark", "书签"),
    key("D", "compare branches", "比较分支"),
    key("t", "branches", "分支"),
    key("v", "next shape", "下一形态"),
    key("y", "copy the command", "复制复现命令"),
    key("j k", "next or last one", "下一个或上一个"),
    key("/", "filter messages", "筛选消息"),
    key("Tab", "next pane", "下一窗格"),
    key("a b c", "answer", "回答"),
    key("J", "turn the text's page", "讲解翻页"),
    key("+ -", "speed", "速度"),
    key("L", "中文", "English"),
    key("Esc", "first screen", "首页"),
];

/// The screens with their names and keys.
pub const SCREENS: [(&str, Words, &[Binding]); 3] = [
    ("home", Words { en: "the first screen", zh: "首页" }, HOME),
    ("player", Words { en: "the player", zh: "播放器" }, PLAYER),
    ("card", Words { en: "a lesson's card", zh: "课程卡片" }, CARD),
];

/// The key that a click on its name in the bottom bar presses; a pair of keys is pressed by hand.
pub fn pressed(binding: &Binding) -> Option<KeyCode> {
    match binding.key {
        "Enter" => Some(KeyCode::Enter),
        "Space" => Some(KeyCode::Char(' ')),
        "Tab" => Some(KeyCode::Tab),
        "Esc" => Some(KeyCode::Esc),
        one => {
            let mut letters = one.chars();
            letters.next().filter(|_| letters.next().is_none()).map(KeyCode::Char)
        }
    }
}
