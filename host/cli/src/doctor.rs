//! `keyway doctor`: everything that can be found out to be wrong, with what to do about it.

mod binaries;
mod places;
mod report;
mod running;
mod watches;

use keyway_host::config::{self, Sources};
use keyway_host::inspect::ContentHash;
use keyway_host::{Finding, Host, PluginRecord, Quarantined, explain};
use keyway_install::{InstallError, Installer, Lock, codes, lock_beside};

use crate::args::Doctor;
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::installation::Installation;
use crate::session::with_state;
use crate::terminal::{Form, Terminal};
use report::Report;

/// What was found out, and what `--fix` can do about it.
#[derive(Debug)]
pub(super) struct Diagnosis {
    pub(super) finding: Finding,
    pub(super) fix: Option<Fix>,
}

/// What can be done safely.
#[derive(Debug)]
pub(super) enum Fix {
    /// Others lose the right to write this.
    Close(std::path::PathBuf),
    /// Packages that nobody needs go.
    Collect,
    /// A build leaves its quarantine; only where that is asked for by its own option.
    Release(ContentHash),
}

impl From<Finding> for Diagnosis {
    fn from(finding: Finding) -> Self {
        Diagnosis { finding, fix: None }
    }
}

impl Diagnosis {
    /// With what can be done about it.
    fn with(finding: Finding, fix: Fix) -> Self {
        Diagnosis {
            finding,
            fix: Some(fix),
        }
    }
}

pub(crate) fn run(command: &Doctor, terminal: &Terminal) -> Outcome {
    let mut examined = examine(command, terminal)?;
    let mut fixed = Vec::new();
    if command.fix {
        fixed = mend(command, &mut examined, terminal)?;
        if !fixed.is_empty() {
            examined = examine(command, terminal)?;
        }
    }
    let report = Report::of(&examined.found, examined.plugins, fixed);
    match command.place.json {
        true => terminal.json(&report, Form::ForReader)?,
        false => terminal.text(&report.render(terminal.is_verbose()))?,
    }
    match report.worst() {
        Some("error") => Err(Ending::Told(exit::FAILED)),
        Some("warning") => Err(Ending::Told(exit::WARNED)),
        _ => Ok(()),
    }
}

/// What one look answers.
struct Examined {
    installation: Installation,
    found: Vec<Diagnosis>,
    /// How many plugins there are.
    plugins: usize,
}

fn examine(command: &Doctor, terminal: &Terminal) -> Outcome<Examined> {
    let mut findings = Vec::new();
    let installation = Installation::examine(command.place.config.as_deref(), &mut findings)?;
    let mut found: Vec<Diagnosis> = findings.into_iter().map(Into::into).collect();
    found.extend(places::exposed(&installation));
    found.extend(installed(&installation));
    let survey = installation.survey(&command.place.application)?;
    found.extend(survey.findings.iter().cloned().map(Into::into));
    for record in &survey.records {
        found.extend(record.findings.iter().cloned().map(Into::into));
        found.extend(unset(&installation, record).into_iter().map(Into::into));
    }
    found.extend(binaries::facts(&survey).into_iter().map(Into::into));
    found.extend(quarantined(&installation)?.iter().map(of_quarantine));
    found.extend(watches::limits(&installation, &survey).map(Into::into));
    if command.start {
        let failed = running::start(&installation, &command.place.application, terminal)?;
        found.extend(failed.into_iter().map(Into::into));
    }
    // The worst first; of the same kind those of one plugin together.
    found.sort_by(|a, b| {
        let key = |one: &Diagnosis| {
            let finding = &one.finding;
            (finding.severity(), finding.plugin.clone(), finding.code.id)
        };
        let (a, b) = (key(a), key(b));
        b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2)))
    });
    found.dedup_by(|a, b| a.finding == b.finding);
    Ok(Examined {
        plugins: survey.ids().len(),
        installation,
        found,
    })
}

/// The lockfile against the store.
fn installed(installation: &Installation) -> Vec<Diagnosis> {
    let Some(store) = &installation.store else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for locked in installation.lock.plugins() {
        let of = |finding: Finding| finding.of_plugin(locked.id.as_str());
        let whole = locked.digest.map_or(Ok(()), |digest| store.verify(&digest));
        let errors = [whole.err(), locked.hosted(store).err()];
        let mut errors: Vec<InstallError> = errors.into_iter().flatten().collect();
        errors.dedup_by(|a, b| a.code() == b.code());
        found.extend(errors.iter().map(|error| of(of_installation(error)).into()));
        if locked.pinned {
            let message = format!("v{} is pinned: updates leave it alone", locked.version);
            found.push(of(codes::PINNED.finding(message)).into());
        }
        if locked.source.is_link() {
            let message = format!("it is used where it is: {}", locked.source);
            found.push(of(codes::LINKED.finding(message)).into());
        }
    }
    let lock = lock_beside(&installation.settings_file);
    let orphans = Installer::new(installation.home.clone(), lock).and_then(|one| one.orphans());
    match orphans {
        Ok(orphans) if orphans.is_empty() => {}
        Ok(orphans) => {
            let packages = match orphans.len() {
                1 => "1 package is".to_owned(),
                more => format!("{more} packages are"),
            };
            let message = format!("{packages} named by no lockfile");
            let finding = codes::PACKAGE_ORPHAN.finding(message);
            let finding = finding.at(installation.home.store());
            found.push(Diagnosis::with(finding, Fix::Collect));
        }
        // It is told above.
        Err(error) if error.code() == "lockfile" => {}
        Err(error) => found.push(of_installation(&error).into()),
    }
    found
}

