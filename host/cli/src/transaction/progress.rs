//! How far downloads are: one line of stderr, on terminals only.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use keyway_install::Progress;

use crate::terminal::{Terminal, VERB_COLUMNS};

/// How many columns the bar takes.
const BAR: usize = 24;
/// Faster than this nobody can read.
const INTERVAL: Duration = Duration::from_millis(80);

/// What draws the line, if there is somebody to see it.
pub(super) fn line(terminal: &Terminal) -> Option<impl Fn(Progress<'_>) + Send + Sync + 'static> {
    let is_seen =
        std::io::stderr().is_terminal() && !terminal.is_quiet() && !terminal.has_json_errors();
    let last: Mutex<Option<Instant>> = Mutex::new(None);
    let draw = move |progress: Progress<'_>| {
        let is_end = progress.done >= progress.total;
        let Ok(mut last) = last.lock() else { return };
        if !is_end && last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        *last = Some(Instant::now());
        let mut stderr = std::io::stderr();
        // To the start of the line, and all after it away; at the end nothing of it stays.
        let line = match is_end {
            true => String::new(),
            false => drawn(progress.what, progress.done, progress.total),
        };
        let _ = write!(stderr, "\r\x1b[K{line}");
        let _ = stderr.flush();
    };
    is_seen.then_some(draw)
}

fn drawn(what: &str, done: u64, total: u64) -> String {
    let share =
        |of: u64| usize::try_from(u128::from(of) * u128::from(done) / u128::from(total.max(1)));
    let filled = share(BAR as u64).unwrap_or(BAR).min(BAR);
    let bar = "#".repeat(filled) + &" ".repeat(BAR - filled);
    let mebibytes = |bytes: u64| format!("{}.{}", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20);
    format!(
        "{:>VERB_COLUMNS$} {what} [{bar}] {}/{} MiB",
        "Downloading",
        mebibytes(done),
        mebibytes(total)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_what_is_there() {
        let drawn = |done| drawn("x", done, 4 << 20);
        assert_eq!(
            drawn(0),
            " Downloading x [                        ] 0.0/4.0 MiB"
        );
        assert_eq!(
            drawn(2 << 20),
            " Downloading x [############            ] 2.0/4.0 MiB"
        );
    }
}
