//! One plugin's way to the host's subscribers.

use std::fmt;
use std::time::{Duration, Instant};

use keyway::log::wire::{CURRENT, Callsite, FOREIGN, NONE};
use keyway::{ErrorKind, PluginError, Result};
use tracing_core::dispatcher::get_default;
use tracing_core::span::{Attributes, Current, Record};
use tracing_core::{Dispatch, Event, Level};

use super::callsite::Site;
use super::intern;
use super::limit::{Limiter, LogLimits};
use super::spans::{Open, Spans};
use super::values::with_values;

/// The most spans that one plugin may have open.
const MOST_SPANS: usize = 16_384;

/// The target of what the host itself says about a plugin.
const TARGET: &str = "keyway_host::log";

/// A clock: the time since some moment in the past.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// Passes on what one generation of a plugin reports.
///
/// Its methods are those of [`HostServices`](keyway::host::HostServices) with the same names. They
/// use the subscriber of the calling thread, as `tracing` does everywhere.
pub(crate) struct LogBridge {
    plugin: Box<str>,
    limiter: Limiter,
    spans: Spans,
    clock: Clock,
}

impl fmt::Debug for LogBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogBridge")
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}

/// The parent of an event or a span, as the host's subscriber knows it.
enum Parent {
    Current,
    Root,
    Explicit(Open),
}

impl LogBridge {
    /// A bridge for the plugin with this id.
    pub(crate) fn new(plugin: &str, limits: LogLimits) -> Self {
        let start = Instant::now();
        Self::with_clock(plugin, limits, move || start.elapsed())
    }

    /// A bridge with a clock of its own.
    pub(crate) fn with_clock(
        plugin: &str,
        limits: LogLimits,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        LogBridge {
            plugin: plugin.into(),
            limiter: Limiter::new(limits),
            spans: Spans::new(MOST_SPANS),
            clock: Box::new(clock),
        }
    }

    /// Makes a call site known; answers its number.
    ///
    /// # Errors
    ///
    /// When the bytes do not read.
    pub(crate) fn log_callsite(&self, callsite: &[u8]) -> Result<u64> {
        Ok(intern::intern(&Callsite::decode(callsite)?))
    }

    /// How much the host wants of a call site, in the numbers of the wire.
    ///
    /// # Errors
    ///
    /// When there is no such call site, here as in the methods below.
    pub(crate) fn log_interest(&self, callsite: u64) -> Result<u8> {
        Ok(site(callsite)?.interest())
    }

    /// Whether the host wants what this call site would report now.
    pub(crate) fn log_enabled(&self, callsite: u64) -> Result<bool> {
        let site = site(callsite)?;
        Ok(get_default(|dispatch| site.wanted(dispatch)))
    }

    /// Passes an event on, if it is wanted and within the limits.
    pub(crate) fn log_event(&self, callsite: u64, parent: u64, values: &[u8]) -> Result<()> {
        let site = site(callsite)?;
        if !site.metadata().is_event() {
            return Err(wrong_kind(site));
        }
        self.report_dropped();
        self.on_subscriber(parent, |dispatch, parent| {
            if !site.wanted(dispatch) || !self.admit(*site.metadata().level()) {
                return Ok(());
            }
            with_values(site, Some(&self.plugin), values, |values| {
                let metadata = site.metadata();
                dispatch.event(&match parent {
                    Parent::Current => Event::new(metadata, values),
                    Parent::Root => Event::new_child_of(None, metadata, values),
                    Parent::Explicit(span) => {
                        Event::new_child_of(span.id.clone(), metadata, values)
                    }
                });
            })
        })
    }

    /// Opens a span; answers its number, or 0 if it is not wanted or too many are open.
    pub(crate) fn span_new(&self, callsite: u64, parent: u64, values: &[u8]) -> Result<u64> {
        let site = site(callsite)?;
        if !site.metadata().is_span() {
            return Err(wrong_kind(site));
        }
        self.on_subscriber(parent, |dispatch, parent| {
            if !site.wanted(dispatch) || !self.spans.has_room() {
                return Ok(0);
            }
            // Inside of another span of the plugin it would only repeat what that one says.
            let plugin = (!self.is_own(dispatch, parent)).then_some(&*self.plugin);
            let id = with_values(site, plugin, values, |values| {
                let metadata = site.metadata();
                dispatch.new_span(&match parent {
                    Parent::Current => Attributes::new(metadata, values),
                    Parent::Root => Attributes::new_root(metadata, values),
                    Parent::Explicit(span) => {
                        Attributes::child_of(span.id.clone(), metadata, values)
                    }
                })
            })?;
            Ok(self.spans.insert(Open {
                dispatch: dispatch.clone(),
                id,
                site: callsite,
            }))
        })
    }

    /// Adds values to a span. Spans that have ended are left alone, here as in the methods below.
    ///
    /// # Errors
    ///
    /// When the bytes do not read.
    pub(crate) fn span_record(&self, span: u64, values: &[u8]) -> Result<()> {
        let Some(open) = self.spans.get(span) else {
            return Ok(());
        };
        let Some(site) = intern::site(open.site) else {
            return Ok(());
        };
        // The plugin's id was recorded when the span was made.
        with_values(site, None, values, |values| {
            open.dispatch.record(&open.id, &Record::new(values));
        })
    }

    /// Says that a span follows from another.
    pub(crate) fn span_follows_from(&self, span: u64, follows: u64) -> Result<()> {
        if let (Some(open), Some(follows)) = (self.spans.get(span), self.spans.get(follows)) {
            open.dispatch.record_follows_from(&open.id, &follows.id);
        }
        Ok(())
    }

    /// The calling thread enters a span.
    pub(crate) fn span_enter(&self, span: u64) -> Result<()> {
        if let Some(open) = self.spans.get(span) {
            open.dispatch.enter(&open.id);
        }
        Ok(())
    }

