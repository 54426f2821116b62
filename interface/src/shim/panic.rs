//! From a caught panic to an error with message and place.
//!
//! The hook notes the place of a panic in a fixed thread-local buffer: without allocation, without
//! a backtrace (each would leak tens of kilobytes of symbol cache per generation), and without a
//! destructor that would tie the thread to the library.

use std::any::Any;
use std::cell::Cell;
use std::fmt::Write;
use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::error::PluginError;
use crate::host::HostServicesHandle;

const CAPACITY: usize = 240;

/// How tokio says that it is used without a runtime.
const NO_REACTOR: &str = "there is no reactor running";

#[derive(Clone, Copy)]
struct Place {
    len: usize,
    text: [u8; CAPACITY],
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place { len: 0, text: [0; CAPACITY] }) };
}

/// Writes what fits and drops the rest.
impl Write for Place {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = CAPACITY - self.len;
        let mut take = text.len().min(room);
        while !text.is_char_boundary(take) {
            take -= 1;
        }
        self.text[self.len..self.len + take].copy_from_slice(&text.as_bytes()[..take]);
        self.len += take;
        Ok(())
    }
}

/// Installs the hook of this library, once.
///
/// In a library of its own the hook replaces std's, which would print to the host's stderr; the
/// panic goes to the host's log instead. Linked into the host's binary it only notes the place
/// and leaves reporting to whatever hook the application has.
pub(crate) fn install_hook(host: &HostServicesHandle, linked_statically: bool) {
    static INSTALLED: Once = Once::new();
    let host = host.clone();
    INSTALLED.call_once(|| {
        if linked_statically {
            let previous = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                note(info);
                previous(info);
            }));
        } else {
            std::panic::set_hook(Box::new(move |info| {
                note(info);
                crate::host::report_panic(&host, &message_of(info.payload()), &taken_place(false));
            }));
        }
    });
}

/// Gives back what the hook of this library holds of the host, when the plugin has ended: a static
/// is not dropped when its library goes. Only for a library of its own.
pub(crate) fn release_hook() {
    std::panic::set_hook(Box::new(note));
}

fn note(info: &PanicHookInfo<'_>) {
    let mut place = Place {
        len: 0,
        text: [0; CAPACITY],
    };
    if let Some(location) = info.location() {
        let _ = write!(
            place,
            "{}:{}:{}",
            location.file(),
            location.line(),
            location.column()
        );
    }
    PLACE.set(place);
}

fn taken_place(clear: bool) -> String {
    let mut place = PLACE.get();
    let text = String::from_utf8_lossy(&place.text[..place.len]).into_owned();
    if clear {
        place.len = 0;
        PLACE.set(place);
    }
    text
}

/// The error of a caught panic.
#[cold]
pub(crate) fn into_error(payload: Box<dyn Any + Send>) -> PluginError {
    let mut message = message_of(&*payload);
    if !cfg!(feature = "tokio") && message.contains(NO_REACTOR) {
        message.push_str(
            "; help: enable the feature `tokio` of `keyway` in the plugin's Cargo.toml, which gives \
             the plugin a runtime of its own",
        );
    }
    if !payload.is::<&'static str>() && !payload.is::<String>() {
        // The destructor of an unknown payload may panic in turn. It is small; let it be.
        std::mem::forget(payload);
    }
    let place = taken_place(true);
    PluginError::panicked(message, (!place.is_empty()).then_some(place))
}

fn message_of(payload: &dyn Any) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
