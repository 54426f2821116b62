//! What there is for this user, or in this project: the settings file, the lockfile beside it, and the plugins that
//! follow from both. No code of any plugin runs for it.

use std::path::{Path, PathBuf};

use keyway_host::manifest::PluginId;
use keyway_host::{
    AllowList, Finding, HostBuilder, PluginRecord, Settings, SettingsError, suggestion,
};
use keyway_install::{Home, InstallError, Lock, Locked, Store, lock_beside};

use crate::approve::AgreedOrAsked;
use crate::args::StandIn;
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;
use crate::session::stand_in;

/// A settings file and its lockfile, as they are now.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) home: Home,
    /// Absolute. It need not be there.
    pub(crate) settings_file: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) lock: Lock,
    /// None where nothing was ever installed.
    pub(crate) store: Option<Store>,
}

/// A settings file and its lockfile as they read, or do not.
pub(crate) type Parts = (Result<Settings, SettingsError>, Result<Lock, InstallError>);

/// What follows from them.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) records: Vec<PluginRecord>,
    /// What there is to say of roots, and of nobody in particular.
    pub(crate) findings: Vec<Finding>,
    /// Plugins of the lockfile that cannot be found where they were installed.
    pub(crate) missing: Vec<(PluginId, InstallError)>,
}

impl Installation {
    /// Reads what there is.
    pub(crate) fn open(config: Option<&Path>) -> Outcome<Self> {
        let (settings, lock) = Self::parts(config)?;
        let settings = settings.map_err(|error| wrong_settings(&error))?;
        Self::with(config, settings, lock?)
    }

    /// The two files as they read.
    pub(crate) fn parts(config: Option<&Path>) -> Outcome<Parts> {
        let file = settings_file(&Home::of_user()?, config)?;
        let settings = match file.exists() {
            true => Settings::read(&file),
            false => Ok(Settings::default()),
        };
        Ok((settings, Lock::read(&lock_beside(&file))))
    }

    /// With what was read of them.
    pub(crate) fn with(config: Option<&Path>, settings: Settings, lock: Lock) -> Outcome<Self> {
        let home = Home::of_user()?;
        let settings_file = settings_file(&home, config)?;
        let store = match lock.is_empty() && !home.store().is_dir() {
            true => None,
            false => Some(Store::open(&home)?),
        };
        Ok(Installation {
            home,
            settings_file,
            settings,
            lock,
            store,
        })
    }

    /// Sets a host up for all plugins of the lockfile that can be found; the others are answered beside it.
    pub(crate) fn equip(&self, builder: HostBuilder) -> (HostBuilder, Vec<InstallError>) {
        match &self.store {
            Some(store) => self.lock.equip(builder, store),
            None => (builder, Vec::new()),
        }
    }

    /// A host that starts the plugins of both files, with what was agreed to when they were installed; what is
    /// beyond that is asked at the terminal. It follows the settings file, if there is one.
    pub(crate) fn host(&self, application: &StandIn) -> Outcome<HostBuilder> {
        let (builder, _) = self.equip(stand_in(application));
        let builder = match self.settings_file.exists() {
            true => builder.config_file(&self.settings_file),
            false => builder,
        };
        let approvals = match &self.store {
            Some(store) => self.lock.approvals(store),
            None => AllowList::new(),
        };
        Ok(builder.approver(AgreedOrAsked::at_the_terminal(approvals)))
    }

    /// Looks for plugins, and decides which of them are to run.
    pub(crate) fn survey(&self, application: &StandIn) -> Outcome<Survey> {
        self.survey_with(&self.settings, application)
    }

