#[unsafe(no_mangle)]
pub extern "C" fn greet(name: *const u8, length: usize) -> usize {
    // SAFETY: the caller's text.
    let name = unsafe { std::slice::from_raw_parts(name, length) };
    format!("Hello EDIT, {}!", String::from_utf8_lossy(name)).len()
}
