//! Environment variables of the host.

use std::ffi::OsString;
use std::sync::Arc;

use keyway::{ErrorKind, Result};

use super::audit::Action;
use super::{Mediator, codes, refusal};
use crate::permission::{Ask, DENIED_ENV, DENIED_ENV_PREFIXES};

/// Where values come from; the process's environment, unless a test says otherwise.
pub(super) type Source = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// The variables that no plugin gets, whatever is granted.
pub fn denied_env_names() -> &'static [&'static str] {
    &DENIED_ENV
}

/// What the names of further such variables begin with.
pub fn denied_env_prefixes() -> &'static [&'static str] {
    &DENIED_ENV_PREFIXES
}

impl Mediator {
    /// The value of an environment variable of the host, if it is set.
    ///
    /// # Errors
    ///
    /// `env-not-granted`; `env-never-granted` for those of [`denied_env_names`] and
    /// [`denied_env_prefixes`]; a [`Malformed`](ErrorKind::Malformed) one if the value is not Unicode.
    pub fn env(&self, name: &str) -> Result<Option<String>> {
        self.shared.attempt(Action::ReadEnv, name, || {
            self.shared.require(Ask::Env(name))?;
            let value = (self.shared.env)(name).map(OsString::into_string);
            value.transpose().map_err(|_| {
                refusal::error(
                    ErrorKind::Malformed,
                    &codes::BAD_REQUEST,
                    format!("the value of the environment variable {name:?} is not Unicode"),
                )
            })
        })
    }
}