    /// The calling thread leaves a span.
    pub(crate) fn span_exit(&self, span: u64) -> Result<()> {
        if let Some(open) = self.spans.get(span) {
            open.dispatch.exit(&open.id);
        }
        Ok(())
    }

    /// One more owner of a span; answers its number, or 0 if it has ended. The host's own span
    /// that the calling thread is in gets a number by this.
    pub(crate) fn span_clone(&self, span: u64) -> Result<u64> {
        if span != FOREIGN {
            return Ok(if self.spans.retain(span) { span } else { 0 });
        }
        Ok(get_default(|dispatch| {
            let current = dispatch.current_span();
            let Some(id) = current.id().filter(|_| self.spans.has_room()) else {
                return 0;
            };
            let id = dispatch.clone_span(id);
            self.spans.insert(Open {
                dispatch: dispatch.clone(),
                id,
                site: 0,
            })
        }))
    }

    /// One owner of a span less.
    pub(crate) fn span_drop(&self, span: u64) -> Result<()> {
        self.spans.release(span);
        Ok(())
    }

    /// The span that the calling thread is in, 0 if none, and its call site, 0 if it is not one
    /// of the plugin's.
    pub(crate) fn span_current(&self) -> Result<(u64, u64)> {
        Ok(get_default(|dispatch| {
            let current = dispatch.current_span();
            match current.id() {
                None => (0, 0),
                Some(_) => self.own(&current).unwrap_or((FOREIGN, 0)),
            }
        }))
    }

    /// Reports a panic in the plugin as an error.
    pub(crate) fn log_panic(&self, message: &str, place: &str, thread: &str) -> Result<()> {
        self.report_dropped();
        if self.admit(Level::ERROR) {
            let plugin = &*self.plugin;
            // The plugin's own copy of std does not know the names of the host's threads; it calls on
            // the thread that panicked.
            let this = std::thread::current();
            let thread = match (thread, this.name()) {
                ("unnamed", Some(name)) => name,
                _ => thread,
            };
            tracing::error!(
                target: TARGET,
                plugin,
                place,
                thread,
                "plugin '{plugin}' panicked: {message}"
            );
        }
        Ok(())
    }

    /// How many events were dropped because the plugin logged too fast.
    pub(crate) fn dropped(&self) -> u64 {
        self.limiter.dropped()
    }

    /// Reports dropped events, if there are any and the last report is a second ago.
    ///
    /// Happens with every event as well; a host that calls it now and then reports a flood also
    /// when nothing follows it.
    pub(crate) fn report_dropped(&self) {
        if self.limiter.is_over() {
            self.warn_of(self.limiter.due((self.clock)()));
        }
    }

    /// Closes the spans that the plugin has left open, and reports what has not been reported.
    /// Called when the plugin has ended; new spans are declined from then on.
    pub(crate) fn close(&self) {
        let left_open = self.spans.close();
        if left_open > 0 {
            let plugin = &*self.plugin;
            tracing::debug!(
                target: TARGET,
                parent: None,
                plugin,
                "plugin '{plugin}' left {left_open} spans open"
            );
        }
        self.warn_of(self.limiter.unreported());
    }

    fn warn_of(&self, dropped: Option<u64>) {
        if let Some(dropped) = dropped {
            let plugin = &*self.plugin;
            tracing::warn!(
                target: TARGET,
                parent: None,
                plugin,
                dropped,
                "plugin '{plugin}' logged too fast: {dropped} events dropped"
            );
        }
    }

    fn admit(&self, level: Level) -> bool {
        self.limiter.admit(level == Level::ERROR, (self.clock)())
    }

    /// The number and call site of a subscriber's current span, if the plugin has made it.
    fn own(&self, current: &Current) -> Option<(u64, u64)> {
        let (number, callsite) = self.spans.number(current.id()?)?;
        // Another subscriber may use the same ids.
        let is_its =
            intern::site(callsite)?.metadata().callsite() == current.metadata()?.callsite();
        is_its.then_some((number, callsite))
    }

    /// Whether the plugin has made the span that is or would be the parent.
    fn is_own(&self, dispatch: &Dispatch, parent: &Parent) -> bool {
        match parent {
            Parent::Current => self.own(&dispatch.current_span()).is_some(),
            Parent::Root => false,
            Parent::Explicit(open) => open.site != 0,
        }
    }

    /// Runs something with the subscriber of the calling thread or, where the parent is given,
    /// with the one that made the parent.
    fn on_subscriber<R>(&self, parent: u64, run: impl FnOnce(&Dispatch, &Parent) -> R) -> R {
        let parent = match parent {
            CURRENT | FOREIGN => Parent::Current,
            NONE => Parent::Root,
            // The children of a span that has ended are on their own.
            number => self
                .spans
                .get(number)
                .map_or(Parent::Root, Parent::Explicit),
        };
        if let Parent::Explicit(open) = &parent {
            return run(&open.dispatch, &parent);
        }
        let mut run = Some(run);
        get_default(|dispatch| run.take().map(|run| run(dispatch, &parent)))
            .expect("`get_default` calls back once")
    }
}

impl Drop for LogBridge {
    fn drop(&mut self) {
        self.close();
    }
}

fn site(number: u64) -> Result<&'static Site> {
    intern::site(number).ok_or_else(|| {
        PluginError::of(
            ErrorKind::NotFound,
            format!("the host knows no call site {number}"),
        )
    })
}

#[cold]
fn wrong_kind(site: &'static Site) -> PluginError {
    let metadata = site.metadata();
    PluginError::of(
        ErrorKind::InvalidInput,
        format!(
            "the call site '{}' is used for what it does not make",
            metadata.name()
        ),
    )
}
