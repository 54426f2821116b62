//! A subscriber that writes down what reaches it.

use std::error::Error;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::dispatcher::{DefaultGuard, Dispatch, set_default};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Registry, reload};

/// `tracing` mixes the interest of all subscribers of a process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The subscriber of the calling thread while this lives, and the only one of these tests.
pub(super) struct Captured {
    lines: Arc<Mutex<Vec<String>>>,
    filter: reload::Handle<EnvFilter, Registry>,
    /// Before the lock, so that the next test finds no other subscriber.
    _default: DefaultGuard,
    _alone: MutexGuard<'static, ()>,
}

/// Captures what the filter lets through.
pub(super) fn capture(filter: &str) -> Captured {
    let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (layer, filter) = reload::Layer::new(EnvFilter::new(filter));
    let subscriber = Registry::default()
        .with(layer)
        .with(Lines(Arc::clone(&lines)));
    Captured {
        lines,
        filter,
        _default: set_default(&Dispatch::new(subscriber)),
        _alone: alone,
    }
}

impl Captured {
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }

    /// Changes the filter of the running subscriber.
    pub(super) fn filter(&self, filter: &str) {
        self.filter.reload(EnvFilter::new(filter)).unwrap();
    }
}

struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn say(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let scope: Vec<_> = context
            .event_scope(event)
            .map(|scope| scope.from_root().map(|span| span.name()).collect())
            .unwrap_or_default();
        let mut fields = Text::default();
        event.record(&mut fields);
        let (metadata, scope) = (event.metadata(), scope.join(">"));
        self.say(format!("{} [{scope}]{}", place(metadata), fields.0));
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let parent = context
            .span(id)
            .and_then(|span| span.parent().map(|parent| parent.name()));
        let mut fields = Text::default();
        attributes.record(&mut fields);
        let name = attributes.metadata().name();
        self.say(format!(
            "new {name} in {}{}",
            parent.unwrap_or("none"),
            fields.0
        ));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Text::default();
        values.record(&mut fields);
        self.say(format!("record {}{}", name(id, &context), fields.0));
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        self.say(format!(
            "{} follows {}",
            name(id, &context),
            name(follows, &context)
        ));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.say(format!("enter {}", name(id, &context)));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.say(format!("exit {}", name(id, &context)));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.say(format!("close {}", name(&id, &context)));
    }
}

fn name<S: Subscriber + for<'a> LookupSpan<'a>>(id: &Id, context: &Context<'_, S>) -> String {
    context.span(id).map_or("?", |span| span.name()).to_owned()
}

fn place(metadata: &Metadata<'_>) -> String {
    format!("{} {}", metadata.level(), metadata.target())
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn add(&mut self, field: &Field, value: impl Debug, kind: &str) {
        let _ = write!(self.0, " {}={value:?}{kind}", field.name());
    }
}

impl Visit for Text {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value, "f64");
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value, "i64");
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value, "u64");
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add(field, value, "i128");
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add(field, value, "u128");
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value, "");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value, "");
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.add(field, value, "bytes");
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let _ = write!(self.0, " {}=error({value}", field.name());
        let mut source = value.source();
        while let Some(error) = source {
            let _ = write!(self.0, " < {error}");
            source = error.source();
        }
        self.0.push(')');
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, value, "");
    }
}
