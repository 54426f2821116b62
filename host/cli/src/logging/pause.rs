//! Lines that wait while somebody else has the terminal.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// While this lives, nothing that is logged is printed: cargo draws its progress, and a line in
/// between would be drawn over. What was logged meanwhile is printed when it is dropped.
#[derive(Debug)]
pub(crate) struct Pause(());

/// What was logged during a pause; none while there is no pause.
static LINES: Mutex<Option<Vec<u8>>> = Mutex::new(None);

impl Pause {
    /// Begins a pause; there is at most one.
    pub(crate) fn begin() -> Self {
        lines().get_or_insert_default();
        Pause(())
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        let mut lines = lines();
        if let Some(waiting) = lines.take() {
            // There is nobody to tell when stderr is closed.
            let _ = io::stderr().write_all(&waiting);
        }
    }
}

/// Stderr, or what waits for it.
#[derive(Debug, Default)]
pub(super) struct Stderr(());

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *lines() {
            Some(waiting) => waiting.write(bytes),
            // All of it, before somebody begins a pause.
            None => io::stderr().write_all(bytes).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines() -> MutexGuard<'static, Option<Vec<u8>>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_in_a_pause_waits_for_its_end() {
        let pause = Pause::begin();
        Stderr::default()
            .write_all(b"waiting\n")
            .expect("it is kept");
        assert_eq!(lines().as_deref(), Some(&b"waiting\n"[..]));
        drop(pause);
        assert!(lines().is_none());
    }
}
