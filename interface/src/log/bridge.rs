//! The subscriber that hands everything to the host.

use tracing_core::callsite::{Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{Dispatch, Event, Kind, Level, Metadata, Subscriber, dispatcher};

use super::depth::Depth;
use super::fields::Fields;
use super::link::Link;
use super::wire::{ALWAYS, CURRENT, FOREIGN, NONE, SOMETIMES};
use crate::host::{HostServices, HostServicesHandle};

/// The link of this library. A plugin has one host.
static LINK: Link = Link::new();

/// Makes this library's `tracing` report to the host.
///
/// Not where plugin and host are one binary: the host's subscriber sees everything itself there.
pub(crate) fn install(host: &HostServicesHandle, linked_statically: bool) {
    if linked_statically {
        return;
    }
    LINK.connect(host.clone());
    // Fails when a constructor of the plugin has installed a subscriber. It is the plugin's own
    // choice then, and nothing asks the link.
    let _ = dispatcher::set_global_default(Dispatch::new(Bridge { link: &LINK }));
}

/// Ends the connection: what the plugin still reports goes nowhere, and the host's object is given
/// back. Does nothing where [`install`] did nothing.
pub(crate) fn uninstall() {
    LINK.disconnect();
}

/// Forwards events and spans to a host.
///
/// A span's [`Id`] is the number that the host gave it, or [`NONE`] when the host does not want
/// it. Errors of the host are ignored: a plugin must not fail because its log does.
#[derive(Debug)]
pub struct Bridge {
    link: &'static Link,
}

impl Bridge {
    /// A bridge that is not installed and leaks its link; for tests.
    #[doc(hidden)]
    pub fn to(host: HostServicesHandle) -> Self {
        let link = Box::leak(Box::new(Link::new()));
        link.connect(host);
        Bridge { link }
    }

    /// Ends the connection of [`Bridge::to`]; for tests.
    #[doc(hidden)]
    pub fn disconnect(&self) {
        self.link.disconnect();
    }

    fn span(&self, id: &Id, forward: impl FnOnce(&HostServicesHandle, u64)) {
        let span = id.into_u64();
        if span == NONE {
            return;
        }
        let _depth = Depth::enter_always();
        if let Some(host) = self.link.host() {
            forward(&host, span);
        }
    }
}

/// How the host is told about the parent of an event or a span.
fn parent(explicit: Option<&Id>, contextual: bool) -> u64 {
    match explicit {
        // The host's own span can only be meant as the current one.
        Some(id) if id.into_u64() == FOREIGN => CURRENT,
        Some(id) => id.into_u64(),
        None if contextual => CURRENT,
        None => NONE,
    }
}

impl Subscriber for Bridge {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let interest = self.link.site(metadata).and_then(|(host, site)| {
            // A call site whose host fails to answer stays silent until the filter changes.
            host.log_interest(site).ok()
        });
        match interest {
            Some(ALWAYS) => Interest::always(),
            Some(SOMETIMES) => Interest::sometimes(),
            _ => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let Some(_depth) = Depth::enter() else {
            return false;
        };
        let Some((host, site)) = self.link.site(metadata) else {
            return false;
        };
        host.log_enabled(site).unwrap_or(false)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let new = || {
            let _depth = Depth::enter()?;
            let (host, site) = self.link.site(span.metadata())?;
            let mut fields = Fields::default();
            span.record(&mut fields);
            let parent = parent(span.parent(), span.is_contextual());
            host.span_new(site, parent, fields.0.bytes())
                .ok()
                .filter(|&number| number != 0)
        };
        Id::from_u64(new().unwrap_or(NONE))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let Some(_depth) = Depth::enter() else { return };
        self.span(span, |host, span| {
            let mut fields = Fields::default();
            values.record(&mut fields);
            let _ = host.span_record(span, fields.0.bytes());
        });
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        let follows = follows.into_u64();
        if follows != NONE {
            self.span(span, |host, span| {
                let _ = host.span_follows_from(span, follows);
            });
        }
    }

    fn event(&self, event: &Event<'_>) {
        let Some(_depth) = Depth::enter() else { return };
        let Some((host, site)) = self.link.site(event.metadata()) else {
            return;
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let parent = parent(event.parent(), event.is_contextual());
        let _ = host.log_event(site, parent, fields.0.bytes());
    }

    fn enter(&self, span: &Id) {
        self.span(span, |host, span| {
            let _ = host.span_enter(span);
        });
    }

    fn exit(&self, span: &Id) {
        self.span(span, |host, span| {
            let _ = host.span_exit(span);
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        let mut clone = NONE;
        self.span(span, |host, span| {
            clone = host.span_clone(span).unwrap_or(NONE)
        });
        // A span that the host knows no more is no longer anything to this side either.
        Id::from_u64(if clone == 0 { NONE } else { clone })
    }

    fn try_close(&self, span: Id) -> bool {
        self.span(&span, |host, span| {
            let _ = host.span_drop(span);
        });
        false
    }

    fn current_span(&self) -> Current {
        let current = self.link.host().and_then(|host| host.span_current().ok());
        match current {
            None | Some((0, _)) => Current::none(),
            Some((span, site)) => {
                let metadata = self.link.metadata(site).unwrap_or(&HOST_SPAN);
                Current::new(Id::from_u64(span), metadata)
            }
        }
    }
}

/// Stands for whatever call site of the host made the span that the plugin was called in.
///
/// Not of size zero: call sites are told apart by their addresses.
struct HostSpan(#[expect(dead_code, reason = "it gives the type a size")] u8);

static HOST_SITE: HostSpan = HostSpan(0);

static HOST_SPAN: Metadata<'static> = Metadata::new(
    "host",
    "keyway::host",
    Level::ERROR,
    None,
    None,
    None,
    FieldSet::new(&[], Identifier(&HOST_SITE)),
    Kind::SPAN,
);

impl Callsite for HostSpan {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &HOST_SPAN
    }
}
