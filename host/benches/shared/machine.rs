//! On what machine the figures were taken, as far as it matters to them.
#![expect(unsafe_code, reason = "asks the C library for its version")]

use serde_json::{Value, json};

/// Processor, cores, compiler and C library; nothing that tells whose machine it is.
pub(crate) fn facts() -> Value {
    json!({
        "cpu": cpu(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "target": keyway::version::TARGET,
        "rustc": keyway::version::RUSTC,
        "libc": libc_version(),
    })
}

fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(target_env = "gnu")]
fn libc_version() -> Option<String> {
    unsafe extern "C" {
        safe fn gnu_get_libc_version() -> *const std::ffi::c_char;
    }
    // SAFETY: glibc answers a static text.
    let text = unsafe { std::ffi::CStr::from_ptr(gnu_get_libc_version()) };
    Some(format!("glibc {}", text.to_str().ok()?))
}

#[cfg(not(target_env = "gnu"))]
fn libc_version() -> Option<String> {
    None
}

/// Memory of this process in bytes: all that is resident, and the part that no file backs.
pub(crate) fn memory() -> Option<(f64, f64)> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kilobytes = |label: &str| -> Option<f64> {
        let line = text.lines().find(|line| line.starts_with(label))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some((
        kilobytes("Rss:")? * 1024.0,
        kilobytes("Anonymous:")? * 1024.0,
    ))
}
