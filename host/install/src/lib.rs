//! Installs Keyway plugins.
//!
//! A plugin comes from a [`Source`] as a [`Staged`] package, which is checked without running anything of it. A
//! [`Plan`] says what would change; applying it takes the package into the [`Store`] and then changes the
//! [`Lock`], which is the only truth about what is installed. A host gets the plugins from there, each pinned to
//! the bytes that were checked.
//!
//! ```no_run
//! use keyway_host::Host;
//! use keyway_install::{Home, Installer, Source};
//! use semver::Version;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let home = Home::of_user()?;
//! let installer = Installer::new(home.clone(), home.lock_file())?;
//! let held = installer.hold("acme", |who| eprintln!("waiting for {who}"))?;
//!
//! let source: Source = "./weather-1.0.0.tar.gz".parse()?;
//! let plan = installer.plan_install(&source)?;
//! for step in plan.steps() {
//!     println!("{:?} {}", step.action, step.plugin);
//! }
//! installer.apply(plan, &held, false)?;
//!
//! let builder = Host::builder("acme", Version::new(0, 5, 0));
//! let (builder, errors) = installer.lock()?.equip(builder, installer.store());
//! assert!(errors.is_empty());
//! let host = builder.build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - Nothing of a plugin runs during an installation, but for what cargo runs when a plugin is built from a git
//!   repository: build scripts and macros.
//! - A process that dies at any instant leaves the old or the new lockfile, with all its packages.
//! - Nothing is ever written outside of the four directories of a [`Home`], the lockfile, and what is asked for.
//! - Plans, errors and results are data; nothing is printed here, and nobody is asked.
//!
//! # Unattended
//!
//! Nothing waits for a person. What waits is [`Installer::hold`], for another process that changes the same
//! lockfile.

mod archive;
mod build;
pub mod codes;
mod digest;
mod disk;
mod error;
mod fetch;
mod git;
mod guard;
mod history;
mod home;
mod hosting;
mod installer;
pub mod limits;
mod lock;
mod name;
mod package;
mod permissions;
mod plan;
mod registry;
mod select;
mod source;
mod staged;
mod store;
mod tree;
mod turn;

pub use archive::Packed;
pub use digest::Digest;
pub use error::{InstallError, InstallErrorKind};
pub use home::{Home, lock_beside};
pub use hosting::Hosted;
pub use installer::{Applied, Held, Installer, Outdated};
pub use lock::{Lock, Locked, Needed};
pub use package::{Application, Library, package};
pub use permissions::PermissionChange;
pub use plan::{Action, Conflict, ConflictKind, Plan, Requirer, Step};
pub use registry::{Archived, Progress, Published, Registry, Release, publish, yank};
pub use source::{Reference, Source};
pub use staged::Staged;
pub use store::Store;
pub use turn::{FileTurn, read_text};
