//! Lists in which nothing is said twice.

use std::collections::BTreeSet;

use super::field::Field;
use crate::diagnostic::report::Report;

/// Checks every element with `element`, and that all are different.
pub(super) fn of<T: Clone + Ord>(
    field: &Field<'_>,
    expected: &str,
    element: impl Fn(&Field<'_>, &mut Report) -> Option<T>,
    report: &mut Report,
) -> Option<Vec<T>> {
    let mut seen = BTreeSet::new();
    let mut elements = Vec::new();
    let mut is_valid = true;
    for entry in field.elements(expected, report)? {
        let Some(element) = element(&entry, report) else {
            is_valid = false;
            continue;
        };
        if !seen.insert(element.clone()) {
            let problem = entry
                .problem("repeats an earlier entry")
                .found(entry.found(report));
            report.push(problem.hint("remove one of the two"));
            is_valid = false;
            continue;
        }
        elements.push(element);
    }
    is_valid.then_some(elements)
}
