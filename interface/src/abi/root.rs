//! The root table: how a host drives a plugin through its life.

use bytes::Bytes;

use crate::abi::pass::{Json, Origin, Pass};
use crate::abi::{ROption, RVec, Registration};
use crate::capability::Provided;
use crate::config::ConfigChange;
use crate::error::Result;
use crate::state::{Imported, State};

macro_rules! plugin_root {
    ($($appended:tt)*) => {
        /// What every plugin's entry function answers. Authors implement
        /// [`Plugin`](crate::Plugin), from which this is made.
        #[keyway_macros::capability(id = "keyway.plugin", version = 1)]
        pub trait PluginRoot: Send + Sync {
            /// Makes the plugin's value from its configuration. Called again, it drops the value
            /// that there is and makes a fresh one.
            async fn prepare(&self, config: Json<serde_json::Map<String, serde_json::Value>>)
                -> Result<()>;
            /// Starts the plugin's work and answers all that it offers, at once.
            async fn activate(&self) -> Result<Registrations>;
            /// Ends the plugin's work. Its capabilities are out of reach by then.
            async fn deactivate(&self) -> Result<()>;
            /// Fails when the plugin cannot do its work.
            async fn health_check(&self) -> Result<()>;
            /// Tells the plugin to ask again which events the host wants to see.
            fn log_filter_changed(&self) -> Result<()>;
            /// Drops the plugin's value, cancels its tasks and joins its threads, for at most this
            /// many milliseconds.
            fn stop(&self, patience_ms: u64) -> Result<()>;
            /// The state for the version that replaces this one, where there is any. More than
            /// this many bytes are refused before they cross. Holds the plugin in memory until it
            /// is dropped.
            async fn export_state(&self, max_bytes: u64) -> Result<Option<State>> {
                // A plugin that was built before this existed has no state.
                let _ = max_bytes;
                Ok(None)
            }
            /// Hands the state of the version that this one replaces to the prepared plugin.
            async fn import_state(&self, state: State) -> Result<Imported> {
                Err(state.not_taken())
            }
            /// Gives the running plugin another configuration, with the names of the settings that
            /// have another value.
            async fn config_changed(
                &self,
                config: Json<serde_json::Map<String, serde_json::Value>>,
                changed: Vec<String>,
            ) -> Result<()> {
                Err(ConfigChange::new(config.0, changed).not_taken())
            }
            $($appended)*
        }
    };
}

#[cfg(not(feature = "unstable-next-minor"))]
plugin_root! {}

#[cfg(feature = "unstable-next-minor")]
plugin_root! {
    /// Stands for whatever the next minor appends.
    fn appended(&self) -> Result<String> {
        Ok("the default of the root table".to_owned())
    }
}

/// What a plugin offers at the end of its activation.
#[derive(Debug, Default)]
pub struct Registrations(pub Vec<(String, Provided)>);

// These are for the root table alone: where an author's type does not cross, the compiler is not to
// list them among those that do.
#[expect(unsafe_code, reason = "objects and buffers change their owner")]
const _: () = {
    // SAFETY: an object that is received keeps a lease on its sender.
    #[diagnostic::do_not_recommend]
    unsafe impl Pass for Registrations {
        type Abi = RVec<Registration>;

        fn pass(self) -> Result<RVec<Registration>> {
            let pass = |(name, provided): (String, Provided)| provided.into_registration(name);
            Ok(self.0.into_iter().map(pass).collect())
        }

        unsafe fn receive(abi: RVec<Registration>, origin: &Origin<'_>) -> Result<Self> {
            let receive = |registration: Registration| {
                let name = registration.name.as_str().to_owned();
                // SAFETY: passed on to the caller.
                (name, unsafe {
                    Provided::from_registration(registration, origin)
                })
            };
            Ok(Registrations(abi.into_iter().map(receive).collect()))
        }
    }

    // SAFETY: as for the triple that it crosses as.
    #[diagnostic::do_not_recommend]
    unsafe impl Pass for State {
        type Abi = <(String, u32, Bytes) as Pass>::Abi;

        fn pass(self) -> Result<Self::Abi> {
            self.into_parts().pass()
        }

        unsafe fn receive(abi: Self::Abi, origin: &Origin<'_>) -> Result<Self> {
            // SAFETY: passed on to the caller.
            let (schema, version, bytes) = unsafe { <(String, u32, Bytes)>::receive(abi, origin) }?;
            Ok(State::new(schema, version, bytes))
        }
    }

    // SAFETY: as for the option that it crosses as: the version that was migrated, if any was.
    #[diagnostic::do_not_recommend]
    unsafe impl Pass for Imported {
        type Abi = ROption<u32>;

        fn pass(self) -> Result<ROption<u32>> {
            Ok(match self {
                Imported::Exact => ROption::RNone,
                Imported::Migrated { from } => ROption::RSome(from),
            })
        }

        unsafe fn receive(abi: ROption<u32>, _: &Origin<'_>) -> Result<Self> {
            Ok(match abi {
                ROption::RNone => Imported::Exact,
                ROption::RSome(from) => Imported::Migrated { from },
            })
        }
    }
};
