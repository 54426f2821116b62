//! The table `[plugin]`.

use semver::Version;

use super::field::{Field, Table};
use super::keys::Keys;
use super::{
    activation, capabilities, commands, config, content, dependencies, list, permissions, reload,
    requires, resources, text, version,
};
use crate::diagnostic::report::{Problem, Report};
use crate::id::InvalidPluginId;
use crate::tree::show;
use crate::{Capabilities, Isolation, Manifest, PluginId, Resources};

pub(super) const KEYS: Keys = Keys {
    listed: &[
        "id",
        "version",
        "description",
        "authors",
        "license",
        "homepage",
        "min_host_version",
        "max_host_version",
        "isolation",
        "capabilities",
        "commands",
        "requires",
        "dependencies",
        "activation",
        "permissions",
        "config",
        "resources",
        "reload",
        "content",
    ],
    aliases: &["name", "author"],
    elsewhere: &[
        ("plugin.capabilities", &capabilities::KINDS),
        ("plugin.permissions", permissions::KEYS.listed),
        ("plugin.resources", &Resources::KEYS),
        ("plugin.reload", reload::KEYS.listed),
        ("plugin.activation", activation::KEYS.listed),
    ],
};

pub(super) fn check(field: &Field<'_>, report: &mut Report) -> Option<Manifest> {
    let table = field.table_with(&KEYS, report)?;
    let id = id(&table, report);
    let version = table
        .require("version", "a semantic version, such as \"0.1.0\"", report)
        .and_then(|field| version::version(&field, report));
    let description = table
        .get("description")
        .and_then(|field| text::prose(&field, report));
    let authors = authors(&table, report);
    let license = table
        .get("license")
        .and_then(|field| text::line(&field, report));
    let homepage = table
        .get("homepage")
        .and_then(|field| text::web_url(&field, report));
    let min_host_version = table
        .require(
            "min_host_version",
            "the oldest host version, such as \"0.1.0\"",
            report,
        )
        .and_then(|field| version::version(&field, report));
    let max_host_version = max_host_version(&table, min_host_version.as_ref(), report);
    let isolation = table.get("isolation").and_then(|field| {
        let choices = Isolation::ALL.map(|isolation| (isolation.as_str(), isolation));
        text::choice(&field, &choices, report)
    });
    let capabilities_field = table.get("capabilities");
    let mut capabilities = match &capabilities_field {
        Some(field) => capabilities::check(field, report),
        None => Some(Capabilities::default()),
    };
    let commands = table
        .get("commands")
        .and_then(|field| commands::check(&field, capabilities.as_ref(), report));
    let requires = table
        .get("requires")
        .and_then(|field| requires::check(&field, report));
    let dependencies = table
        .get("dependencies")
        .and_then(|field| dependencies::check(&field, id.as_ref(), report));
    let activation = table
        .get("activation")
        .and_then(|field| activation::check(&field, report));
    let permissions = table
        .get("permissions")
        .and_then(|field| permissions::check(&field, report));
    let config = table
        .get("config")
        .and_then(|field| config::check(&field, report));
    let resources = table
        .get("resources")
        .and_then(|field| resources::check(&field, report));
    let reload = table
        .get("reload")
        .and_then(|field| reload::check(&field, report));
    let content = table
        .get("content")
        .and_then(|field| content::check(&field, report));
    if let (Some(content), Some(capabilities)) = (&content, &mut capabilities) {
        content::declare(content, capabilities_field.as_ref(), capabilities, report);
    }

    // A part that was there and wrong reads like a missing one here, but has been reported, and the
    // report decides whether the manifest is given out.
    Some(Manifest {
        id: id?,
        version: version?,
        description,
        authors: authors.unwrap_or_default(),
        license,
        homepage,
        min_host_version: min_host_version?,
        max_host_version,
        isolation: isolation.unwrap_or_default(),
        capabilities: capabilities.unwrap_or_default(),
        commands: commands.unwrap_or_default(),
        requires: requires.unwrap_or_default(),
        dependencies: dependencies.unwrap_or_default(),
        activation: activation.unwrap_or_default(),
        permissions: permissions.unwrap_or_default(),
        config: config.unwrap_or_default(),
        resources: resources.unwrap_or_default(),
        reload: reload.unwrap_or_default(),
        content,
        package: None,
    })
}

/// The id, under `id` or `name`; under both when they agree.
fn id(table: &Table<'_>, report: &mut Report) -> Option<PluginId> {
    let Some(name) = table.get("name") else {
        return table
            .require("id", "the plugin's id, such as \"text-filter\"", report)
            .and_then(|field| plugin_id(&field, report));
    };
    let alias = plugin_id(&name, report);
    let Some(field) = table.get("id") else {
        return alias;
    };
    let id = plugin_id(&field, report)?;
    let alias = alias?;
    if alias != id {
        let problem = name.problem(format!("contradicts `{}`", field.path));
        report.push(
            problem
                .expected(show::quoted(id.as_str()))
                .found(show::quoted(alias.as_str()))
                .hint("keep only `id`"),
        );
    }
    Some(id)
}

/// Checks the id of a plugin.
pub fn plugin_id(field: &Field<'_>, report: &mut Report) -> Option<PluginId> {
    let text = field.string(report)?;
    match PluginId::new(text) {
        Ok(id) => Some(id),
        Err(fault) => {
            report.push(bad_id(field.problem(fault.to_string()), text));
            None
        }
    }
}

/// Completes the problem that `text` is no plugin id.
#[must_use]
pub fn bad_id(problem: Problem, text: &str) -> Problem {
    let repaired = text
        .trim()
        .to_ascii_lowercase()
        .replace(['_', ' ', '.'], "-");
    let hint = PluginId::new(&repaired)
        .is_ok()
        .then(|| super::suggest::did_you_mean(&repaired));
    problem
        .expected(InvalidPluginId::EXPECTED)
        .found(show::quoted(text))
        .maybe_hint(hint)
}

/// The list `authors`, or the one `author`.
fn authors(table: &Table<'_>, report: &mut Report) -> Option<Vec<String>> {
    let field = table.get_either("authors", "author", report)?;
    if table.get("authors").is_none() {
        return text::line(&field, report).map(|author| vec![author]);
    }
    list::of(&field, "an array of strings", text::line, report)
}

fn max_host_version(
    table: &Table<'_>,
    min: Option<&Version>,
    report: &mut Report,
) -> Option<Version> {
    let field = table.get("max_host_version")?;
    let max = version::version(&field, report)?;
    let min = min.filter(|min| max.cmp_precedence(min).is_lt());
    if let Some(min) = min {
        let problem = field.problem(format!("is lower than `{}.min_host_version`", table.path));
        report.push(
            problem
                .expected(format!("at least {min}"))
                .found(max.to_string()),
        );
    }
    Some(max)
}
