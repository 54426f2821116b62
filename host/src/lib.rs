//! Loads, checks and calls Keyway plugins from a Rust application.
//!
//! ```
//! use keyway_host::{Host, LoadOptions};
//! use semver::Version;
//! # use keyway::{Activation, Context, Plugin, Result};
//! # #[keyway::data]
//! # struct Greeting { name: String }
//! # /// Greets somebody by name.
//! # #[keyway::tool]
//! # async fn greet(greeting: Greeting) -> Result<String> {
//! #     Ok(format!("Hello, {}!", greeting.name))
//! # }
//! # struct Greeter;
//! # impl Plugin for Greeter {
//! #     async fn prepare(_: Context) -> Result<Self> { Ok(Greeter) }
//! #     async fn activate(&self, activation: &mut Activation) -> Result<()> {
//! #         activation.tool::<greet>()?;
//! #         Ok(())
//! #     }
//! # }
//! # keyway::export_plugin!(Greeter, manifest = "../interface/src/greeter.toml");
//!
//! # fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let host = Host::builder("acme", Version::new(0, 5, 0)).build()?;
//! # let blocking = host.clone();
//! # blocking.block_on(async move {
//! # /*
//! host.load("plugins/libgreeter.so").await?;
//! # */
//! // A plugin that is linked into the binary goes through the same tables.
//! host.register_static::<Greeter>(LoadOptions::new()).await?;
//!
//! let greet = host.tool("greet")?;
//! let answer = greet.call(serde_json::json!({ "name": "Ada" })).await?;
//! assert_eq!(answer, "Hello, Ada!");
//!
//! let refused = greet.call(serde_json::json!({ "nmae": "Ada" })).await;
//! assert!(refused.is_err(), "the plugin was not even called");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok(())
//! # }
//! ```
//!
//! # How a plugin is loaded
//!
//! [`Host::load`] takes these steps, in the order of trust, and answers one [`HostError`] whose
//! kind names the step that failed:
//!
//! 1. a private copy of the file is made and hashed;
//! 2. the copy is [inspected](inspect()): it must be a complete library with one note;
//! 3. target, panic strategy, interface version, the bounds on this application's version, the
//!    isolation and the plugin's settings are decided on, and so are its permissions, for which an
//!    [approver](HostBuilder::approver) may be asked. A build that ended a process before
//!    is refused, if there is a [state directory](HostBuilder::state_dir). Up to here no code of the
//!    plugin has run;
//! 4. the copy is opened, its descriptor compared with the note, and the layouts of all types and
//!    tables are compared;
//! 5. the plugin prepares itself from its configuration, and activates; both on a thread of their
//!    own, under a deadline;
//! 6. what it registered is compared with its manifest and with what others offer, and is taken
//!    over all at once.
//!
//! # How it is called
//!
//! [`Host::capability`] answers the handle that `#[capability]` generated for a trait,
//! [`Host::tool`] a [`ToolClient`] that speaks JSON and checks arguments against the tool's schema.
//! Both stay valid when the plugin ends or is replaced. Every call answers a
//! [`Result`](keyway::Result); a panic in the plugin is one of its errors.
//!
//! # How it is replaced
//!
//! [`Host::reload`] takes a new version over from the plugin's file, and with
//! [`hot_reload`](HostBuilder::hot_reload) that happens whenever the file has changed. The new version
//! goes through all the steps above beside the old one, which serves meanwhile. Then
//!
//! 7. the old version's state is handed over, if it has any;
//! 8. the new version activates, and is asked for its health;
//! 9. all that it registered takes the place of what the old one had, at once: no caller sees the new
//!    version and afterwards the old one;
//! 10. it is on [`Probation`]: if it panics too often, or says that it is ill, the old version serves
//!     again;
//! 11. calls that the old version has started finish there, it ends, and its library is unloaded.
//!
//! What goes wrong before step 9 ends in an outcome that says in which phase and why, and the old
//! version serves on. Each trigger ends in exactly one [`ReloadReport`]; [`Host::events`] tells of the
//! steps on the way.
//!
//! ```
//! # use keyway_host::{Host, HostError, Probation, ReloadOutcome};
//! # use semver::Version;
//! # async fn example() -> Result<(), HostError> {
//! let host = Host::builder("acme", Version::new(0, 5, 0))
//!     .hot_reload(true)
//!     .probation(Probation::default().max_panics(0))
//!     .build()?;
//! host.load("plugins/libgreeter.so").await?;
//!
//! // By hand, and it says what came of it:
//! let report = host.reload("greeter").await?;
//! match &report.outcome {
//!     ReloadOutcome::Committed => println!("v{} serves", report.to.as_ref().expect("it was read")),
//!     ReloadOutcome::Unchanged => println!("it is the one that serves"),
//!     ReloadOutcome::Refused { phase, reason } => println!("v{} serves on: {phase}: {reason}", report.from),
//!     _ => {}
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A plugin that owns what cannot exist twice, such as a port, says `mode = "exclusive"` in its manifest:
//! then calls wait, in a queue with a bound, while the one version ends and the other one starts.
//!
//! # What a plugin may ask
//!
//! Files, environment variables, web requests, programs, keys and values, and texts: a plugin asks the host
//! for them by its context, and gets what it was granted. [`permission`] has how that is decided,
//! [`Host::audit`] what was asked, and `PERMISSIONS.md`, at the root of Keyway's repository, the whole of it.
//! It is consent and mediation, and no sandbox.
//!
//! # Tests
//!
//! [`testing::TestHost`] is a host for tests of plugins and of applications: its files are in a directory of
//! its own, it says what is registered and whether that is what the manifest declares, and remembers events.
//!
//! # What it cannot do
//!
//! A plugin runs inside this process: it is trusted code. A step that blocks its thread for ever cannot
//! be stopped; the host goes on without that thread. Its library is unloaded once nothing holds
//! it any more, where the platform allows that; see [`Host::libraries`].

