//! How events look between the status lines of `keyway dev`.

use std::fmt::Result;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{Compact, Format, Writer, format};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use anstyle::{AnsiColor, Style};

use crate::terminal::VERB_COLUMNS;

/// The level in the column of the verbs. What the host says stands for itself; what others say
/// comes after their target.
pub(super) struct Columns {
    of_host: Format<Compact, ()>,
    of_others: Format<Compact, ()>,
}

impl Default for Columns {
    fn default() -> Self {
        let of_others = format().compact().without_time().with_level(false);
        Columns {
            of_host: of_others.clone().with_target(false),
            of_others,
        }
    }
}

impl<S, N> FormatEvent<S, N> for Columns
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> Result {
        let level = *event.metadata().level();
        if writer.has_ansi_escapes() {
            let style = style(level);
            write!(writer, "{style}{level:>VERB_COLUMNS$}{style:#} ")?;
        } else {
            write!(writer, "{level:>VERB_COLUMNS$} ")?;
        }
        let is_host = event.metadata().target().starts_with("keyway_host");
        let format = if is_host {
            &self.of_host
        } else {
            &self.of_others
        };
        format.format_event(context, writer, event)
    }
}

/// The colours that `tracing-subscriber` gives them.
fn style(level: Level) -> Style {
    let color = match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        Level::DEBUG => AnsiColor::Blue,
        Level::TRACE => AnsiColor::Magenta,
    };
    color.on_default()
}
