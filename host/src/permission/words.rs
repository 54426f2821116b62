//! Grants in the words of people.

use std::fmt::{self, Display};

use super::{Grant, Reach};

impl Grant {
    /// One line for each thing that is allowed, such as `read /srv/acme/data`.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        push(
            &mut lines,
            "connect to",
            "every host of the internet",
            &self.network,
        );
        push(&mut lines, "read", "every file", &self.read);
        push(&mut lines, "write", "every file", &self.write);
        push(
            &mut lines,
            "read the environment variable",
            "of any name",
            &self.env,
        );
        push(&mut lines, "start", "every program", &self.subprocess);
        lines
    }
}

fn push<T: Display>(lines: &mut Vec<String>, verb: &str, everything: &str, reach: &Reach<T>) {
    if reach.is_all() {
        lines.push(format!("{verb} {everything}"));
    }
    lines.extend(
        reach
            .entries()
            .iter()
            .map(|entry| format!("{verb} {entry}")),
    );
}

/// In one line, with commas; `nothing` if nothing is allowed.
impl Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        f.write_str(&self.lines().join(", "))
    }
}
