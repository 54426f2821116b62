//! `keyway permissions`: what plugins ask for, who has granted it, and what nobody has.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use keyway_host::inspect::hash_file;
use keyway_host::permission::{Approval, admit};
use keyway_host::{
    ApprovalRequest, Approver, Grant, PermissionDiff, PermissionStore, PluginRecord,
};
use serde::Serialize;

use crate::args::{Permissions, PermissionsCommand, PermissionsGrant, PermissionsRevoke, StandIn};
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::installation::Installation;
use crate::terminal::{Form, Terminal, printable};
use crate::transaction::{self, TRUST, Terms};

const TITLE: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const DOUBTFUL: Style = AnsiColor::BrightYellow.on_default().bold();

/// What is printed of a run.
#[derive(Debug, Serialize)]
struct Report {
    schema_version: u32,
    plugins: Vec<Plugin>,
    /// What a permission is, and what it is not.
    notice: &'static str,
}

#[derive(Debug, Serialize)]
struct Plugin {
    id: String,
    version: String,
    permissions: Vec<Permission>,
}

/// One thing that a plugin asks for.
#[derive(Debug, Serialize)]
struct Permission {
    permission: String,
    granted: bool,
    /// `settings`, `lockfile` or `approved`; none if nobody has granted it.
    by: Option<&'static str>,
}

pub(crate) fn run(command: &Permissions, terminal: &Terminal) -> Outcome {
    match &command.command {
        None => show(command, terminal),
        Some(PermissionsCommand::Grant(command)) => grant(command, terminal),
        Some(PermissionsCommand::Revoke(command)) => revoke(command, terminal),
    }
}

fn show(command: &Permissions, terminal: &Terminal) -> Outcome {
    let installation = Installation::open(command.place.config.as_deref())?;
    let survey = installation.survey(&command.place.application)?;
    let store = store(&installation)?;
    let records: Vec<&PluginRecord> = match &command.plugin {
        Some(id) => vec![survey.find(id)?],
        None => survey.used().collect(),
    };
    let mut plugins = Vec::new();
    for record in records {
        let asked = permissions(record, &installation, &store)?;
        if let (Some(id), Some(version)) = (&record.id, &record.version)
            && (command.plugin.is_some() || !asked.is_empty())
        {
            plugins.push(Plugin {
                id: id.to_string(),
                version: version.to_string(),
                permissions: asked,
            });
        }
    }
    let report = Report {
        schema_version: SCHEMA_VERSION,
        plugins,
        notice: TRUST,
    };
    if command.place.json {
        return terminal.json(&report, Form::ForReader);
    }
    terminal.text(&report.render())?;
    terminal.note(TRUST);
    Ok(())
}

/// What a plugin asks for, line by line.
fn permissions(
    record: &PluginRecord,
    installation: &Installation,
    store: &PermissionStore,
) -> Outcome<Vec<Permission>> {
    let (Some(id), Some(manifest)) = (&record.id, &record.manifest) else {
        return Ok(Vec::new());
    };
    let base = base(record);
    let normal = |asked| {
        let grant = Grant::normalise(asked, base);
        grant.map_err(|finding| Ending::from(Failure::from(&finding)))
    };
    let asked = normal(&manifest.permissions)?;
    let settings = installation.settings.plugin(id.as_str());
    let in_settings = settings.and_then(|settings| settings.permissions.as_ref());
    let in_settings = in_settings.map(normal).transpose()?.unwrap_or_default();
    let agreed = match (installation.locked(record), &installation.store) {
        (Some(locked), Some(store)) if !locked.source.is_link() => locked.hosted(store)?.granted,
        _ => Grant::default(),
    };
    let known = store
        .of_plugin(id)
        .map_err(|finding| Failure::from(&finding))?;
    let hash = record
        .library
        .as_ref()
        .and_then(|library| hash_file(library).ok());
    let same = known.iter().filter(|approved| Some(approved.hash) == hash);
    let approved = same
        .chain(known.last())
        .fold(Grant::default(), |all, approved| all.union(&approved.grant));
    let sources = [
        ("settings", in_settings),
        ("lockfile", agreed),
        ("approved", approved),
    ];
    let missing: Vec<(&str, Vec<String>)> = sources
        .iter()
        .map(|(by, grant)| (*by, PermissionDiff::between(grant, &asked).added.lines()))
        .collect();
    let lines = asked.lines().into_iter();
    Ok(lines
        .map(|permission| {
            let by = missing
                .iter()
                .find(|(_, lines)| !lines.contains(&permission));
            Permission {
                granted: by.is_some(),
                by: by.map(|(by, _)| *by),
                permission: from_own(&permission, base),
            }
        })
        .collect())
}

