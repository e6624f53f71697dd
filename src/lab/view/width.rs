//! How wide a text is on a terminal, and the text cut to a width.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns of a text; a Chinese character has two.
pub fn of(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text cut at a character's border so that it fits, with `~` where it was cut.
pub fn cut(text: &str, columns: usize) -> String {
    if of(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let width = of(cluster);
        if used + width + 1 > columns {
            break;
        }
        out.push_str(cluster);
        used += width;
    }
    if columns > 0 {
        out.push('~');
    }
    out
}

/// The text cut or filled to exactly so many columns.
pub fn fit(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns);
    let used = of(&out);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_are_never_halved() {
        assert_eq!((of("断电"), cut("断电了", 5), fit("断", 4)), (4, "断电~".to_owned(), "断  ".to_owned()));
        for columns in 0..8 {
            assert_eq!(of(&fit("a断电了b", columns)), columns);
        }
    }
}
