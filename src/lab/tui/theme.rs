//! Themes: which of the sixteen named colours stand for what. Every meaning has a glyph beside it, so that none needs colour.

use ratatui::style::Color;

/// A theme.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// The colours as they are named.
    #[default]
    Auto,
    /// For a dark ground: blue and red are bright.
    Dark,
    /// For a light ground: yellow and cyan are not used.
    Light,
    /// The brightest of each.
    HighContrast,
    /// No colours: bold, reverse and glyphs.
    Mono,
}

/// All of them, by their names.
pub const ALL: [(&str, Theme); 5] = [
    ("auto", Theme::Auto),
    ("dark", Theme::Dark),
    ("light", Theme::Light),
    ("high-contrast", Theme::HighContrast),
    ("mono", Theme::Mono),
];

impl Theme {
    /// What stands for a colour; nothing where there are none.
    pub fn color(self, color: Color) -> Option<Color> {
        match (self, color) {
            (Theme::Mono, _) => None,
            (Theme::Auto, color) => Some(color),
            (Theme::Dark | Theme::HighContrast, Color::Blue) => Some(Color::LightBlue),
            (Theme::Dark | Theme::HighContrast, Color::Red) => Some(Color::LightRed),
            (Theme::HighContrast, Color::Yellow) => Some(Color::LightYellow),
            (Theme::HighContrast, Color::Cyan) => Some(Color::LightCyan),
            (Theme::HighContrast, Color::Magenta) => Some(Color::LightMagenta),
            (Theme::Light, Color::Yellow) => Some(Color::Magenta),
            (Theme::Light, Color::Cyan) => Some(Color::Blue),
            (Theme::Dark | Theme::HighContrast | Theme::Light, color) => Some(color),
        }
    }

    /// The theme that `COLORFGBG` tells of: `15;0` is light on dark.
    pub fn of_ground(text: &str) -> Theme {
        match text.rsplit(';').next().and_then(|ground| ground.parse::<u8>().ok()) {
            Some(7 | 9..=15) => Theme::Light,
            Some(0..=6 | 8) => Theme::Dark,
            _ => Theme::Auto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ground_hides_what_is_drawn_on_it() {
        let used = [Color::Blue, Color::Yellow, Color::Red, Color::Magenta, Color::Cyan];
        for color in used {
            assert_eq!(Theme::Mono.color(color), None);
            assert!(!matches!(Theme::Light.color(color), Some(Color::Yellow | Color::Cyan)), "{color:?} on white");
            assert!(!matches!(Theme::Dark.color(color), Some(Color::Blue | Color::Red)), "{color:?} on black");
        }
        assert_eq!((Theme::of_ground("0;15"), Theme::of_ground("15;default;0")), (Theme::Light, Theme::Dark));
        assert_eq!(Theme::of_ground("x"), Theme::Auto);
    }
}
