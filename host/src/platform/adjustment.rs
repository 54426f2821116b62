//! What became of plugins when files or settings changed while the host runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use keyway_manifest::PluginId;

use super::Report;
use crate::error::HostError;
use crate::reload::ReloadReport;

/// How what runs was brought in line with the files of the roots and with the settings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Adjustment {
    /// The plugins that are not to run any more: their files are gone, or they were disabled, or something
    /// speaks against them now.
    pub stopped: Report,
    /// The plugins whose file is another one now, and that were reloaded from it; each with what came of
    /// it.
    pub moved: BTreeMap<PluginId, Arc<ReloadReport>>,
    /// What became of changed settings, by plugin.
    pub configured: BTreeMap<PluginId, Vec<Configured>>,
    /// The plugins that were started: they are new, or nothing speaks against them any more.
    pub started: Report,
    /// What of the host's own settings has changed and takes effect when the host starts the next time:
    /// names of keys and tables of `keyway.toml`, sorted.
    pub needs_restart: Vec<&'static str>,
}

impl Adjustment {
    /// Whether nothing was to be done.
    pub fn is_empty(&self) -> bool {
        let idle = |report: &Report| report.done.is_empty() && report.is_ok();
        idle(&self.stopped)
            && idle(&self.started)
            && self.moved.is_empty()
            && self.configured.is_empty()
            && self.needs_restart.is_empty()
    }
}

/// One line.
impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing to do");
        }
        let mut sep = "";
        let failed = self.started.failed.len() + self.started.skipped.len();
        for (what, ids) in [
            ("stopped", join(self.stopped.done.iter())),
            ("moved", join(self.moved.keys())),
            ("configured", join(self.configured.keys())),
            ("started", join(self.started.done.iter())),
            ("not started", join(self.started.failed.keys())),
        ] {
            if !ids.is_empty() {
                write!(f, "{sep}{what} {ids}")?;
                sep = "; ";
            }
        }
        if failed > self.started.failed.len() {
            let skipped = join(self.started.skipped.keys());
            write!(f, "{sep}not tried {skipped}")?;
            sep = "; ";
        }
        if !self.needs_restart.is_empty() {
            let keys = self.needs_restart.join(", ");
            write!(f, "{sep}at the next start of the host: {keys}")?;
        }
        Ok(())
    }
}

fn join<'a>(ids: impl Iterator<Item = &'a PluginId>) -> String {
    ids.map(PluginId::as_str).collect::<Vec<_>>().join(", ")
}

/// What became of some settings of a running plugin that have changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Configured {
    /// The plugin has taken these while it ran.
    Applied {
        /// Their names, sorted.
        keys: Vec<String>,
    },
    /// The plugin was reloaded for these: a setting needs it, or the plugin takes none while it runs, or
    /// its permissions are others. The report says whether the new version serves.
    Reloaded {
        /// Their names, sorted; none where only permissions have changed.
        keys: Vec<String>,
        /// What came of it.
        report: Arc<ReloadReport>,
    },
    /// These take effect when the plugin is started the next time, since the host's strategy is not to
    /// reload for settings.
    NeedsRestart {
        /// Their names, sorted.
        keys: Vec<String>,
    },
    /// The plugin goes on with the settings that it has.
    Refused {
        /// Why: they do not fit, or the plugin did not take them.
        reason: Arc<HostError>,
    },
}

impl fmt::Display for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Configured::Applied { keys } => write!(f, "applied {}", keys.join(", ")),
            Configured::Reloaded { keys, report } => {
                let keys = match keys.is_empty() {
                    true => "its permissions".to_owned(),
                    false => keys.join(", "),
                };
                let serves = match report.outcome.reason() {
                    None => "reloaded for",
                    Some(_) => "could not be reloaded for",
                };
                write!(f, "{serves} {keys}")
            }
            Configured::NeedsRestart { keys } => {
                write!(f, "needs a restart for {}", keys.join(", "))
            }
            Configured::Refused { reason } => write!(f, "refused: {reason}"),
        }
    }
}
