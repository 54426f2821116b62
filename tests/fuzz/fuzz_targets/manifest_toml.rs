//! A `plugin.toml`.
#![no_main]

#[path = "../../src/any_input.rs"]
mod any_input;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    any_input::manifest_toml(data);
});
