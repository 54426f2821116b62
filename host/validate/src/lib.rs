//! Finds out whether a plugin keeps the rules, before anybody relies on it.
//!
//! Each [check](CHECKS) loads the plugin's library in a process of its own and does with it what hosts do: with
//! random input, in hosts that are older or newer than the plugin, with calls that are cut short, again and
//! again. So a plugin that ends its process, or never gives its thread back, costs one check and not the run,
//! and no check sees what another one has left behind.
//!
//! ```no_run
//! use keyway_validate::{Outcome, Validator};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The program answers with `keyway_validate::child()` when it is started with `check`.
//! let validator = Validator::new(std::env::current_exe()?, ["check"]).seed(7);
//! let report = validator.run("target/debug/libgreeter.so".as_ref(), &|_| {})?;
//! for record in &report.checks {
//!     println!("{:20} {:8} {}", record.id, record.outcome(), record.verdict.message);
//! }
//! assert!(report.outcome() < Outcome::Failed);
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! 1. [`Validator::run`] starts the program that it was given once for each check, with a task on its stdin.
//! 2. There, [`child`] runs the check and writes its [`Verdict`] as one line of JSON to stdout, after lines that
//!    say what it is about to do. Whatever the plugin prints is told apart by a token.
//! 3. A process that ends before its verdict, or takes too long, is a finding too: it names the signal or the
//!    limit, and what the check was doing.
//!
//! Everything random comes from a [seed](Validator::seed), so the same run finds the same, and one
//! [case](Validator::reproduce) of it can be run alone.
//!
//! # What it is not
//!
//! No sandbox: a plugin that is validated runs, with the rights of whoever validates it. What it asks its host
//! for is granted up to a [level](GrantLevel).

mod bench;
mod checks;
mod error;
mod generate;
mod grant;
mod junit;
mod panics;
mod random;
mod report;
mod runner;
mod task;
mod tools;
mod verdict;

pub use checks::{CHECKS, Check, reference};
pub use error::ValidateError;
pub use generate::Schema;
pub use grant::GrantLevel;
pub use junit::junit;
pub use random::Random;
pub use report::{Record, Report};
pub use runner::{Progress, Stop, Validator};
pub use task::{Reproduce, child};
pub use verdict::{Outcome, Verdict};
