//! One thread closes every library, never a caller's.
//!
//! A generation's last lease may be dropped anywhere: on a thread of the application inside an
//! unrelated call, or on a thread of the plugin itself. Closing runs code of the plugin and unmaps
//! the rest, so it happens here.
#![expect(unsafe_code, reason = "closes libraries and looks for them in memory")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use keyway::shim::hooks::PluginThreads;

use super::threads::Record;

/// A library that nothing uses any more.
pub(super) struct Closing {
    pub(super) handle: libloading::Library,
    /// None where the library has no thread hooks: then it cannot be closed.
    pub(super) threads: Option<&'static PluginThreads>,
    pub(super) record: Arc<Record>,
    pub(super) path: PathBuf,
    pub(super) tally: Arc<Tally>,
}

/// How many libraries of a host are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LibraryCounts {
    /// Open: in use, or still held by a call, a stream, a buffer or a thread of the plugin.
    pub open: usize,
    /// Closed, and seen to be gone from memory.
    pub unloaded: usize,
    /// Closed, but still in memory: the dynamic loader holds on to them. By path of the private
    /// copy, with the cause as far as it is known.
    pub pinned: BTreeMap<PathBuf, String>,
    /// Not closed, since nobody could tell whether that is safe: the platform has no thread hooks,
    /// the library was refused after its constructors had run, or these have left thread-locals,
    /// keys or threads behind.
    pub retained: usize,
    /// Destructors of thread-locals that were run for threads that still live.
    pub destructors_run: usize,
    /// pthread keys that were deleted.
    pub keys_deleted: usize,
}

/// The counts of one host.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<LibraryCounts>,
    changed: Condvar,
}

impl Tally {
    pub(crate) fn counts(&self) -> LibraryCounts {
        self.lock().clone()
    }

    /// Waits until no library is open, for at most this long.
    pub(crate) fn wait_for_none_open(&self, patience: Duration) -> LibraryCounts {
        let some_open = |counts: &mut LibraryCounts| counts.open > 0;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), patience, some_open);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut LibraryCounts)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, LibraryCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a library to the reaper.
pub(super) fn close(closing: Closing) {
    static REAPER: OnceLock<Option<Mutex<Sender<Closing>>>> = OnceLock::new();
    let reaper = REAPER.get_or_init(|| {
        let (give, take) = channel::<Closing>();
        let run = move || take.into_iter().for_each(Closing::run);
        let started = std::thread::Builder::new()
            .name("keyway-reaper".to_owned())
            .spawn(run);
        started.is_ok().then(|| Mutex::new(give))
    });
    let Some(reaper) = reaper else {
        // Without a thread to close it on, the library stays.
        closing.retain();
        return;
    };
    let refused = reaper
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(closing);
    if let Err(refused) = refused {
        refused.0.retain();
    }
}

impl Closing {
    pub(super) fn retain(self) {
        std::mem::forget(self.handle);
        self.tally.change(|counts| {
            counts.open -= 1;
            counts.retained += 1;
        });
    }

    fn run(self) {
        let Some(threads) = self.threads else {
            return self.retain();
        };
        // SAFETY: the library is open.
        if unsafe { (threads.before_install)() } > 0 {
            return self.retain();
        }
        let Closing {
            handle,
            record,
            path,
            tally,
            ..
        } = self;
        let mut keys_deleted = 0;
        let mut closed = Ok(());
        let destructors_run = record.close(|| {
            // SAFETY: the library is open, and nothing of it runs: its generation is gone, hence
            // all objects, calls and threads of it.
            keys_deleted = unsafe { (threads.delete_keys)() } as usize;
            closed = handle.close();
        });
        let left = closed.err().map(|error| error.to_string()).or_else(|| {
            is_mapped(&path).then(|| {
                "the dynamic loader holds it; `keyway inspect` says whether it forbids unloading"
                    .to_owned()
            })
        });
        if left.is_none() {
            // Debuggers need the copy for as long as it is mapped, and nobody afterwards.
            let _ = std::fs::remove_file(&path);
        }
        tracing::debug!(path = %path.display(), destructors_run, keys_deleted, ?left, "closed");
        tally.change(|counts| {
            counts.open -= 1;
            counts.destructors_run += destructors_run;
            counts.keys_deleted += keys_deleted;
            match left {
                None => counts.unloaded += 1,
                Some(cause) => {
                    counts.pinned.insert(path, cause);
                }
            }
        });
    }
}

/// Whether the dynamic loader has a library of this path.
#[cfg(target_os = "linux")]
fn is_mapped(path: &Path) -> bool {
    use std::ffi::{CStr, c_int, c_void};
    use std::os::unix::ffi::OsStrExt;

    struct Search<'a> {
        path: &'a [u8],
        found: bool,
    }

    unsafe extern "C" fn look(
        info: *mut libc::dl_phdr_info,
        _: usize,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: `dl_iterate_phdr` passes what it was given, and it was given a search.
        let search = unsafe { &mut *search.cast::<Search<'_>>() };
        // SAFETY: the loader passes a valid entry with a terminated name.
        let name = unsafe { CStr::from_ptr((*info).dlpi_name) };
        search.found |= name.to_bytes() == search.path;
        c_int::from(search.found)
    }

    let mut search = Search {
        path: path.as_os_str().as_bytes(),
        found: false,
    };
    // SAFETY: the callback gets the pointer back as what it is, during this call only.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

#[cfg(not(target_os = "linux"))]
fn is_mapped(_: &Path) -> bool {
    false
}
