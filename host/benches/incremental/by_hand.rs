//! The template's plugin as somebody writes it who has serde, schemars and tracing, and no plugin system.

use std::ffi::{CStr, CString, c_char};
use std::sync::RwLock;
use std::task::{Context, Poll, Waker};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct Settings {
    /// What is said before the name.
    pub greeting: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Greeting {
    /// Who is greeted.
    pub name: String,
}

static SETTINGS: RwLock<Option<Settings>> = RwLock::new(None);

async fn greet(settings: &RwLock<Option<Settings>>, greeting: Greeting) -> Result<String, String> {
    tracing::info!(name = greeting.name, "greeting");
    let settings = settings.read().unwrap();
    let settings = settings.as_ref().ok_or("it has no settings")?;
    Ok(format!("{} EDIT, {}!", settings.greeting, greeting.name))
}

fn answer(outcome: Result<serde_json::Value, String>) -> *mut c_char {
    let text = match outcome {
        Ok(value) => value.to_string(),
        Err(error) => format!("error: {error}"),
    };
    CString::new(text).unwrap().into_raw()
}

/// # Safety
///
/// `text` is a text of C.
unsafe fn read<T: serde::de::DeserializeOwned>(text: *const c_char) -> Result<T, String> {
    // SAFETY: passed on to the caller.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes();
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn configure(settings: *const c_char) -> *mut c_char {
    // SAFETY: passed on to the caller.
    answer(unsafe { read(settings) }.map(|settings| {
        *SETTINGS.write().unwrap() = Some(settings);
        serde_json::Value::Null
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn schema() -> *mut c_char {
    answer(Ok(schemars::schema_for!(Greeting).into()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn call(arguments: *const c_char) -> *mut c_char {
    let outcome = std::panic::catch_unwind(|| {
        // SAFETY: passed on to the caller.
        let greeting = unsafe { read(arguments) }?;
        let mut greeted = std::pin::pin!(greet(&SETTINGS, greeting));
        match greeted.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer.map(Into::into),
            Poll::Pending => Err("it waits".to_owned()),
        }
    });
    answer(outcome.unwrap_or_else(|_| Err("it panicked".to_owned())))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn release(text: *mut c_char) {
    // SAFETY: one of ours, given back once.
    drop(unsafe { CString::from_raw(text) });
}
