//! The state that a version of a plugin hands to the next one when it is reloaded.
//!
//! A [`State`] is bytes with a name and a version. What the bytes mean is between the versions of
//! one plugin; the host carries them and never looks inside. A type that is a [`StateSchema`]
//! crosses as JSON, with the checks and the migration that its versions need.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ErrorKind, PluginError, Result};

/// What a plugin hands to the next version of itself.
///
/// The plugin's own type becomes a state with [`State::of`] and is read with [`State::read`];
/// [`StateSchema`] shows how. The encoding of these two is JSON. A plugin with another encoding
/// makes the bytes itself and hands them over with [`State::new`].
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    schema: String,
    version: u32,
    bytes: Bytes,
}

impl State {
    /// A state in an encoding of the author's own.
    pub fn new(schema: impl Into<String>, version: u32, bytes: impl Into<Bytes>) -> Self {
        State {
            schema: schema.into(),
            version,
            bytes: bytes.into(),
        }
    }

    /// The state that a value is, as JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] when the value cannot be written as JSON, as a map with keys that
    /// are no strings.
    pub fn of<T: StateSchema>(value: &T) -> Result<Self> {
        let bytes = serde_json::to_vec(value).map_err(|error| {
            let message = format!("state '{}' cannot be written: {error}", T::SCHEMA);
            malformed(message)
        })?;
        Ok(State::new(T::SCHEMA, T::VERSION, bytes))
    }

    /// Reads what [`State::of`] wrote, in this or in another version of the plugin.
    ///
    /// # Errors
    ///
    /// With the code
    ///
    /// - `state-schema` when it is a state of another name,
    /// - `state-malformed` when it does not read as a `T`,
    /// - whatever [`StateSchema::migrate`] refuses a state of another version with, by default
    ///   `state-version`.
    pub fn read<T: StateSchema>(&self) -> Result<(T, Imported)> {
        if self.schema != T::SCHEMA {
            return Err(PluginError::of(
                ErrorKind::InvalidInput,
                format!(
                    "the state is of another schema: expected '{}', found '{}'",
                    T::SCHEMA,
                    self.schema
                ),
            )
            .code("state-schema"));
        }
        if self.version == T::VERSION {
            return Ok((self.parse()?, Imported::Exact));
        }
        let old = OldState {
            state: self,
            expected: T::VERSION,
        };
        let from = self.version;
        Ok((T::migrate(old)?, Imported::Migrated { from }))
    }

    /// What the bytes are, as the plugin calls it.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Which version of the schema the bytes follow.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same state in memory of its own, which holds nothing of whoever made it.
    #[must_use]
    pub fn detached(self) -> Self {
        let bytes = Bytes::copy_from_slice(&self.bytes);
        State { bytes, ..self }
    }

    pub(crate) fn into_parts(self) -> (String, u32, Bytes) {
        (self.schema, self.version, self.bytes)
    }

    /// The error that this state does not fit through a limit.
    pub(crate) fn too_large(&self, max_bytes: u64) -> PluginError {
        PluginError::new(format!(
            "state '{}' is too large: expected at most {max_bytes} bytes, found {}; hint: \
             `max_state_bytes` under [plugin.reload] in plugin.toml raises the limit",
            self.schema,
            self.bytes.len()
        ))
        .code("state-too-large")
    }

    /// The error of a plugin that takes no state.
    pub(crate) fn not_taken(&self) -> PluginError {
        PluginError::of(
            ErrorKind::Unsupported,
            format!(
                "the plugin takes no state, and was given version {} of state '{}'; hint: implement \
                 `Plugin::import_state`, or set state = \"reset\" under [plugin.reload] in plugin.toml",
                self.version, self.schema
            ),
        )
        .code("state-not-taken")
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            malformed(format!(
                "version {} of state '{}' does not read: {error}",
                self.version, self.schema
            ))
        })
    }
}

/// The bytes may hold secrets, so only their number is shown.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("schema", &self.schema)
            .field("version", &self.version)
            .field("len", &self.bytes.len())
            .finish()
    }
}

