//! A library of any format, and the section with its note.
#![no_main]

use keyway_fuzz::any_input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    any_input::note(data);
});
