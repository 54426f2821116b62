//! From `tracing`'s visitor to the bytes that cross.

use std::error::Error;
use std::fmt::Debug;

use tracing_core::Metadata;
use tracing_core::field::{Field, Visit};

use super::wire::{Callsite, Kinds, Level, ValueWriter};

/// Collects what an event or a span says of its fields.
#[derive(Debug, Default)]
pub(super) struct Fields(pub(super) ValueWriter);

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.f64(field.index(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.i64(field.index(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.u64(field.index(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.0.i128(field.index(), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.0.u128(field.index(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.bool(field.index(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.str(field.index(), value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.0.byte_string(field.index(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0.error(field.index(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.debug(field.index(), value);
    }
}

/// The boundary form of a call site.
pub(super) fn callsite(metadata: &'static Metadata<'static>) -> Callsite<'static> {
    let mut kinds = Kinds::default();
    if metadata.is_event() {
        kinds = kinds.and(Kinds::EVENT);
    }
    if metadata.is_span() {
        kinds = kinds.and(Kinds::SPAN);
    }
    if kinds == Kinds::default() {
        kinds = Kinds::HINT;
    }
    Callsite {
        kinds,
        level: level(metadata.level()),
        name: metadata.name(),
        target: metadata.target(),
        module_path: metadata.module_path(),
        file: metadata.file(),
        line: metadata.line(),
        fields: metadata.fields().iter().map(|field| field.name()).collect(),
    }
}

/// The metadata of the call site that some metadata belongs to.
///
/// What `tracing` passes around may be borrowed, as where it adapts records of the `log` crate;
/// what the call site itself has is not.
pub(super) fn owner(metadata: &Metadata<'_>) -> &'static Metadata<'static> {
    let callsite: &'static dyn tracing_core::Callsite = metadata.callsite().0;
    callsite.metadata()
}

fn level(level: &tracing_core::Level) -> Level {
    match *level {
        tracing_core::Level::ERROR => Level::Error,
        tracing_core::Level::WARN => Level::Warn,
        tracing_core::Level::INFO => Level::Info,
        tracing_core::Level::DEBUG => Level::Debug,
        tracing_core::Level::TRACE => Level::Trace,
    }
}
