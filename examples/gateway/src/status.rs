//! The status of all plugins, explained for people.

use keyway_host::{Host, PluginRecord, Runtime, explain};

/// What there is to say of each plugin, of what it offers and of what it needs.
pub(crate) fn status(host: &Host) -> String {
    let records = host.records();
    records.iter().map(|record| one(host, record)).collect()
}

fn one(host: &Host, record: &PluginRecord) -> String {
    // A reload may have taken another version over since the roots were looked at.
    let running = host.plugin(&record.label()).map(|status| status.version);
    let version = running.ok().or_else(|| record.version.clone());
    let version = version.map_or(String::new(), |version| format!("v{version}"));
    let mut lines = vec![format!(
        "{:<9} {version:<7} {}, {}",
        record.label(),
        record.enablement.name(),
        record.runtime.name()
    )];
    let needs: Vec<&str> = record.dependencies.iter().map(|id| id.as_str()).collect();
    if !needs.is_empty() {
        lines.push(format!("  needs   {}", needs.join(", ")));
    }
    for offered in host.capabilities() {
        if record.label() == offered.plugin {
            lines.push(format!("  offers  {} `{}`", offered.id, offered.name));
        }
    }
    for finding in &record.findings {
        lines.push(format!(
            "  {}  [{}] {}",
            finding.severity(),
            finding.code,
            finding.message
        ));
    }
    if let Runtime::Failed { reason } = &record.runtime {
        lines.push(format!(
            "  error   [{}] {}",
            reason.code(),
            reason.message()
        ));
        if let Some(code) = explain(reason.code()) {
            lines.push(format!("  meaning {}", code.cause));
            lines.push(format!("  cure    {}", code.cure));
        }
    }
    lines.iter().map(|line| folded(line)).collect()
}

/// A line as several of at most 80 characters, the later ones indented.
fn folded(line: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in line.split_inclusive(' ') {
        if width + word.trim_end().chars().count() > 80 {
            text.truncate(text.trim_end().len());
            text.push_str("\n          ");
            width = 10;
        }
        text.push_str(word);
        width += word.chars().count();
    }
    text + "\n"
}
