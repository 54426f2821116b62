//! Asks the person at the terminal about the permissions of plugins.

use std::io::{self, BufRead, IsTerminal, Write};

use keyway_host::{Approval, ApprovalRequest, Approver};

use crate::terminal::printable;

/// Asks on stderr and reads the answer from stdin. Where that is no terminal, there is nobody to ask, and
/// what is new is refused: an answer that a script pipes in was not given for this question.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "for the commands that start plugins with permissions"
    )
)]
pub(crate) struct AskAtTerminal;

impl Approver for AskAtTerminal {
    fn decide(&self, request: &ApprovalRequest<'_>) -> Approval {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return deny("there is no terminal to ask at");
        }
        // One question at a time: whoever else has one waits.
        ask(request, stdin.lock(), &mut anstream::stderr().lock())
    }
}

/// Asks, and takes nothing but a plain yes for one.
fn ask(request: &ApprovalRequest<'_>, mut input: impl BufRead, output: &mut dyn Write) -> Approval {
    let question = printable(&question(request));
    let asked = write!(output, "{question}Allow this? [y/N] ").and_then(|()| output.flush());
    let mut answer = String::new();
    if asked.is_err() || input.read_line(&mut answer).is_err() {
        return deny("the question could not be asked at the terminal");
    }
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Approval::Allow,
        _ => deny("not allowed at the terminal"),
    }
}

fn question(request: &ApprovalRequest<'_>) -> String {
    let ApprovalRequest {
        plugin,
        version,
        hash,
        previous,
        diff,
        ..
    } = request;
    let since = previous.map_or_else(String::new, |previous| {
        format!(", beyond what was allowed for v{}", previous.version)
    });
    let mut question = format!("Plugin {plugin} v{version} ({hash}) asks to{since}:\n");
    for line in diff.added.lines() {
        question.push_str(&format!("  + {line}\n"));
    }
    let removed = diff.removed.lines();
    if !removed.is_empty() {
        question.push_str("It no longer asks to:\n");
    }
    for line in removed {
        question.push_str(&format!("  - {line}\n"));
    }
    question.push_str(
        "This is what the host will do for it. It runs in the host's process, and is not kept in \
         a sandbox.\n",
    );
    question
}

fn deny(reason: &str) -> Approval {
    Approval::Deny {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use keyway_host::manifest::{Permissions, PluginId};
    use keyway_host::{Finding, Grant, HowAdmitted, PermissionStore, admit, inspect};

    use super::*;

    /// Answers what it is told, and keeps the question.
    struct Person {
        says: &'static str,
        was_asked: Mutex<String>,
    }

    impl Approver for Person {
        fn decide(&self, request: &ApprovalRequest<'_>) -> Approval {
            let mut output = Vec::new();
            let answer = ask(request, self.says.as_bytes(), &mut output);
            *self.was_asked.lock().expect("no panic") = String::from_utf8(output).expect("text");
            answer
        }
    }

    fn grant(peers: &[&str]) -> Grant {
        let mut asked = Permissions::default();
        let peers: Vec<_> = peers.iter().map(|peer| (*peer).to_owned()).collect();
        asked.network = peers.into();
        Grant::normalise(&asked, Path::new("/srv")).expect("it is well-formed")
    }

    struct Setting {
        store: PermissionStore,
        _home: tempfile::TempDir,
    }

    impl Setting {
        fn new() -> Self {
            let home = tempfile::tempdir().expect("a directory");
            Setting {
                store: PermissionStore::open(home.path().join("permissions.json"))
                    .expect("there is none yet"),
                _home: home,
            }
        }

        fn admit(
            &self,
            approver: &dyn Approver,
            version: u64,
            grant: Grant,
        ) -> Result<HowAdmitted, Finding> {
            let id = PluginId::new("weather").expect("an id");
            let hash = inspect::hash_bytes(&version.to_le_bytes());
            let version = semver::Version::new(version, 0, 0);
            let admitted = admit(&self.store, approver, &id, &version, &hash, grant);
            admitted.map(|admission| admission.how)
        }
    }

    fn person(says: &'static str) -> Person {
        Person {
            says,
            was_asked: Mutex::default(),
        }
    }

    #[test]
    fn a_plain_yes_allows_and_nothing_else_does() {
        for (says, allowed) in [
            ("y\n", true),
            ("Yes\n", true),
            ("  y  \n", true),
            ("", false),
            ("\n", false),
            ("n\n", false),
            ("yeah\n", false),
            ("\ny\n", false),
        ] {
            let outcome = Setting::new().admit(&person(says), 1, grant(&["a.com:443"]));
            assert_eq!(outcome.is_ok(), allowed, "{says:?}");
        }
    }

    #[test]
    fn the_question_has_what_is_new_and_what_is_gone() {
        let setting = Setting::new();
        let first = person("y\n");
        let how = setting.admit(&first, 1, grant(&["a.com:443", "b.com:443"]));
        assert_eq!(how, Ok(HowAdmitted::Approved));
        let second = person("y\n");
        let how = setting.admit(&second, 2, grant(&["b.com:443", "c.com:443"]));
        assert_eq!(how, Ok(HowAdmitted::Approved));
        let asked = second.was_asked.lock().expect("no panic");
        let (head, rest) = asked.split_once('\n').expect("several lines");
        assert!(head.starts_with("Plugin weather v2.0.0 (blake3:"), "{head}");
        assert!(
            head.ends_with(") asks to, beyond what was allowed for v1.0.0:"),
            "{head}"
        );
        assert_eq!(
            rest,
            "  + connect to c.com:443\n\
             It no longer asks to:\n\
             \x20 - connect to a.com:443\n\
             This is what the host will do for it. It runs in the host's process, and is not kept \
             in a sandbox.\n\
             Allow this? [y/N] "
        );
    }
}
