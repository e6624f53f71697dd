//! What a lesson gives to take home: complete in both languages.

use std::ops::Range;

use toml::Spanned;

use super::{Resolver, clip, head};
use crate::lab::locale::Phrase;
use crate::lab::scenario::exercise::LinesScript;
use crate::lab::scenario::lesson::Card;

impl Resolver<'_> {
    pub(super) fn card(&mut self) -> Option<Card> {
        let card = self.script.card.as_ref()?;
        let table = card.get_ref();
        let lines = self.lines(&table.lines, "the card", "line", card.span());
        if lines.is_empty() {
            let help = "write `do.en = [\"…\"]` and `do.zh = [\"…\"]`: two to four lines";
            self.wrong("missing", Some(head(card.span())), "this card says nothing".into(), help);
        }
        if let Some(read) = &table.read {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
            if read.get_ref().is_empty() || !read.get_ref().chars().all(legal) {
                let message = format!("`{}` is no chapter of the book", clip(read.get_ref()));
                self.wrong(
                    "wrong_value",
                    Some(read.span()),
                    message,
                    "the stem of a file under book/src: 10-duplicates",
                );
            }
        }
        for section in &table.article {
            let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
            if !section.get_ref().split('.').all(is_number) {
                let message = format!("`{}` is no section of the article", clip(section.get_ref()));
                self.wrong("wrong_value", Some(section.span()), message, "its number, e.g. \"3.3.4\"");
            }
        }
        let corrects = self.phrase(&table.corrects);
        let read = table.read.as_ref().map(|read| read.get_ref().clone());
        let article = table.article.iter().map(|section| section.get_ref().clone()).collect();
        Some(Card { lines, read, article, corrects })
    }

    /// Lines that stand in both languages, each beside its own.
    pub(super) fn lines(&mut self, lines: &LinesScript, whose: &str, what: &str, table: Range<usize>) -> Vec<Phrase> {
        let (en, zh) = (&lines.en, &lines.zh);
        if en.len() != zh.len() {
            let (more, less) = if en.len() < zh.len() { (zh, en.len()) } else { (en, zh.len()) };
            let at = more.get(less).map_or(head(table), Spanned::span);
            let message = format!("{whose} has {} {what}s in English and {} in Chinese", en.len(), zh.len());
            self.wrong("missing_language", Some(at), message, &format!("write every {what} in both languages"));
        }
        en.iter().zip(zh).map(|(en, zh)| Phrase::of(en.get_ref(), zh.get_ref())).collect()
    }
}
