//! Tables on stdout.

use std::fmt::Write;

/// One line of a table.
pub(crate) enum Line<const COLUMNS: usize> {
    Title(String),
    Row([String; COLUMNS]),
}

/// All lines under one head, as text. Figures are aligned to the right: all columns but the first
/// and the last two, which hold a budget and its verdict.
pub(crate) fn text<const COLUMNS: usize>(head: [&str; COLUMNS], lines: &[Line<COLUMNS>]) -> String {
    let mut widths = head.map(str::len);
    for line in lines {
        if let Line::Row(cells) = line {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
    }
    let mut table = String::new();
    write_cells(&mut table, &widths, &head.map(str::to_owned));
    for line in lines {
        match line {
            Line::Title(title) => {
                let _ = writeln!(table, "\n{title}");
            }
            Line::Row(cells) => write_cells(&mut table, &widths, cells),
        }
    }
    table
}

fn write_cells<const COLUMNS: usize>(
    table: &mut String,
    widths: &[usize; COLUMNS],
    cells: &[String; COLUMNS],
) {
    let mut line = String::new();
    for (index, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        let _ = if (1..COLUMNS - 2).contains(&index) {
            write!(line, "{cell:>width$}  ")
        } else {
            write!(line, "{cell:<width$}  ")
        };
    }
    let _ = writeln!(table, "{}", line.trim_end());
}

/// A time in the unit that fits.
pub(crate) fn show_ns(ns: f64) -> String {
    match ns {
        ns if ns < 100.0 => format!("{ns:.2} ns"),
        ns if ns < 10_000.0 => format!("{ns:.0} ns"),
        ns if ns < 1_000_000.0 => format!("{:.1} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}
