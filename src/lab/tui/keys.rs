//! Every key, once: the bottom bar, the help and the player read this table.

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

/// In the list.
pub const HOME: &[Binding] = &[
    key("Enter", "open", "打开"),
    key("Up/Down", "choose", "选择"),
    key("L", "中文", "English"),
    key("?", "help", "帮助"),
    key("q", "quit", "退出"),
];

/// In the player, most important first.
pub const PLAYER: &[Binding] = &[
    key("Space", "play", "播放"),
    key(".", "step", "前进"),
    key(",", "back", "后退"),
    key("]", "next mark", "下一标记"),
    key("[", "last mark", "上一标记"),
    key(":", "go to", "跳转"),
    key("g", "start", "开头"),
    key("G", "end", "结尾"),
    key("?", "help", "帮助"),
    key("Tab", "next message", "下一条消息"),
    key("a b c", "answer", "回答"),
    key("+/-", "speed", "速度"),
    key("L", "中文", "English"),
    key("Esc", "list", "列表"),
    key("q", "quit", "退出"),
];
