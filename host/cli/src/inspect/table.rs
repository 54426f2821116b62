//! The facts of a library as a table for people.

mod manifest;

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use keyway_host::keyway::version::INTERFACE;

use super::report::{Library, Plugin};
use crate::args::Application;
use crate::terminal::{COLUMNS, printable};
use crate::wrap::wrap;

const TITLE: Style = Style::new().bold();
const LABEL: Style = AnsiColor::Cyan.on_default();
const BAD: Style = AnsiColor::BrightRed.on_default().bold();
const DOUBTFUL: Style = AnsiColor::BrightYellow.on_default().bold();

/// The longest label and the gap behind it.
const LABEL_COLUMNS: usize = 14;

/// Rows of label and value, with the values under each other.
#[derive(Debug, Default)]
struct Table {
    text: String,
}

/// Renders a library; ends with a line end.
pub(super) fn render(library: &Library, application: &Application, verbose: bool) -> String {
    let mut table = Table::default();
    let manifest = library
        .plugin
        .as_ref()
        .and_then(|plugin| plugin.parsed.as_ref());
    match manifest {
        Some(manifest) => {
            table.title(&format!("{} {}", manifest.id, manifest.version));
            if let Some(description) = &manifest.description {
                table.paragraph(description);
            }
        }
        None => {
            let name = library.path.file_name().unwrap_or_default();
            table.title(&name.to_string_lossy());
        }
    }
    table.text.push('\n');
    file(&mut table, library, verbose);
    if let Some(plugin) = &library.plugin {
        build(&mut table, plugin);
    }
    if let Some(manifest) = manifest {
        manifest::rows(&mut table, manifest);
    }
    verdict(&mut table, library, application);
    table.text
}

fn file(table: &mut Table, library: &Library, verbose: bool) {
    table.row("file", &library.path.display().to_string());
    table.row("size", &size(library.size));
    table.row("hash", &hash(&library.hash, verbose));
    let os = library.os.as_ref().map(|os| format!(", {os}"));
    let os = os.unwrap_or_default();
    let Library {
        format,
        arch,
        bits,
        endian,
        ..
    } = library;
    table.row(
        "format",
        &format!("{format}, {arch}, {bits} bit, {endian} endian{os}"),
    );
    if let Some(soname) = library.soname.as_ref().filter(|_| verbose) {
        table.row("soname", soname);
    }
    table.row("needs", &listed(&library.needed));
}

fn build(table: &mut Table, plugin: &Plugin) {
    table.row("target", &plugin.target);
    table.row("compiler", &plugin.rustc);
    table.row("panic", &plugin.panic);
    let interface = &plugin.interface;
    let mut text = format!("{}.{}", interface.major, interface.built_minor);
    if interface.required_minor != interface.built_minor {
        let _ = write!(
            text,
            ", requires {}.{}",
            interface.major, interface.required_minor
        );
    }
    table.row("interface", &text);
}

/// Whether it would be loaded, and what else there is to know.
fn verdict(table: &mut Table, library: &Library, application: &Application) {
    if library.plugin.is_some() {
        let host = format!("keyway {}, interface {INTERFACE}", application.host_version);
        match &library.problem {
            None => table.row("loads in", &host),
            Some(problem) => {
                table.remark(BAD, "refused", &format!("by {host}: {}", problem.message()));
                if let Some(hint) = problem.advice() {
                    table.row("hint", hint);
                }
            }
        }
    }
    if let Some(signal) = library.signal {
        table.row("signal", signal);
    }
    for warning in &library.warnings {
        table.remark(DOUBTFUL, "warning", warning);
    }
}

impl Table {
    fn title(&mut self, text: &str) {
        let text = printable(text);
        let _ = writeln!(self.text, "{TITLE}{text}{TITLE:#}");
    }

    fn paragraph(&mut self, text: &str) {
        for line in wrap(&printable(text), COLUMNS) {
            let _ = writeln!(self.text, "{line}");
        }
    }

    fn row(&mut self, label: &str, value: &str) {
        self.remark(LABEL, label, value);
    }

    /// A value that belongs to the label above.
    fn continued(&mut self, value: &str) {
        self.row("", value);
    }

    fn remark(&mut self, style: Style, label: &str, value: &str) {
        let mut label = label;
        for line in wrap(&printable(value), COLUMNS - LABEL_COLUMNS) {
            let gap = LABEL_COLUMNS - label.len();
            let _ = writeln!(self.text, "{style}{label}{style:#}{:gap$}{line}", "");
            label = "";
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

/// Enough of a hash to tell files apart in a table; `-v` and `--json` have all of it.
fn hash(hash: &str, verbose: bool) -> String {
    const SHOWN: usize = "blake3:".len() + 16;
    match hash.get(..SHOWN) {
        Some(start) if !verbose => format!("{start}…"),
        _ => hash.to_owned(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a size with one decimal needs no more precision"
)]
fn size(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    let mut size = bytes as f64;
    let mut unit = "bytes";
    for larger in UNITS {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    if unit == "bytes" {
        format!("{bytes} bytes")
    } else {
        format!("{size:.1} {unit} ({bytes} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_the_unit_that_suits_them() {
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB (1536 bytes)");
        assert_eq!(size(40 << 20), "40.0 MiB (41943040 bytes)");
    }
}
