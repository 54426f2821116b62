//! The soak: what it does, and what it promises.

#[expect(unreachable_pub, reason = "in the tests' crate it is reachable")]
#[expect(dead_code, reason = "the tests break libraries in further ways")]
#[path = "../../../tests/src/binary.rs"]
mod binary;
mod broken;
mod builds;
mod callers;
// Included instead of depended upon: a dev-dependency would be built for every test.
#[path = "../../../tests/fixtures/soaks/src/calls.rs"]
mod calls;
mod meter;
mod nested;
mod options;
mod report;
mod run;
mod stand;
mod times;

use std::io::Write;
use std::process::ExitCode;

use options::Options;

pub(crate) fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => return fail(&error),
    };
    let report = match run::run(&options) {
        Ok(report) => report,
        Err(error) => return fail(&error),
    };
    let _ = writeln!(std::io::stdout(), "{}", report.json());
    let broken = report.broken_promises();
    for promise in &broken {
        tell(format_args!("broken promise: {promise}"));
    }
    match broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn fail(error: &str) -> ExitCode {
    tell(format_args!("error: {error}"));
    ExitCode::FAILURE
}

/// Says something to whoever looks on.
fn tell(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
