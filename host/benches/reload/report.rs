//! The table on stdout and the same rows as JSON.

use serde_json::{Value, json};

use crate::table::{self, Line, show_ns};

const HEAD: [&str; 8] = [
    "what", "p50", "p99", "p99.9", "max", "ratio", "budget", "verdict",
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
    amounts: Amounts,
    /// To the baseline of its section, at the median.
    ratio: Option<f64>,
    budget: Option<(String, bool)>,
}

#[derive(Debug)]
enum Amounts {
    Times(Times),
    One(f64, &'static str),
}

/// How long something takes, in ns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// None where there are too few to tell.
    pub(crate) p999: Option<f64>,
    pub(crate) max: f64,
}

impl Times {
    /// # Panics
    ///
    /// Without any value.
    pub(crate) fn of(mut ns: Vec<f64>) -> Self {
        ns.sort_by(f64::total_cmp);
        let last = ns.len() - 1;
        Times {
            p50: ns[last / 2],
            p99: ns[last - last / 100],
            p999: None,
            max: ns[last],
        }
    }
}

impl Row {
    pub(crate) fn times(what: impl Into<String>, times: Times) -> Self {
        Row {
            what: what.into(),
            amounts: Amounts::Times(times),
            ratio: None,
            budget: None,
        }
    }

    /// A number that is no time.
    pub(crate) fn amount(what: impl Into<String>, amount: f64, unit: &'static str) -> Self {
        Row {
            what: what.into(),
            amounts: Amounts::One(amount, unit),
            ratio: None,
            budget: None,
        }
    }

    pub(crate) fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    /// States a budget and whether it holds.
    pub(crate) fn budget(mut self, text: &str, holds: bool) -> Self {
        self.budget = Some((text.to_owned(), holds));
        self
    }

    fn cells(&self) -> Cells {
        let [p50, p99, p999, max] = match self.amounts {
            Amounts::Times(times) => [
                show_ns(times.p50),
                show_ns(times.p99),
                times.p999.map_or_else(String::new, show_ns),
                show_ns(times.max),
            ],
            Amounts::One(amount, unit) => {
                let decimals = if amount.fract() == 0.0 { 0 } else { 1 };
                let shown = format!("{amount:.decimals$} {unit}");
                [shown, String::new(), String::new(), String::new()]
            }
        };
        let (budget, verdict) = match &self.budget {
            None => (String::new(), ""),
            Some((text, true)) => (text.clone(), "ok"),
            Some((text, false)) => (text.clone(), "OVER"),
        };
        let ratio = self.ratio.map(|ratio| format!("{ratio:.2}x"));
        [
            format!("  {}", self.what),
            p50,
            p99,
            p999,
            max,
            ratio.unwrap_or_default(),
            budget,
            verdict.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        let mut row = match self.amounts {
            Amounts::Times(Times {
                p50,
                p99,
                p999,
                max,
            }) => {
                json!({ "p50_ns": p50, "p99_ns": p99, "p99.9_ns": p999, "max_ns": max })
            }
            Amounts::One(amount, unit) => json!({ "amount": amount, "unit": unit }),
        };
        row["what"] = self.what.clone().into();
        if let Some(ratio) = self.ratio {
            row["ratio"] = ratio.into();
        }
        if let Some((budget, holds)) = &self.budget {
            row["budget"] = budget.clone().into();
            row["ok"] = (*holds).into();
        }
        row
    }
}

type Cells = [String; HEAD.len()];

impl Report {
    pub(crate) fn section(&mut self, title: impl Into<String>, rows: Vec<Row>) {
        self.sections.push((title.into(), rows));
    }

    /// The rows that are over their budget.
    pub(crate) fn over(&self) -> Vec<&str> {
        let rows = self.sections.iter().flat_map(|(_, rows)| rows);
        rows.filter(|row| row.budget.as_ref().is_some_and(|(_, holds)| !holds))
            .map(|row| &*row.what)
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
