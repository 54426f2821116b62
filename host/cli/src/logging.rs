//! What the host and the plugins log, on stderr.

mod layout;
mod pause;

use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::AutoStream;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Args, Command};

use layout::Columns;

pub(crate) use pause::Pause;

/// Starts to print events: warnings for a call, also information in development; `-v` and `-q`
/// move that by one level each. Without either, `RUST_LOG` decides where it is set, with
/// directives such as `warn,my_plugin=debug`.
///
/// Where nobody asked for more or less than that, panics of the plugin are held back for
/// [`take_panics`]: most come with a failure that says the same. In development, and where all plugins
/// run, so are reloads that came to nothing, since an event says the same with more.
pub(crate) fn start(args: &Args) {
    let chosen = from_environment(args);
    let hold = chosen.is_none() && args.verbose == 0 && args.quiet == 0;
    let filter = chosen.unwrap_or_else(|| Targets::new().with_default(level(args)));
    // They print a line for what becomes of plugins.
    let is_live = matches!(args.command, Command::Dev(_) | Command::Run(_));
    let colors = AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .without_time()
        .with_ansi(colors)
        // A closed stderr is no reason to end.
        .log_internal_errors(false)
        .with_writer(pause::Stderr::default);
    let lines = match is_live {
        true => lines.event_format(Columns::default()).boxed(),
        false => lines.boxed(),
    };
    let told_anyway =
        move |event: &Metadata<'_>| hold && (is_panic(event) || (is_live && is_verdict(event)));
    tracing_subscriber::registry()
        .with(filter)
        .with(lines.with_filter(filter_fn(move |event| !told_anyway(event))))
        .with(hold.then_some(HoldPanics))
        .init();
}

/// A panic of a plugin that the host logged.
#[derive(Debug, Default)]
pub(crate) struct Panic {
    pub(crate) message: String,
    /// In the plugin's source, with line and column.
    pub(crate) place: String,
}

static HELD: Mutex<Held> = Mutex::new(Held {
    panics: Vec::new(),
    notice: None,
});

struct Held {
    panics: Vec<Panic>,
    notice: Option<Box<dyn Fn() + Send>>,
}

/// The panics that were held back since the last time.
pub(crate) fn take_panics() -> Vec<Panic> {
    std::mem::take(&mut held().panics)
}

/// Gives notice of each panic that is held back from now on, on the thread that it happens on.
pub(crate) fn on_panic(notice: impl Fn() + Send + 'static) {
    held().notice = Some(Box::new(notice));
}

fn held() -> MutexGuard<'static, Held> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_panic(event: &Metadata<'_>) -> bool {
    event.target() == "keyway_host::log"
        && *event.level() == Level::ERROR
        && event.fields().field("place").is_some()
}

/// Whether this says that a new version was not taken over, or that the one before came back, or that a plugin was
/// not started.
fn is_verdict(event: &Metadata<'_>) -> bool {
    let told = [
        "keyway_host::host::reload",
        "keyway_host::host::platform::begin",
    ];
    let is_told = told.iter().any(|target| event.target().starts_with(target));
    is_told && *event.level() <= Level::WARN
}

struct HoldPanics;

impl<S: Subscriber> Layer<S> for HoldPanics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if is_panic(event.metadata()) {
            let mut panic = Panic::default();
            event.record(&mut panic);
            let mut held = held();
            held.panics.push(panic);
            if let Some(notice) = &held.notice {
                notice();
            }
        }
    }
}

impl Visit for Panic {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "place" {
            value.clone_into(&mut self.place);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}

fn level(args: &Args) -> LevelFilter {
    const LEVELS: [LevelFilter; 6] = [
        LevelFilter::OFF,
        LevelFilter::ERROR,
        LevelFilter::WARN,
        LevelFilter::INFO,
        LevelFilter::DEBUG,
        LevelFilter::TRACE,
    ];
    let default: usize = match args.command {
        Command::Dev(_) => 3,
        // What the host would warn of is what they print.
        Command::Config(_)
        | Command::Permissions(_)
        | Command::List(_)
        | Command::Enable(_)
        | Command::Disable(_)
        | Command::Doctor(_) => 1,
        _ => 2,
    };
    let level = match usize::from(args.quiet) {
        0 => default + usize::from(args.verbose),
        quiet => 2_usize.saturating_sub(quiet),
    };
    LEVELS[level.min(LEVELS.len() - 1)]
}

fn from_environment(args: &Args) -> Option<Targets> {
    if args.verbose > 0 || args.quiet > 0 {
        return None;
    }
    let directives = std::env::var("RUST_LOG").ok()?;
    // What does not read is as good as not set, as with other tools.
    let set = !directives.trim().is_empty();
    set.then(|| directives.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_host_logs_of_panics_is_held_back() {
        let subscriber = tracing_subscriber::registry().with(HoldPanics);
        tracing::subscriber::with_default(subscriber, || {
            let place = "src/lib.rs:1:2";
            tracing::error!(target: "keyway_host::log", place, "plugin '{}' panicked", "p");
            tracing::warn!(target: "keyway_host::log", "plugin 'p' logged too fast");
            tracing::error!(target: "p", place, "of the plugin's own");
        });
        let held = take_panics();
        assert_eq!(held.len(), 1, "{held:?}");
        assert_eq!(held[0].message, "plugin 'p' panicked");
        assert_eq!(held[0].place, "src/lib.rs:1:2");
        assert!(take_panics().is_empty());
    }
}
