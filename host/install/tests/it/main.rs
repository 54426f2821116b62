//! Installing over real files: archives that were made to do harm, and hosts that load what was installed.

mod archives;
#[cfg(target_os = "linux")]
mod hosting;
