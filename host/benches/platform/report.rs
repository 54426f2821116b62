//! The table on stdout and the same rows as JSON.

use serde_json::{Value, json};

use crate::child::Measures;
use crate::table::{self, Line, show_ns};

const HEAD: [&str; 8] = [
    "what, for one plugin",
    "of 100",
    "of 1,000",
    "ratio",
    "of 4,000",
    "ratio",
    "budget",
    "verdict",
];

/// How much more one plugin may cost among ten times or four times as many.
const MOST: f64 = 1.5;

/// What is measured, in the order in which it is shown, and in which unit.
const ROWS: [(&str, Unit); 18] = [
    ("discover, first look", Unit::Ns),
    ("resolve", Unit::Ns),
    ("the host looks, decides and shows", Unit::Ns),
    ("it looks again", Unit::Ns),
    ("start", Unit::Ns),
    ("the first call starts it", Unit::Ns),
    ("first call", Unit::Ns),
    ("the status of all", Unit::Ns),
    ("stop and unload", Unit::Ns),
    ("known: resident", Unit::KiB),
    ("running: resident", Unit::KiB),
    ("running: in no file", Unit::KiB),
    ("running: threads", Unit::Count),
    ("running: open files", Unit::Count),
    ("stopped: resident", Unit::KiB),
    ("stopped: in no file", Unit::KiB),
    ("stopped: threads", Unit::Count),
    ("stopped: open files", Unit::Count),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Ns,
    KiB,
    Count,
}

/// All that was measured, in sections.
#[derive(Debug, Default)]
pub(crate) struct Report {
    sections: Vec<(String, Vec<Row>)>,
}

#[derive(Debug)]
struct Row {
    what: &'static str,
    unit: Unit,
    /// For one plugin, by how many there were.
    each: Vec<(usize, f64)>,
}

impl Report {
    /// What some numbers of plugins have cost, each in several runs.
    pub(crate) fn section(&mut self, title: String, runs: &[(usize, Vec<Measures>)]) {
        let rows = ROWS.iter().filter_map(|&(what, unit)| {
            let each: Option<Vec<_>> = runs
                .iter()
                .map(|(plugins, rounds)| {
                    let mut all: Option<Vec<f64>> =
                        rounds.iter().map(|one| one.get(what).copied()).collect();
                    let all = all.as_mut()?;
                    all.sort_by(f64::total_cmp);
                    Some((*plugins, all[all.len() / 2] / *plugins as f64))
                })
                .collect();
            let each = each?;
            Some(Row { what, unit, each })
        });
        self.sections.push((title, rows.collect()));
    }

    /// The rows that grow faster than the number of plugins.
    pub(crate) fn over(&self) -> Vec<String> {
        let all = self
            .sections
            .iter()
            .flat_map(|(title, rows)| rows.iter().map(move |row| (title, row)));
        all.filter(|(_, row)| row.holds() == Some(false))
            .map(|(title, row)| format!("{}, {title}", row.what))
            .collect()
    }

    pub(crate) fn table(&self) -> String {
        let mut lines: Vec<Line<{ HEAD.len() }>> = Vec::new();
        for (title, rows) in &self.sections {
            lines.push(Line::Title(title.clone()));
            lines.extend(rows.iter().map(|row| Line::Row(row.cells())));
        }
        table::text(HEAD, &lines)
    }

    pub(crate) fn json(&self, machine: Value, quick: bool) -> Value {
        let sections: Vec<Value> = self
            .sections
            .iter()
            .map(|(title, rows)| {
                json!({ "title": title, "rows": rows.iter().map(Row::json).collect::<Vec<_>>() })
            })
            .collect();
        json!({ "schema_version": 1, "machine": machine, "quick": quick, "sections": sections })
    }
}

impl Row {
    /// From each number of plugins to the next one.
    fn ratios(&self) -> Vec<f64> {
        let pairs = self.each.windows(2);
        pairs.map(|pair| pair[1].1 / pair[0].1).collect()
    }

    /// Whether it is linear; none for what is said to be so by nobody: what is left is not to be there at
    /// all, and its ratio is that of two accidents.
    fn holds(&self) -> Option<bool> {
        let is_bound = !self.what.starts_with("stopped: ") && self.unit != Unit::Count;
        is_bound.then(|| self.ratios().iter().all(|ratio| *ratio <= MOST))
    }

    fn cells(&self) -> [String; HEAD.len()] {
        let amount = |place: usize| match self.each.get(place) {
            Some((_, amount)) => self.unit.show(*amount),
            None => String::new(),
        };
        let ratios = self.ratios();
        let holds = self.holds();
        let ratio = |place: usize| match ratios.get(place) {
            Some(ratio) if holds.is_some() => format!("{ratio:.2}x"),
            _ => String::new(),
        };
        let (budget, verdict) = match holds {
            None => (String::new(), ""),
            Some(true) => (format!("<= {MOST}x"), "ok"),
            Some(false) => (format!("<= {MOST}x"), "OVER"),
        };
        [
            format!("  {}", self.what),
            amount(0),
            amount(1),
            ratio(0),
            amount(2),
            ratio(1),
            budget,
            verdict.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        let unit = match self.unit {
            Unit::Ns => "ns",
            Unit::KiB => "bytes",
            Unit::Count => "",
        };
        let each: Vec<Value> = self
            .each
            .iter()
            .map(|(plugins, amount)| json!({ "plugins": plugins, "amount": amount }))
            .collect();
        json!({ "what": self.what, "unit": unit, "each": each, "ratios": self.ratios(),
                "ok": self.holds() })
    }
}

impl Unit {
    fn show(self, amount: f64) -> String {
        match self {
            Unit::Ns => show_ns(amount),
            Unit::KiB => format!("{:.1} KiB", amount / 1024.0),
            Unit::Count => format!("{amount:.2}"),
        }
    }
}
