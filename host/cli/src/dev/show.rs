//! The status lines of `keyway dev`.

use std::path::Path;
use std::time::Duration;

use keyway_host::keyway::capability::Capability;
use keyway_host::keyway::tool::ToolHandle;
use keyway_host::{PluginStatus, RegisteredCapability};

use crate::session::Session;
use crate::terminal::Terminal;

/// Tells what was loaded and what it offers.
pub(super) fn show_loaded(
    plugin: &PluginStatus,
    library: &Path,
    session: &Session,
    terminal: &Terminal,
) {
    terminal.status(
        "Loaded",
        format_args!(
            "{} v{} ({}) in {}",
            plugin.name,
            plugin.version,
            library.display(),
            show_time(plugin.times.total())
        ),
    );
    for offer in &plugin.capabilities {
        show_offer(offer, session, terminal);
    }
    for warning in &plugin.warnings {
        terminal.warning(&warning.to_string());
    }
}

/// Tells what a new version offers and the one before did not, and the other way round.
pub(super) fn show_changed_offers(
    before: &[RegisteredCapability],
    now: &[RegisteredCapability],
    session: &Session,
    terminal: &Terminal,
) {
    for offer in now.iter().filter(|offer| !before.contains(offer)) {
        show_offer(offer, session, terminal);
    }
    for offer in before.iter().filter(|offer| !now.contains(offer)) {
        terminal.status_in_a_line("Withdrew", &title(offer));
    }
}

fn show_offer(offer: &RegisteredCapability, session: &Session, terminal: &Terminal) {
    let mut line = title(offer);
    if offer.id == ToolHandle::ID {
        let tool = session.host.tool(&offer.name).ok();
        let spec = tool.and_then(|tool| tool.spec().ok());
        let description = spec.map(|spec| spec.description).unwrap_or_default();
        if let Some(first) = description.trim().lines().next() {
            line = format!("{line}: {first}");
        }
    }
    terminal.status_in_a_line("Offers", &line);
}

fn title(offer: &RegisteredCapability) -> String {
    format!("{}/{} {}", offer.id, offer.major, offer.name)
}

/// Tells of a call that was answered, before its answer.
pub(super) fn show_called(tool: &str, took: Duration, remark: &str, terminal: &Terminal) {
    let took = show_time(took);
    terminal.status("Called", format_args!("{tool} in {took}{remark}"));
}

/// A time with three digits, in the unit that suits it.
pub(super) fn show_time(time: Duration) -> String {
    let (number, unit) = match time.as_secs_f64() {
        seconds if seconds >= 1.0 => (seconds, "s"),
        seconds if seconds >= 0.001 => (seconds * 1e3, "ms"),
        seconds => (seconds * 1e6, "µs"),
    };
    let decimals = match number {
        n if n >= 99.95 => 0,
        n if n >= 9.995 => 1,
        _ => 2,
    };
    format!("{number:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let cases = [
            (1_234_567, "1.23 s"),
            (99_960, "100 ms"),
            (12_340, "12.3 ms"),
            (1_230, "1.23 ms"),
            (45, "45.0 µs"),
        ];
        for (micros, expected) in cases {
            assert_eq!(show_time(Duration::from_micros(micros)), expected);
        }
    }
}
