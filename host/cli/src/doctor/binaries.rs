//! What the libraries say of how they were built, against this host and against each other.

use std::collections::BTreeMap;

use keyway_host::inspect::inspect;
use keyway_host::keyway::version::INTERFACE;
use keyway_host::{Finding, explain};
use keyway_install::codes;

use crate::installation::Survey;

/// The findings about all plugins that are to run.
pub(super) fn facts(survey: &Survey) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut compilers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in &survey.records {
        let library = record
            .library
            .as_ref()
            .filter(|_| record.enablement.is_enabled());
        // One that cannot be inspected is not enabled; if it has changed since, the next look will tell.
        let Some(inspection) = library.and_then(|library| inspect(library).ok()) else {
            continue;
        };
        let Ok(note) = inspection.require_note() else {
            continue;
        };
        let behind = INTERFACE.minor.checked_sub(note.built_minor);
        if behind.is_some_and(|minors| minors > 0)
            && let Some(code) = explain("older-interface")
        {
            let built = format!("{}.{}", note.interface_major, note.built_minor);
            let finding = code.finding(format!("built for interface {built}, of {INTERFACE}"));
            found.push(finding.of_plugin(record.label()));
        }
        let same = compilers.entry(note.rustc.clone()).or_default();
        same.push(record.label());
    }
    found.extend(toolchains(&compilers));
    found
}

/// The compilers, each with its plugins, if there are several.
fn toolchains(compilers: &BTreeMap<String, Vec<String>>) -> Option<Finding> {
    if compilers.len() < 2 {
        return None;
    }
    let groups = compilers.iter();
    let groups = groups.map(|(rustc, plugins)| format!("{rustc}: {}", plugins.join(", ")));
    let groups: Vec<String> = groups.collect();
    Some(codes::TOOLCHAINS.finding(groups.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_compilers_are_told_with_their_plugins() {
        let mut compilers = BTreeMap::from([("rustc 1.89.0".to_owned(), vec!["a".to_owned()])]);
        assert_eq!(toolchains(&compilers), None);
        let others = vec!["b".to_owned(), "c".to_owned()];
        compilers.insert("rustc 1.96.1".to_owned(), others);
        let finding = toolchains(&compilers).expect("there are two");
        assert_eq!(finding.message, "rustc 1.89.0: a; rustc 1.96.1: b, c");
    }
}
