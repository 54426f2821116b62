//! The table on stdout and the same rows as JSON.

use serde_json::{Value, json};

use crate::measure::{Measured, Quantiles};
use crate::table::{self, Line, show_ns};

const HEAD: [&str; 7] = [
    "what", "per call", "ratio", "p10..p90", "min..max", "budget", "verdict",
];

/// All that was measured, in sections.
#[derive(Debug, Default)]
pub(crate) struct Report {
    sections: Vec<(String, Vec<Row>)>,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    value: Value,
    shown: String,
    ns: Option<Quantiles>,
    ratio: Option<Quantiles>,
    budget: Option<Budget>,
}

/// What a row promises.
#[derive(Debug)]
struct Budget {
    text: String,
    holds: bool,
    /// What was found, where the other columns do not show it.
    found: String,
}

impl Row {
    /// A baseline: time alone.
    pub(crate) fn time(what: &str, ns: Quantiles) -> Self {
        Row {
            what: what.to_owned(),
            value: json!({ "ns": quantiles(ns) }),
            shown: show_ns(ns.median),
            ns: Some(ns),
            ratio: None,
            budget: None,
        }
    }

    /// A time with the ratio to a baseline.
    pub(crate) fn against(what: &str, measured: Measured) -> Self {
        let extra = quantiles(measured.extra);
        Row {
            ratio: Some(measured.ratio),
            value: json!({ "ns": quantiles(measured.ns), "extra_ns": extra }),
            ..Row::time(what, measured.ns)
        }
    }

    /// A number that is no time.
    pub(crate) fn amount(what: &str, amount: f64, unit: &str) -> Self {
        Row {
            what: what.to_owned(),
            value: json!({ "amount": amount, "unit": unit }),
            shown: format!("{amount:.0} {unit}"),
            ns: None,
            ratio: None,
            budget: None,
        }
    }

    /// States a budget and whether it holds.
    pub(crate) fn budget(mut self, text: &str, holds: bool) -> Self {
        self.budget = Some(Budget {
            text: text.to_owned(),
            holds,
            found: String::new(),
        });
        self
    }

    /// Adds to the verdict what was found.
    pub(crate) fn found(mut self, found: String) -> Self {
        if let Some(budget) = &mut self.budget {
            budget.found = found;
        }
        self
    }
}

impl Report {
    pub(crate) fn section(&mut self, title: &str, rows: Vec<Row>) {
        self.sections.push((title.to_owned(), rows));
    }

    /// The rows that are over their budget.
    pub(crate) fn over(&self) -> Vec<&str> {
        let rows = self.sections.iter().flat_map(|(_, rows)| rows);
        rows.filter(|row| row.budget.as_ref().is_some_and(|budget| !budget.holds))
            .map(|row| &*row.what)
            .collect()
    }

    pub(crate) fn table(&self) -> String {
        let lines: Vec<_> = self.sections.iter().flat_map(lines_of).collect();
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
    fn cells(&self) -> Cells {
        let range = |of: &dyn Fn(&Quantiles) -> (f64, f64)| match (&self.ratio, &self.ns) {
            (Some(ratio), _) => {
                let (from, to) = of(ratio);
                format!("{from:.2}..{to:.2}")
            }
            (None, Some(ns)) => {
                let (from, to) = of(ns);
                format!("{}..{}", show_ns(from), show_ns(to))
            }
            (None, None) => String::new(),
        };
        let (budget, verdict) = match &self.budget {
            None => Default::default(),
            Some(budget) => {
                let verdict = if budget.holds { "ok" } else { "OVER" };
                let verdict = format!("{verdict} {}", budget.found);
                (budget.text.clone(), verdict)
            }
        };
        [
            format!("  {}", self.what),
            self.shown.clone(),
            self.ratio
                .map_or_else(String::new, |ratio| format!("{:.2}x", ratio.median)),
            range(&|quantiles| (quantiles.p10, quantiles.p90)),
            range(&|quantiles| (quantiles.min, quantiles.max)),
            budget,
            verdict,
        ]
    }

    fn json(&self) -> Value {
        let mut row = self.value.clone();
        row["what"] = self.what.clone().into();
        if let Some(ratio) = self.ratio {
            row["ratio"] = quantiles(ratio);
        }
        if let Some(budget) = &self.budget {
            row["budget"] = budget.text.clone().into();
            row["ok"] = budget.holds.into();
        }
        row
    }
}

/// The columns of [`HEAD`].
type Cells = [String; HEAD.len()];

fn lines_of((title, rows): &(String, Vec<Row>)) -> Vec<Line<{ HEAD.len() }>> {
    let title = std::iter::once(Line::Title(title.clone()));
    title
        .chain(rows.iter().map(|row| Line::Row(row.cells())))
        .collect()
}

fn quantiles(quantiles: Quantiles) -> Value {
    let Quantiles {
        median,
        p10,
        p90,
        min,
        max,
    } = quantiles;
    json!({ "median": median, "p10": p10, "p90": p90, "min": min, "max": max })
}