/// A permission with paths in the plugin's own directory as its manifest has them: another version has another
/// directory.
fn from_own(permission: &str, base: &Path) -> String {
    let own = base.display().to_string();
    match permission.split_once(&own) {
        Some((verb, "")) => format!("{verb}."),
        Some((verb, rest)) if rest.starts_with(std::path::MAIN_SEPARATOR) => {
            format!("{verb}.{rest}")
        }
        _ => permission.to_owned(),
    }
}

/// Where the relative paths of a plugin begin.
fn base(record: &PluginRecord) -> &Path {
    let file = record.library.as_deref().unwrap_or(&record.path);
    match file.is_dir() {
        true => file,
        false => file.parent().unwrap_or(file),
    }
}

/// What was approved by hosts of this user.
fn store(installation: &Installation) -> Outcome<PermissionStore> {
    let dir = installation.settings.host.state_dir.clone();
    let dir: PathBuf = dir.unwrap_or_else(|| installation.home.state().to_owned());
    let store = PermissionStore::open(dir.join("permissions.json"));
    Ok(store.map_err(|finding| Failure::from(&finding))?)
}

fn grant(command: &PermissionsGrant, terminal: &Terminal) -> Outcome {
    let place = &command.place;
    let installation = Installation::open(place.config.as_deref())?;
    let survey = installation.survey(&StandIn::default())?;
    let record = survey.find(&command.plugin)?;
    let Some(locked) = installation.locked(record) else {
        let message = format!("plugin '{}' is not installed", command.plugin);
        let failure = Failure::new(exit::NOT_FOUND, "not-installed", message);
        return Err(Ending::from(failure.hint(format!(
            "what is in a root is granted under [plugin.{}.permissions] in the settings file",
            command.plugin
        ))));
    };
    let is_link = locked.source.is_link();
    transaction::run(
        "keyway permissions grant",
        place,
        Terms::grant(command.yes),
        terminal,
        None,
        |installer| installer.plan_grant(&command.plugin),
    )?;
    // The lockfile approves of bytes that it knows, and of a link it knows none.
    if is_link && !place.dry_run {
        remember(record, &installation)?;
    }
    Ok(())
}

/// Has the hosts of this user know that a plugin may have what it asks for.
fn remember(record: &PluginRecord, installation: &Installation) -> Outcome {
    let (Some(id), Some(version), Some(manifest), Some(library)) = (
        &record.id,
        &record.version,
        &record.manifest,
        &record.library,
    ) else {
        return Ok(());
    };
    let hash = hash_file(library).map_err(Failure::from)?;
    let asked = Grant::normalise(&manifest.permissions, base(record));
    let asked = asked.map_err(|finding| Failure::from(&finding))?;
    let admitted = admit(&store(installation)?, &Agreed, id, version, &hash, asked);
    admitted
        .map(drop)
        .map_err(|finding| Failure::from(&finding).into())
}

/// Somebody has agreed already.
struct Agreed;

impl Approver for Agreed {
    fn decide(&self, _: &ApprovalRequest<'_>) -> Approval {
        Approval::Allow
    }
}

fn revoke(command: &PermissionsRevoke, terminal: &Terminal) -> Outcome {
    let place = &command.place;
    let id = &command.plugin;
    let installation = Installation::open(place.config.as_deref())?;
    transaction::run(
        "keyway permissions revoke",
        place,
        Terms::harmless(),
        terminal,
        None,
        |installer| installer.plan_revoke(id),
    )?;
    if !place.dry_run {
        let revoked = store(&installation)?.revoke(id);
        revoked.map_err(|finding| Failure::from(&finding))?;
        terminal.note("what runs keeps what it has until it ends");
    }
    let settings = installation.settings.plugin(id.as_str());
    if settings.is_some_and(|settings| settings.permissions.is_some()) {
        terminal.warning(&format!(
            "[plugin.{id}.permissions] in the settings file grants what it says all the same"
        ));
    }
    Ok(())
}

impl Report {
    fn render(&self) -> String {
        if self.plugins.is_empty() {
            return "no plugin asks for anything\n".to_owned();
        }
        let mut text = String::new();
        for plugin in &self.plugins {
            let _ = writeln!(text, "{TITLE}{} {}{TITLE:#}", plugin.id, plugin.version);
            if plugin.permissions.is_empty() {
                text.push_str("  asks for nothing\n");
            }
            for Permission { permission, by, .. } in &plugin.permissions {
                let permission = printable(permission);
                let _ = match by {
                    Some(by) => {
                        let who = match *by {
                            "settings" => "by the settings file",
                            "lockfile" => "when it was installed",
                            _ => "approved",
                        };
                        writeln!(text, "  {GOOD}granted{GOOD:#}  {permission}  ({who})")
                    }
                    None => writeln!(text, "  {DOUBTFUL}new{DOUBTFUL:#}      {permission}"),
                };
            }
        }
        text
    }
}
