//! What the host and the plugins log, on stderr.

use anstream::AutoStream;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Args, Command};

/// Starts to print events: warnings for a call, also information in development; `-v` and `-q`
/// move that by one level each. Without either, `RUST_LOG` decides where it is set, with
/// directives such as `warn,my_plugin=debug`.
pub(crate) fn start(args: &Args) {
    let filter = from_environment(args).unwrap_or_else(|| Targets::new().with_default(level(args)));
    let colors = AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .without_time()
        .with_ansi(colors)
        // A closed stderr is no reason to end.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
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
        Command::Inspect(_) | Command::Call(_) => 2,
        Command::Dev(_) => 3,
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
