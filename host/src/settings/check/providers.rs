//! The table `[providers]`: which provider is asked before which.

use keyway_manifest::document::{self, Field, Keys, Report};

pub(super) const KEYS: Keys = Keys::plain(&["order"]);

pub(super) fn order(field: &Field<'_>, report: &mut Report) -> Option<Vec<String>> {
    let table = field.table_with(&KEYS, report)?;
    let field = table.get("order")?;
    let mut order = Vec::new();
    for field in field.elements("an array of names of providers", report)? {
        let Some(name) = document::line(&field, report) else {
            continue;
        };
        if order.contains(&name) {
            let problem = field.problem("repeats an earlier name");
            report.push(problem.hint("remove one of the two"));
            continue;
        }
        order.push(name);
    }
    Some(order)
}