/// A type that is the state of a plugin.
///
/// It has a name and a version. When the type changes so that what older versions wrote does not
/// read any more, or would mean something else, the version grows and `migrate` learns of the one
/// before:
///
/// ```
/// use std::sync::{Mutex, PoisonError};
///
/// use keyway::{Activation, Context, Imported, OldState, Plugin, Result, State, StateSchema};
///
/// /// What has been counted.
/// #[keyway::data]
/// #[derive(Clone, Default)]
/// struct Totals {
///     total: u64,
///     calls: u64,
/// }
///
/// /// The same, before calls were counted.
/// #[keyway::data]
/// struct TotalsV1 {
///     total: u64,
/// }
///
/// impl StateSchema for Totals {
///     const SCHEMA: &'static str = "totals";
///     const VERSION: u32 = 2;
///
///     fn migrate(old: OldState<'_>) -> Result<Self> {
///         match old.version() {
///             1 => {
///                 let TotalsV1 { total } = old.read()?;
///                 Ok(Totals { total, calls: 0 })
///             }
///             _ => Err(old.refused()),
///         }
///     }
/// }
///
/// struct Counter {
///     totals: Mutex<Totals>,
/// }
///
/// impl Plugin for Counter {
///     async fn prepare(_: Context) -> Result<Self> {
///         Ok(Counter { totals: Mutex::default() })
///     }
///
///     async fn activate(&self, _: &mut Activation) -> Result<()> {
///         Ok(())
///     }
///
///     async fn export_state(&self) -> Result<Option<State>> {
///         let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
///         State::of(&*totals).map(Some)
///     }
///
///     async fn import_state(&self, state: State) -> Result<Imported> {
///         let (totals, imported) = state.read()?;
///         *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
///         Ok(imported)
///     }
/// }
/// # let v1 = State::new("totals", 1, r#"{"total":3}"#);
/// # let (totals, imported) = v1.read::<Totals>().expect("it migrates");
/// # assert_eq!((totals.total, imported), (3, Imported::Migrated { from: 1 }));
/// # let error = State::new("totals", 3, "{}").read::<Totals>().err().expect("it is newer");
/// # assert_eq!(error.error_code(), "state-version");
/// ```
pub trait StateSchema: Serialize + DeserializeOwned {
    /// The name of the state. A state of another name is refused.
    const SCHEMA: &'static str;

    /// The version that this type is. It says nothing of the version of the plugin.
    const VERSION: u32;

    /// Makes the value from a state of any other version: an older one, or, where a plugin is put
    /// back to an older version, a newer one. By default refuses both.
    ///
    /// # Errors
    ///
    /// When the state cannot be migrated: [`OldState::refused`] for a version that is not known.
    fn migrate(old: OldState<'_>) -> Result<Self> {
        Err(old.refused())
    }
}

/// A state of another version than the one that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct OldState<'a> {
    state: &'a State,
    /// The version that the plugin knows.
    expected: u32,
}

impl<'a> OldState<'a> {
    /// The version that it is, which may also be a newer one.
    pub fn version(&self) -> u32 {
        self.state.version()
    }

    /// Reads the JSON that [`State::of`] wrote, into the type that was the state in that version.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] with the code `state-malformed` when it does not read as an `Old`.
    pub fn read<Old: DeserializeOwned>(&self) -> Result<Old> {
        self.state.parse()
    }

    /// The bytes as they were written.
    pub fn bytes(&self) -> &'a [u8] {
        self.state.bytes()
    }

    /// The error that this version is not known, with both versions; its code is `state-version`.
    pub fn refused(&self) -> PluginError {
        PluginError::of(
            ErrorKind::InvalidInput,
            format!(
                "state '{}' is of a version that the plugin does not migrate: expected {}, found {}",
                self.state.schema, self.expected, self.state.version
            ),
        )
        .code("state-version")
    }
}

/// How a state was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Imported {
    /// As it was.
    Exact,
    /// From another version of its schema.
    Migrated {
        /// The version that it was.
        from: u32,
    },
}

fn malformed(message: String) -> PluginError {
    PluginError::of(ErrorKind::Malformed, message).code("state-malformed")
}

#[cfg(test)]
mod tests;
