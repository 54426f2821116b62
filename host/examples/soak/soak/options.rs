//! The command line.

use std::time::Duration;

/// What to do, and how often.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) work: Work,
    /// How long each version is watched; none by default, so that the one before ends at once.
    pub(crate) probation: Option<Duration>,
    /// Whether calls wait while a version hands over. Then the total must be exact.
    pub(crate) exclusive: bool,
    /// How many threads call.
    pub(crate) threads: usize,
    /// How long each of them rests after each round of calls.
    pub(crate) rest: Duration,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Replaces the plugin by so many good builds, each when the one before serves.
    Reloads(u64),
    /// The same without waiting: the newest wins.
    Hammer(u64),
    /// Puts so many broken builds in its place.
    Broken(u64),
}

impl Work {
    pub(crate) fn rounds(self) -> u64 {
        match self {
            Work::Reloads(rounds) | Work::Hammer(rounds) | Work::Broken(rounds) => rounds,
        }
    }
}

pub(crate) const USAGE: &str = "usage: soak (--reloads N [--hammer] | --broken N) \
     [--probation MS] [--exclusive] [--threads N] [--rest MICROS]";

impl Options {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let (mut reloads, mut broken, mut hammer) = (None, None, false);
        let mut options = Options {
            work: Work::Reloads(0),
            probation: None,
            exclusive: false,
            threads: 8,
            rest: Duration::ZERO,
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let value = arguments.next();
                let value = value.ok_or_else(|| format!("{argument}: expected a number"))?;
                let number = value.parse::<u64>();
                number.map_err(|_| format!("{argument}: expected a number, found {value:?}"))
            };
            match argument.as_str() {
                "--reloads" => reloads = Some(number()?),
                "--broken" => broken = Some(number()?),
                "--hammer" => hammer = true,
                "--probation" => options.probation = Some(Duration::from_millis(number()?)),
                "--exclusive" => options.exclusive = true,
                "--threads" => options.threads = number()?.max(1) as usize,
                "--rest" => options.rest = Duration::from_micros(number()?),
                other => return Err(format!("{other}: no such option; {USAGE}")),
            }
        }
        options.work = match (reloads, broken, hammer) {
            (Some(rounds), None, false) => Work::Reloads(rounds),
            (Some(rounds), None, true) => Work::Hammer(rounds),
            (None, Some(rounds), false) => Work::Broken(rounds),
            _ => return Err(USAGE.to_owned()),
        };
        if options.work.rounds() < 10 {
            return Err(
                "expected at least 10 rounds: the first tenth is for warming up".to_owned(),
            );
        }
        Ok(options)
    }
}
