//! The table `[plugin.dependencies]`.

use std::collections::BTreeMap;

use super::field::Field;
use super::keys::Keys;
use super::{plugin, version};
use crate::diagnostic::report::{Problem, Report};
use crate::tree::{Value, show};
use crate::{Dependency, PluginId};

const KEYS: Keys = Keys::plain(&["version", "optional"]);

pub(super) fn check(
    field: &Field<'_>,
    own_id: Option<&PluginId>,
    report: &mut Report,
) -> Option<BTreeMap<PluginId, Dependency>> {
    let table = field.table(report)?;
    let mut dependencies = BTreeMap::new();
    for (entry, field) in table.fields() {
        let id = match PluginId::new(&entry.key) {
            Ok(id) => Some(id),
            Err(fault) => {
                let message = format!("the plugin id `{}` {fault}", show::text(&entry.key));
                let problem = Problem::new(&entry.key_span, &field.path, message);
                report.push(plugin::bad_id(problem, &entry.key));
                None
            }
        };
        if id.is_some() && id.as_ref() == own_id {
            let message = format!("`{}` depends on itself", entry.key);
            report.push(
                Problem::new(&entry.key_span, &field.path, message).hint("remove the dependency"),
            );
        }
        if let (Some(id), Some(dependency)) = (id, dependency(&field, report)) {
            dependencies.insert(id, dependency);
        }
    }
    Some(dependencies)
}

/// A requirement, or a table with one.
fn dependency(field: &Field<'_>, report: &mut Report) -> Option<Dependency> {
    match field.node.value {
        Value::String(_) => {
            let requirement = version::requirement(field, report)?;
            Some(Dependency {
                requirement,
                optional: false,
            })
        }
        Value::Table(_) => {
            let table = field.table_with(&KEYS, report)?;
            let optional = table
                .get("optional")
                .and_then(|field| field.boolean(report));
            let field = table.require("version", "a requirement, such as \"^1.2\"", report)?;
            let requirement = version::requirement(&field, report)?;
            Some(Dependency {
                requirement,
                optional: optional.unwrap_or(false),
            })
        }
        _ => {
            let table = show::table(report.syntax());
            field.wrong_type(
                &format!("a version requirement, or {table} with one"),
                report,
            );
            None
        }
    }
}
