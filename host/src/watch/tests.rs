//! The pure core against told stories, in told time; the whole watcher against real files.
//!
//! Real files need Unix, where a hard link can be told from a file that is being written; those
//! modules that expect a report at once after a rename or a close need inotify.

#[cfg(unix)]
mod cargo;
#[cfg(unix)]
mod fallback;
#[cfg(target_os = "linux")]
mod places;
#[cfg(unix)]
mod scene;
mod scripted;
mod sequences;
#[cfg(target_os = "linux")]
mod sets;
#[cfg(target_os = "linux")]
mod single;
mod story;
#[cfg(unix)]
mod thread;
