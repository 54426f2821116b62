//! Whether the promises about reloading hold over thousands of reloads, and thousands of broken
//! builds, while eight threads never stop calling:
//!
//! ```text
//! cargo run --release -p keyway-host --example soak -- --reloads 10000
//! cargo run --release -p keyway-host --example soak -- --broken 1000
//! ```
//!
//! It builds the plugin `soaks` from `tests/fixtures`, loads it as an application would, with
//! `hot_reload(true)`, and replaces the file as cargo does. The last line on stdout is one JSON
//! object with what was counted; progress and broken promises go to stderr. The exit code is 1 when
//! a promise was broken.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod soak;

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn main() -> ExitCode {
    soak::main()
}

/// What is counted here is asked from Linux and glibc.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn main() -> ExitCode {
    use std::io::Write;
    let _ = writeln!(
        std::io::stderr(),
        "error: the soak counts mappings and keys in the ways of Linux and glibc, and runs only there"
    );
    ExitCode::FAILURE
}