/// An error of the installation as a finding with the same code.
pub(crate) fn of_installation(error: &InstallError) -> Finding {
    let code = codes::ALL.iter().find(|code| code.id == error.code());
    let finding = code
        .unwrap_or(&&codes::INSTALLATION)
        .finding(error.message());
    let finding = match error.path() {
        Some(path) => finding.at(path),
        None => finding,
    };
    match error.advice() {
        Some(advice) => finding.hint(advice),
        None => finding,
    }
}

/// What a plugin that is to run is still to be told.
fn unset(installation: &Installation, record: &PluginRecord) -> Vec<Finding> {
    let (Some(id), Some(manifest)) = (&record.id, &record.manifest) else {
        return Vec::new();
    };
    if !record.enablement.is_enabled() {
        return Vec::new();
    }
    let env = |name: &str| std::env::var_os(name);
    let sources = Sources::new(&env);
    let sources = match installation.settings.plugin(id.as_str()) {
        Some(settings) => sources.host(settings),
        None => sources,
    };
    match config::resolve(&manifest.config, &sources) {
        Err(error) => {
            let finding = error.finding().of_plugin(id.as_str());
            let concerned = manifest.config.iter();
            let ways = concerned
                .filter(|(name, _)| error.message().contains(&format!("`{name}`")))
                .map(|(name, field)| match &field.env {
                    Some(env) => format!("keyway config set {id}.{name} VALUE, or set {env}"),
                    None => format!("keyway config set {id}.{name} VALUE"),
                });
            let ways: Vec<String> = ways.collect();
            vec![match ways.is_empty() {
                true => finding,
                false => finding.hint(ways.join("; ")),
            }]
        }
        Ok(resolved) => {
            let code = explain("config-undeclared");
            let warnings = resolved.warnings().iter();
            warnings
                .filter_map(|warning| Some(code?.finding(warning).of_plugin(id.as_str())))
                .collect()
        }
    }
}

/// The builds that ended a process. Where nothing was ever remembered, there are none.
fn quarantined(installation: &Installation) -> Outcome<Vec<Quarantined>> {
    match state_host(installation)? {
        Some(host) => Ok(host.quarantined()),
        None => Ok(Vec::new()),
    }
}

/// A host that remembers what those of this user do.
fn state_host(installation: &Installation) -> Outcome<Option<Host>> {
    let own = installation.settings.host.state_dir.clone();
    let dir = own
        .clone()
        .unwrap_or_else(|| installation.home.state().to_owned());
    if !dir.is_dir() {
        return Ok(None);
    }
    let builder = with_state(Host::builder("keyway", semver::Version::new(0, 0, 0)));
    let builder = match own {
        Some(dir) => builder.state_dir(dir),
        None => builder,
    };
    Ok(Some(builder.build().map_err(Failure::from)?))
}

fn of_quarantine(build: &Quarantined) -> Diagnosis {
    let message = format!(
        "a process died while it loaded v{} ({}), in phase {}",
        build.version, build.hash, build.phase
    );
    let finding = codes::QUARANTINED
        .finding(message)
        .of_plugin(&*build.plugin);
    let finding = finding.at(&build.path);
    let finding = finding.hint(format!(
        "mend it and build it anew; to load this build again: keyway release {}",
        build.hash
    ));
    Diagnosis::with(finding, Fix::Release(build.hash))
}

/// Does what is safe; answers what was done.
fn mend(command: &Doctor, examined: &mut Examined, terminal: &Terminal) -> Outcome<Vec<String>> {
    // Nothing is removed from a store that somebody has open.
    examined.installation.store = None;
    let mut done = Vec::new();
    for diagnosis in &examined.found {
        let what = match &diagnosis.fix {
            None => continue,
            Some(Fix::Close(path)) => {
                places::close(path)?;
                format!("took the right to write {} from others", path.display())
            }
            Some(Fix::Collect) => {
                let lock = lock_beside(&examined.installation.settings_file);
                let installer = Installer::new(examined.installation.home.clone(), lock)?;
                let held = installer.hold("keyway doctor", |holder| {
                    terminal.status("Waiting", format_args!("for {holder}"));
                })?;
                let removed = installer.collect(&held)?;
                match removed {
                    0 => continue,
                    1 => "removed 1 package that nobody needs".to_owned(),
                    more => format!("removed {more} packages that nobody needs"),
                }
            }
            Some(Fix::Release(_)) if !command.release => continue,
            Some(Fix::Release(hash)) => {
                if let Some(host) = state_host(&examined.installation)? {
                    host.release(hash).map_err(Failure::from)?;
                }
                format!("released {hash}")
            }
        };
        terminal.status("Fixed", &what);
        done.push(what);
    }
    Ok(done)
}

impl Installation {
    /// As [`Installation::open`], where what cannot be read is a finding, and the rest goes on without it.
    fn examine(config: Option<&std::path::Path>, findings: &mut Vec<Finding>) -> Outcome<Self> {
        let (settings, lock) = Installation::parts(config)?;
        let settings = settings.unwrap_or_else(|error| {
            findings.extend(error.findings().iter().cloned());
            keyway_host::Settings::default()
        });
        findings.extend(settings.warnings.iter().cloned());
        let lock = lock.unwrap_or_else(|error| {
            findings.push(of_installation(&error));
            Lock::default()
        });
        Installation::with(config, settings, lock)
    }
}
