//! The log as panes of lines.

use crate::lab::locale::{Lang, views};
use crate::lab::view::scene::Pick;
use crate::lab::view::sheet::{Body, Cell, Column, Pane, Sheet, Tone};
use crate::lab::view::storage::{Record, Storage};

impl Storage {
    /// As panes of lines: the log, the record's fields, its bytes with its queue's entry.
    pub fn sheet(&self, lang: Lang) -> Sheet {
        if self.log.is_none() {
            let none = (views::NO_BROKER.text(lang).to_owned(), Tone::Open);
            return Sheet { panes: vec![Pane::text(views::LOG.text(lang), vec![none])] };
        }
        let mut list = self.list(lang);
        list.picks = self.records.iter().map(|record| Pick::Record { node: self.node, at: record.at }).collect();
        Sheet { panes: vec![list, self.fields_pane(lang), self.bytes_pane(lang)] }
    }

    fn list(&self, lang: Lang) -> Pane {
        let Some(log) = &self.log else { return Pane::default() };
        let replicated = log.replicated.map(|to| format!("{} {to}  ", views::REPLICATED.text(lang)));
        let title = format!(
            "{} {} {}  {} {}  {} {}  {}{} {}",
            log.broker,
            views::LOG.text(lang),
            log.file,
            views::WRITTEN.text(lang),
            log.written,
            views::FSYNCED.text(lang),
            log.fsynced,
            replicated.unwrap_or_default(),
            views::DIRTY.text(lang),
            log.dirty,
        );
        if self.records.is_empty() {
            return Pane::text(title, vec![(views::NO_RECORDS.text(lang).to_owned(), Tone::Open)]);
        }
        let heads = vec![
            Column::number(views::OFFSET.text(lang)),
            Column::number(views::LENGTH.text(lang)),
            Column::words(views::QUEUE.text(lang), 12),
            Column::number(views::PLACE.text(lang)),
            Column::words(views::KEY.text(lang), 6),
            Column::words(views::TAG.text(lang), 4),
            Column::words(views::CRC.text(lang), 4),
            Column::words(views::WHERE.text(lang), 8),
        ];
        let row = |record: &Record| {
            let is_good = record.crc == "ok";
            let (place, tone) = match record.place {
                "replicated" => (views::REPLICATED, Tone::Good),
                "fsynced" => (views::FSYNCED, Tone::Good),
                _ => (views::PAGE_CACHE, Tone::Open),
            };
            let crc = if is_good { views::GOOD.text(lang) } else { record.crc.as_str() };
            let cells = vec![
                Cell::Text(format!("@{}", record.at)),
                Cell::of(record.len),
                Cell::Text(format!("{}/{}", record.topic, record.queue_id)),
                Cell::of(record.queue_offset),
                Cell::of(&record.key),
                Cell::of(&record.tag),
                Cell::of(crc),
                Cell::of(place.text(lang)),
            ];
            (cells, if is_good { tone } else { Tone::Bad })
        };
        let body = Body::Table(heads, self.records.iter().map(row).collect());
        Pane { title, body, chosen: self.chosen, ..Pane::default() }
    }

    fn fields_pane(&self, lang: Lang) -> Pane {
        let looked = self.chosen.and_then(|at| self.records.get(at));
        let title = match looked {
            Some(record) => match &record.message {
                Some(message) => format!("{} @{}  {message}", views::RECORD.text(lang), record.at),
                None => format!("{} @{}", views::RECORD.text(lang), record.at),
            },
            None => views::RECORD.text(lang).to_owned(),
        };
        let row = |field: &super::Field| (vec![Cell::of(field.label.text(lang)), Cell::of(&field.value)], Tone::Plain);
        let heads = vec![Column::words("", usize::MAX), Column::words("", 4)];
        let body = Body::Table(heads, self.fields.iter().map(row).collect());
        Pane { title, body, chosen: self.field, ..Pane::default() }
    }

    /// The bytes; those of the field that is looked at in capitals.
    fn bytes_pane(&self, lang: Lang) -> Pane {
        let mut rows: Vec<(Vec<Cell>, Tone)> = Vec::new();
        let mut row = |cells: [String; 3], tone: Tone| rows.push((cells.map(Cell::Text).into(), tone));
        let empty = String::new;
        match &self.unit {
            Some(unit) => {
                let (word, tone) = match unit.leads {
                    true => (views::LEADS, Tone::Good),
                    false => (views::LEADS_ELSEWHERE, Tone::Bad),
                };
                let leads = format!("{}  {}", unit.queue, word.text(lang));
                row([format!("[{}]", unit.number), leads, empty()], tone);
                let [at, len, tag] = &unit.hex;
                row([empty(), format!("{at}  @{}", unit.at), empty()], Tone::Plain);
                row([empty(), format!("{len}  {} {}", views::LENGTH.text(lang), unit.len), empty()], Tone::Plain);
                row([empty(), format!("{tag}  {}", unit.tag), empty()], Tone::Plain);
            }
            None if self.fields.is_empty() => {}
            None => row([empty(), views::NO_UNIT.text(lang).to_owned(), empty()], Tone::Open),
        }
        let looked = self.field.and_then(|at| self.fields.get(at)).map_or(0..0, |field| field.from..field.to);
        let mut at = 0;
        for bytes in &self.bytes {
            let hex = bytes.hex.iter().enumerate().map(|(number, byte)| match looked.contains(&(at + number)) {
                true => byte.to_uppercase(),
                false => byte.clone(),
            });
            row([bytes.at.clone(), hex.collect::<Vec<_>>().join(" "), bytes.text.clone()], Tone::Plain);
            at += bytes.hex.len();
        }
        let heads = vec![Column::number(""), Column::words("", usize::MAX), Column::words("", 0)];
        let title = format!("{}  {}", views::UNIT.text(lang), views::BYTES.text(lang));
        Pane { title, body: Body::Table(heads, rows), ..Pane::default() }
    }
}
