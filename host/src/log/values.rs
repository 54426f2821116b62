//! From the bytes of a record to values for the host's subscribers.

use std::error::Error;
use std::fmt;

use keyway::Result;
use keyway::log::wire::{ErrorChain, Value, Values};
use tracing_core::field::{self, DisplayValue, ValueSet};

use super::callsite::Site;

/// How many fields are held on the stack; call sites with more take the heap.
const INLINE: usize = 12;

/// Hands the values of a record to `take`, in the order of the site's fields.
///
/// Positions that the site does not have are left out, as are values of unknown type.
///
/// # Errors
///
/// When the bytes do not read; `take` is not called then.
pub(super) fn with_values<R>(
    site: &'static Site,
    plugin: Option<&str>,
    bytes: &[u8],
    take: impl FnOnce(&ValueSet<'_>) -> R,
) -> Result<R> {
    let fields = site.metadata().fields();
    let mut on_stack = [const { Held::Absent }; INLINE];
    let mut on_heap = Vec::new();
    let held = match on_stack.get_mut(..fields.len()) {
        Some(held) => held,
        None => {
            on_heap.resize_with(fields.len(), || Held::Absent);
            &mut on_heap[..]
        }
    };
    for value in Values::new(bytes) {
        let (position, value) = value?;
        // The last field may be the host's own.
        if Some(position) != site.plugin_field()
            && let Some(place) = held.get_mut(position)
        {
            *place = Held::new(value);
        }
    }
    if let (Some(position), Some(plugin)) = (site.plugin_field(), plugin) {
        held[position] = Held::Str(plugin);
    }
    let mut on_stack = [const { None }; INLINE];
    let mut on_heap = Vec::new();
    let values = match on_stack.get_mut(..held.len()) {
        Some(values) => values,
        None => {
            on_heap.resize_with(held.len(), || None);
            &mut on_heap[..]
        }
    };
    for (value, held) in values.iter_mut().zip(&*held) {
        *value = held.value();
    }
    Ok(take(&fields.value_set_all(values)))
}

/// A value in a form that `tracing` takes.
enum Held<'a> {
    Absent,
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Bool(bool),
    Str(&'a str),
    /// Shown as it is: the plugin has formatted it.
    Text(DisplayValue<&'a str>),
    Bytes(&'a [u8]),
    Error(Box<dyn Error + Send + Sync>),
}

impl<'a> Held<'a> {
    fn new(value: Value<'a>) -> Self {
        match value {
            Value::I64(value) => Held::I64(value),
            Value::U64(value) => Held::U64(value),
            Value::I128(value) => Held::I128(value),
            Value::U128(value) => Held::U128(value),
            Value::F64(value) => Held::F64(value),
            Value::Bool(value) => Held::Bool(value),
            Value::Str(value) => Held::Str(value),
            Value::Debug(value) => Held::Text(field::display(value)),
            Value::Bytes(value) => Held::Bytes(value),
            Value::Error(chain) => RemoteError::chained(&chain).map_or(Held::Absent, Held::Error),
            _ => Held::Absent,
        }
    }

    fn value(&self) -> Option<&(dyn field::Value + '_)> {
        Some(match self {
            Held::Absent => return None,
            Held::I64(value) => value,
            Held::U64(value) => value,
            Held::I128(value) => value,
            Held::U128(value) => value,
            Held::F64(value) => value,
            Held::Bool(value) => value,
            Held::Str(value) => value,
            Held::Text(value) => value,
            Held::Bytes(value) => value,
            Held::Error(value) => value,
        })
    }
}

/// An error of a plugin: what it said, and what it came from.
struct RemoteError {
    text: String,
    source: Option<Box<RemoteError>>,
}

impl RemoteError {
    fn chained(chain: &ErrorChain<'_>) -> Option<Box<dyn Error + Send + Sync>> {
        let mut error = None;
        for text in chain.0.iter().rev() {
            error = Some(Box::new(RemoteError {
                text: (*text).to_owned(),
                source: error,
            }));
        }
        error.map(|error| error as Box<dyn Error + Send + Sync>)
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The plugin sent no debug form; the text says the same.
impl fmt::Debug for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