mod adapt;
mod attendance;
mod boundary;
mod calls;
mod clock;
mod compat;
pub mod config;
mod content;
mod deprecation;
mod described;
pub mod discovery;
mod drain;
mod error;
mod event;
mod extension;
mod finding;
mod generation;
mod host;
pub mod inspect;
mod journal;
mod lane;
mod library;
mod log;
mod mediate;
pub mod permission;
pub mod plan;
mod platform;
mod policy;
mod private;
mod registry;
mod regular;
mod reload;
pub mod resolve;
mod services;
pub mod settings;
mod stage;
mod statistics;
mod status;
#[cfg(test)]
mod steps;
mod suggest;
mod supervise;
pub mod testing;
mod texts;
mod thread_name;
mod tool;
mod watch;

pub use attendance::SessionState;
pub use config::{ConfigOrigin, ConfigValue, config_schema};
pub use deprecation::Deprecation;
pub use discovery::{Discoverer, Discovery, Gates, Origin, Root, discover};
pub use error::{HostError, HostErrorKind};
pub use event::{Event, EventKind, Events};
pub use extension::{
    Answer, AnswerStream, Attempt, ChannelRecord, Channels, CommandRecord, Commands,
    DispatchReport, HookOutcome, HookRecord, Incoming, Pipeline, PipelineError, ProviderRecord,
    Providers, ProvidersError, Received, ServiceRecord, SkillClient, SkillRecord, StageRecord,
    VoiceRecord,
};
pub use finding::{Code, Finding, Severity, Signal, explain, reference};
pub use host::{Host, HostBuilder, LoadOptions};
pub use inspect::inspect;
pub use journal::{Occasion, Phase, Quarantined};
pub use keyway;
pub use keyway_manifest as manifest;
pub use library::LibraryCounts;
#[cfg(feature = "kv")]
pub use mediate::KeyValueStore;
pub use mediate::{
    Action, AuditLog, AuditOutcome, AuditRecord, Limits, Mediator, MediatorBuilder, Rate,
    RunOutput, RunRequest, Running, SystemTimeSource, TimeSource, denied_env_names,
    denied_env_prefixes,
};
#[cfg(feature = "http")]
pub use mediate::{HttpRequest, HttpResponse};
pub use permission::{
    Admission, AllowList, ApprovalRequest, Approved, Approver, Ask, DenyAll, Destination, EnvName,
    Grant, HowAdmitted, Level, PathRoot, Peer, PermissionDiff, PermissionStore, Program, Reach,
    admit,
};
pub use plan::{Plan, plan};
pub use platform::{
    Adjustment, Configured, Enablement, HealthPolicy, PluginRecord, Report, Runtime,
};
pub use policy::{Approval, Call, Decision, Policy};
pub use reload::{
    DryRun, Probation, ReloadOptions, ReloadOutcome, ReloadPhase, ReloadReport, ReloadTimes,
    Trigger,
};
pub use resolve::{Resolution, resolve};
pub use settings::{Settings, SettingsError, Strategy};
pub use statistics::{Metering, Statistics};
pub use status::{DrainingStatus, LoadTimes, PluginStatus, RegisteredCapability, Shape};
pub use suggest::suggestion;
pub use tool::ToolClient;
pub use watch::{RootReport, RootWatch};
