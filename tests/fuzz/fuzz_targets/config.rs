//! A schema of settings, and values for them.
#![no_main]

use keyway_fuzz::any_input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    any_input::config(data);
});
