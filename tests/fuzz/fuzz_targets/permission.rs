//! What two plugins ask for.
#![no_main]

use keyway_fuzz::any_input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    any_input::permission(data);
});
