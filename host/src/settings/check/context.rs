//! The table `[context]`: texts that plugins can read by name.

use std::collections::BTreeMap;

use keyway_manifest::document::{self, Field, Keys, Report, Value};

use super::{Source, bad_name, is_name};
use crate::settings::{ContextText, MAX_TEXT_BYTES};

pub(super) const KEYS: Keys = Keys::plain(&["file"]);

pub(super) fn check(
    field: &Field<'_>,
    source: &Source<'_>,
    report: &mut Report,
) -> Option<BTreeMap<String, ContextText>> {
    let table = field.table(report)?;
    let mut texts = BTreeMap::new();
    for (entry, field) in table.fields() {
        if !is_name(&entry.key) {
            report.push(bad_name(&field, "a text"));
        }
        if let Some(text) = text(&field, source, report) {
            texts.insert(entry.key.clone(), text);
        }
    }
    Some(texts)
}

fn text(field: &Field<'_>, source: &Source<'_>, report: &mut Report) -> Option<ContextText> {
    match &field.node.value {
        Value::String(text) if text.len() as u64 > MAX_TEXT_BYTES => {
            let problem = field.problem("is too long");
            report.push(
                problem
                    .expected(format!("at most {MAX_TEXT_BYTES} bytes"))
                    .found(format!("{} bytes", text.len())),
            );
            None
        }
        Value::String(text) => Some(ContextText {
            text: text.clone(),
            file: None,
        }),
        Value::Table(_) => {
            let table = field.table_with(&KEYS, report)?;
            let field = table.require("file", "the path of a text", report)?;
            let path = source.path(&field, report)?;
            match (source.world.text_of)(&path, MAX_TEXT_BYTES) {
                Ok(text) => Some(ContextText {
                    text,
                    file: Some(path),
                }),
                Err(fault) => {
                    let path = document::text(&path.display().to_string());
                    let problem = field.problem(format!("names a file that {fault}"));
                    report.push(problem.found(format!("`{path}`")));
                    None
                }
            }
        }
        _ => {
            field.wrong_type("a text, or a table with `file`", report);
            None
        }
    }
}
