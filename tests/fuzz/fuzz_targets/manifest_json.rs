//! A `plugin.json`, and the manifest inside of a library.
#![no_main]

use keyway_fuzz::any_input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    any_input::manifest_json(data);
});
