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

/// The text in lines of so many columns: broken between words, and between any two Chinese characters but before a comma.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let (mut line, mut used) = (String::new(), 0);
        for atom in atoms(paragraph) {
            let word = atom.trim_end();
            if 0 < used && columns < used + of(word) {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            for cluster in word.graphemes(true) {
                // A word that is wider than a line is cut where the line ends.
                if 0 < used && columns < used + of(cluster) {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(cluster);
                used += of(cluster);
            }
            if 0 < used {
                line.push_str(&atom[word.len()..]);
                used += atom.len() - word.len();
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Pieces that stay together: a word with the spaces behind it, a wide character with the punctuation behind it.
fn atoms(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut clusters = rest.grapheme_indices(true).peekable();
        let (_, first) = clusters.next()?;
        let mut before = first;
        let mut end = rest.len();
        for (at, cluster) in clusters {
            let parts = match before {
                " " => cluster != " ",
                _ if cluster == " " || CLOSING.contains(&cluster) => false,
                _ => of(before) == 2 || of(cluster) == 2,
            };
            if parts {
                end = at;
                break;
            }
            before = cluster;
        }
        let (atom, behind) = rest.split_at(end);
        rest = behind;
        Some(atom)
    })
}

/// What no Chinese line begins with.
const CLOSING: [&str; 9] = ["，", "。", "、", "；", "：", "？", "！", "）", "”"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_wrap_between_words_and_wide_characters() {
        assert_eq!(wrap("the power goes out", 9), ["the power", "goes out"]);
        assert_eq!(wrap("断电了，十条消息", 7), ["断电", "了，十", "条消息"]);
        assert_eq!(wrap("Broker 已返回 SEND_OK。看", 12), ["Broker 已返", "回 SEND_OK。", "看"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\n\nb", 3), ["a", "", "b"]);
        let text = "Ten sends 十条消息，were acknowledged。 How many can the consumer read?";
        for columns in 2..60 {
            let lines = wrap(text, columns);
            assert!(lines.iter().all(|line| of(line) <= columns.max(2)), "{columns}: {lines:?}");
            let all: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            assert_eq!(all, text.chars().filter(|c| *c != ' ').collect::<String>());
        }
    }

    #[test]
    fn wide_characters_are_never_halved() {
        assert_eq!((of("断电"), cut("断电了", 5), fit("断", 4)), (4, "断电~".to_owned(), "断  ".to_owned()));
        for columns in 0..8 {
            assert_eq!(of(&fit("a断电了b", columns)), columns);
        }
    }
}
