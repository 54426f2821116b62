//! A call site of a plugin as the host's `tracing` knows it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Once, OnceLock};

use keyway::log::wire::{ALWAYS, Callsite, Kinds, Level, NEVER, SOMETIMES};
use tracing_core::field::FieldSet;
use tracing_core::metadata::LevelFilter;
use tracing_core::subscriber::Interest;
use tracing_core::{Dispatch, Kind, Metadata, callsite, identify_callsite};

use super::filter;

/// The name of the field that says which plugin reports.
const PLUGIN: &str = "plugin";

/// Before `tracing` has said anything.
const UNKNOWN: u8 = u8::MAX;

/// A call site, made once per content and kept for ever, as `tracing` demands.
#[derive(Debug)]
pub(super) struct Site {
    metadata: OnceLock<Metadata<'static>>,
    registered: Once,
    /// How much the host's subscribers want of it, in the numbers of the wire.
    interest: AtomicU8,
    /// The position of the field for the plugin's id; none where the plugin has one of that name.
    plugin_field: Option<usize>,
}

impl Site {
    /// Makes a call site that is never dropped.
    pub(super) fn leak(content: &Callsite<'static>) -> &'static Site {
        let own = content.fields.len();
        let mut names = content.fields.clone();
        let plugin_field = (!names.contains(&PLUGIN)).then_some(own);
        if plugin_field.is_some() {
            names.push(PLUGIN);
        }
        let site: &'static Site = Box::leak(Box::new(Site {
            metadata: OnceLock::new(),
            registered: Once::new(),
            interest: AtomicU8::new(UNKNOWN),
            plugin_field,
        }));
        let metadata = Metadata::new(
            content.name,
            content.target,
            level(content.level),
            content.file,
            content.line,
            content.module_path,
            FieldSet::new(Vec::leak(names), identify_callsite!(site)),
            kind(content.kinds),
        );
        site.metadata.set(metadata).expect("it was just made");
        site
    }

    /// Makes the site known to the host's subscribers, once. Whoever comes second waits.
    pub(super) fn register(&'static self) {
        self.registered.call_once(|| callsite::register(self));
    }

    pub(super) fn metadata(&'static self) -> &'static Metadata<'static> {
        self.metadata
            .get()
            .expect("set before the site is handed out")
    }

    pub(super) fn plugin_field(&self) -> Option<usize> {
        self.plugin_field
    }

    /// How much is wanted of this site, in the numbers of the wire.
    pub(super) fn interest(&self) -> u8 {
        match self.interest.load(Ordering::Acquire) {
            UNKNOWN => SOMETIMES,
            known => known,
        }
    }

    /// Whether this subscriber wants what the site reports now.
    pub(super) fn wanted(&'static self, dispatch: &Dispatch) -> bool {
        let metadata = self.metadata();
        // The same steps as in the macros of `tracing`.
        *metadata.level() <= LevelFilter::current()
            && match self.interest() {
                NEVER => false,
                ALWAYS => true,
                _ => dispatch.enabled(metadata),
            }
    }
}

impl tracing_core::Callsite for Site {
    /// Called by `tracing` under its locks.
    fn set_interest(&self, interest: Interest) {
        let interest = if interest.is_never() {
            NEVER
        } else if interest.is_always() {
            ALWAYS
        } else {
            SOMETIMES
        };
        let before = self.interest.swap(interest, Ordering::AcqRel);
        if before != UNKNOWN && before != interest {
            filter::changed();
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata
            .get()
            .expect("set before the site is registered")
    }
}

pub(super) fn level(level: Level) -> tracing_core::Level {
    match level {
        Level::Error => tracing_core::Level::ERROR,
        Level::Warn => tracing_core::Level::WARN,
        Level::Info => tracing_core::Level::INFO,
        Level::Debug => tracing_core::Level::DEBUG,
        Level::Trace => tracing_core::Level::TRACE,
    }
}

fn kind(kinds: Kinds) -> Kind {
    if kinds.has(Kinds::SPAN) {
        Kind::SPAN
    } else if kinds.has(Kinds::EVENT) {
        Kind::EVENT
    } else {
        Kind::HINT
    }
}
