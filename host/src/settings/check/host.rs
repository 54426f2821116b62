//! The table `[host]`.

use std::time::Duration;

use keyway_manifest::document::{self, Field, Keys, Report, Table};

use super::Source;
use crate::discovery::Origin;
use crate::settings::{HostSettings, RootSetting, Strategy};

pub(super) const KEYS: Keys = Keys::plain(&[
    "strategy",
    "hot_reload",
    "watch_interval_secs",
    "lifecycle_deadline_secs",
    "call_deadline_ms",
    "max_concurrency",
    "max_retained",
    "stage_dir",
    "state_dir",
    "roots",
]);

pub(super) const ROOT_KEYS: Keys = Keys::plain(&["origin", "path"]);

pub(super) fn check(
    field: &Field<'_>,
    source: &Source<'_>,
    report: &mut Report,
) -> Option<HostSettings> {
    let table = field.table_with(&KEYS, report)?;
    let strategy = table.get("strategy").and_then(|field| {
        let choices = Strategy::ALL.map(|strategy| (strategy.name(), strategy));
        document::choice(&field, &choices, report)
    });
    let mut limit = |key| limit(&table, key, report);
    let watch_interval = limit("watch_interval_secs").map(Duration::from_secs);
    let lifecycle_deadline = limit("lifecycle_deadline_secs").map(Duration::from_secs);
    let call_deadline = limit("call_deadline_ms").map(Duration::from_millis);
    let (max_concurrency, max_retained) = (limit("max_concurrency"), limit("max_retained"));
    let hot_reload = table
        .get("hot_reload")
        .and_then(|field| field.boolean(report));
    let mut path = |key| {
        let field = table.get(key)?;
        source.path(&field, report)
    };
    let (stage_dir, state_dir) = (path("stage_dir"), path("state_dir"));
    let roots = table
        .get("roots")
        .map(|field| roots(&field, source, report));
    Some(HostSettings {
        strategy: strategy.unwrap_or_default(),
        hot_reload,
        watch_interval,
        lifecycle_deadline,
        call_deadline,
        max_concurrency,
        max_retained,
        stage_dir,
        state_dir,
        roots: roots.unwrap_or_default(),
    })
}

fn limit(table: &Table<'_>, key: &str, report: &mut Report) -> Option<u64> {
    let hint = "remove the key for the default";
    table.get(key)?.limit(hint, report)
}

fn roots(field: &Field<'_>, source: &Source<'_>, report: &mut Report) -> Vec<RootSetting> {
    let expected = "an array of tables with `origin` and `path`, each a [[host.roots]]";
    let mut roots: Vec<RootSetting> = Vec::new();
    for field in field.elements(expected, report).unwrap_or_default() {
        let Some(root) = root(&field, source, report) else {
            continue;
        };
        if roots.iter().any(|earlier| earlier.path == root.path) {
            let problem = field.problem("repeats the path of an earlier root");
            report.push(problem.hint("remove one of the two"));
            continue;
        }
        roots.push(root);
    }
    roots
}

fn root(field: &Field<'_>, source: &Source<'_>, report: &mut Report) -> Option<RootSetting> {
    let table = field.table_with(&ROOT_KEYS, report)?;
    let names = Origin::ALL.map(|origin| format!("\"{origin}\""));
    let origin = table
        .require("origin", &format!("one of {}", names.join(", ")), report)
        .and_then(|field| {
            let choices = Origin::ALL.map(|origin| (origin.name(), origin));
            document::choice(&field, &choices, report)
        });
    let path = table
        .require("path", "a path, such as \"./plugins\"", report)
        .and_then(|field| source.path(&field, report));
    Some(RootSetting {
        origin: origin?,
        path: path?,
    })
}
