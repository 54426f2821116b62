//! Libraries that are still open when their process ends.
#![expect(unsafe_code, reason = "runs code while the process ends")]
#![expect(clippy::print_stdout, reason = "the child tells its parent")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use keyway::Bytes;
use keyway_host::Host;
use keyway_tests::child;
use lives_in_threads::Traces as _;

use crate::scene::{PATIENCE, host, loaded, stop};

#[test]
fn a_library_that_the_end_of_the_process_holds_is_no_warning() {
    let output = child::run("ending::lets_go_while_the_process_ends", &[]);
    child::assert_passed("ending::lets_go_while_the_process_ends", &output);
    let written = String::from_utf8_lossy(&output.stdout);
    assert!(
        written.contains("at the end: the process is ending"),
        "{written}"
    );
}

/// What keeps a library open, and its host.
static HELD: Mutex<Option<(Host, Bytes)>> = Mutex::new(None);

/// Whether this process is the child.
static ASKED: AtomicBool = AtomicBool::new(false);

#[test]
#[ignore = "a second half, run by name"]
fn lets_go_while_the_process_ends() {
    let host = host();
    let buffer = loaded(&host).buffer().expect("it works");
    stop(&host);
    *HELD.lock().expect("nobody panicked") = Some((host, buffer));
    ASKED.store(true, Ordering::Release);
}

/// Runs when the dynamic loader ends the process, which holds on to all libraries by then.
extern "C" fn let_go() {
    if !ASKED.load(Ordering::Acquire) {
        return;
    }
    let held = HELD.lock().ok().and_then(|mut held| held.take());
    let Some((host, buffer)) = held else { return };
    drop(buffer);
    let counts = host.wait_for_unload(PATIENCE);
    for cause in counts.pinned.values().chain(counts.retained.values()) {
        println!("at the end: {cause}");
    }
    // Its runtime cannot be ended any more.
    std::mem::forget(host);
}

// SAFETY: the loader calls what stands in this section once, without arguments that are needed.
#[unsafe(link_section = ".fini_array")]
#[used]
static FINI: extern "C" fn() = let_go;