    /// The same with other settings.
    pub(crate) fn survey_with(
        &self,
        settings: &Settings,
        application: &StandIn,
    ) -> Outcome<Survey> {
        let mut settings = settings.clone();
        // This host loads nothing, so it has nothing to remember, and nothing to watch.
        settings.host.state_dir = None;
        settings.host.hot_reload = Some(false);
        let (builder, _) = self.equip(stand_in(application).settings(settings));
        let host = builder.build().map_err(Failure::from)?;
        let records = host.block_on(host.discover()).map_err(Failure::from)?;
        let findings = host.findings();
        Ok(Survey {
            records,
            findings,
            missing: self.missing(),
        })
    }

    /// The plugins of the lockfile that cannot be found, each with the reason.
    pub(crate) fn missing(&self) -> Vec<(PluginId, InstallError)> {
        let Some(store) = &self.store else {
            return Vec::new();
        };
        let plugins = self.lock.plugins();
        plugins
            .filter_map(|locked| Some((locked.id.clone(), locked.hosted(store).err()?)))
            .collect()
    }

    /// The entry of the lockfile that a record comes from.
    pub(crate) fn locked(&self, record: &PluginRecord) -> Option<&Locked> {
        let locked = self.lock.get(record.id.as_ref()?.as_str())?;
        let hosted = locked.hosted(self.store.as_ref()?).ok()?;
        let is_there =
            record.path.starts_with(&hosted.path) || record.library.as_ref() == Some(&hosted.path);
        is_there.then_some(locked)
    }
}

impl Survey {
    /// The record of a plugin that is used, or would be.
    ///
    /// # Errors
    ///
    /// When there is none of this id, with the one that was probably meant.
    pub(crate) fn find(&self, id: &PluginId) -> Outcome<&PluginRecord> {
        let shadowed = |record: &PluginRecord| record.enablement.name() == "shadowed";
        let of_id = |record: &&PluginRecord| record.id.as_ref() == Some(id) && !shadowed(record);
        if let Some(record) = self.records.iter().find(of_id) {
            return Ok(record);
        }
        if let Some((_, error)) = self.missing.iter().find(|(missing, _)| missing == id) {
            return Err(Failure::from(error).into());
        }
        let failure = Failure::new(
            exit::NOT_FOUND,
            "unknown-plugin",
            format!("there is no plugin '{id}'"),
        );
        Err(failure.hint(self.meant(id)).into())
    }

    /// The records of plugins that are used, or would be: one for each id.
    pub(crate) fn used(&self) -> impl Iterator<Item = &PluginRecord> {
        let records = self.records.iter();
        records.filter(|record| record.id.is_some() && record.enablement.name() != "shadowed")
    }

    /// What may have been meant by an id that is none.
    fn meant(&self, id: &PluginId) -> String {
        let ids = self.ids();
        match suggestion(id.as_str(), ids.iter().map(PluginId::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None if ids.is_empty() => {
                "nothing is installed, and no root of the settings file has a plugin".to_owned()
            }
            None => "keyway list shows those that there are".to_owned(),
        }
    }

    /// All ids, sorted, each once.
    pub(crate) fn ids(&self) -> Vec<PluginId> {
        let records = self.records.iter().filter_map(|record| record.id.clone());
        let missing = self.missing.iter().map(|(id, _)| id.clone());
        let mut ids: Vec<PluginId> = records.chain(missing).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// The settings file that the command line names, or the user's.
pub(crate) fn settings_file(home: &Home, config: Option<&Path>) -> Outcome<PathBuf> {
    let file = config.map_or_else(|| home.settings_file(), Path::to_owned);
    let absolute = std::path::absolute(&file).map_err(|error| {
        let message = format!("cannot find the settings file: {error}");
        Failure::new(exit::NOT_FOUND, "settings-unreadable", message).at(&file)
    });
    Ok(absolute?)
}

/// A settings file that cannot be used, with all that is wrong with it.
pub(crate) fn wrong_settings(error: &SettingsError) -> Failure {
    let code = error
        .findings()
        .first()
        .map_or("settings", |finding| finding.code.id);
    Failure::new(exit::USAGE, code, error.to_string())
}
