//! The texts that plugins can read by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::settings::Settings;

/// Texts of the application, and of the host's file, which count first.
#[derive(Default)]
pub(crate) struct Texts {
    own: BTreeMap<String, String>,
    in_file: RwLock<BTreeMap<String, String>>,
}

impl Texts {
    /// Texts of the application.
    pub(crate) fn new(own: BTreeMap<String, String>) -> Self {
        Texts {
            own,
            in_file: RwLock::default(),
        }
    }

    /// Takes those of the host's file, in the place of what it had before.
    pub(crate) fn take(&self, settings: &Settings) {
        let texts = settings.context.iter();
        let texts = texts.map(|(name, text)| (name.clone(), text.text.clone()));
        *self.in_file.write().unwrap_or_else(PoisonError::into_inner) = texts.collect();
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let in_file = self.in_file.read().unwrap_or_else(PoisonError::into_inner);
        in_file.get(name).or_else(|| self.own.get(name)).cloned()
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let in_file = self.in_file.read().unwrap_or_else(PoisonError::into_inner);
        let names: std::collections::BTreeSet<&String> =
            in_file.keys().chain(self.own.keys()).collect();
        names.into_iter().cloned().collect()
    }
}

/// A text may be many pages, so only the names are shown.
impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts")
            .field("names", &self.names())
            .finish()
    }
}
