//! What a plugin is started for, and topics of events.
#![no_main]

use keyway_fuzz::any_input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    any_input::trigger(data);
});
