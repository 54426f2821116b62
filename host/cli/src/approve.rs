//! Who decides on the permissions of plugins that `keyway` starts: what was agreed to when they were installed, and
//! for what is beyond that the person at the terminal.

use std::sync::{Mutex, PoisonError};

use keyway_host::permission::Approval;
use keyway_host::{AllowList, ApprovalRequest, Approver};

use crate::terminal::{self, printable};

/// A question that is answered with yes or no, or by nobody.
type Ask = dyn FnMut(&str) -> Option<bool> + Send;

/// Allows what is on the list, and asks about the rest.
pub(crate) struct AgreedOrAsked {
    agreed: AllowList,
    /// One question at a time: whoever else has one waits.
    ask: Mutex<Box<Ask>>,
}

impl AgreedOrAsked {
    /// With the terminal to ask at. Where there is none, what is not on the list is refused: an answer that a
    /// script pipes in was not given for this question.
    pub(crate) fn at_the_terminal(agreed: AllowList) -> Self {
        Self::asking(agreed, terminal::ask)
    }

    fn asking(agreed: AllowList, ask: impl FnMut(&str) -> Option<bool> + Send + 'static) -> Self {
        AgreedOrAsked {
            agreed,
            ask: Mutex::new(Box::new(ask)),
        }
    }
}

impl Approver for AgreedOrAsked {
    fn decide(&self, request: &ApprovalRequest<'_>) -> Approval {
        let decision = self.agreed.decide(request);
        if decision == Approval::Allow {
            return decision;
        }
        let mut ask = self.ask.lock().unwrap_or_else(PoisonError::into_inner);
        match ask(&printable(&question(request))) {
            Some(true) => Approval::Allow,
            Some(false) => Approval::Deny {
                reason: "not allowed at the terminal".to_owned(),
            },
            None => decision,
        }
    }
}

fn question(request: &ApprovalRequest<'_>) -> String {
    let ApprovalRequest {
        plugin,
        version,
        previous,
        diff,
        ..
    } = request;
    let since = previous.map_or_else(String::new, |previous| {
        format!(", beyond what was allowed for v{}", previous.version)
    });
    let mut question = format!("{plugin} v{version} asks to{since}:\n");
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
    question.push_str("It runs in the host's process, and is not kept in a sandbox. Allow this?");
    question
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use keyway_host::manifest::{Permissions, PluginId};
    use keyway_host::{Finding, Grant, HowAdmitted, PermissionStore, admit, inspect};

    use super::*;

    fn grant(peers: &[&str]) -> Grant {
        let mut asked = Permissions::default();
        let peers: Vec<_> = peers.iter().map(|peer| (*peer).to_owned()).collect();
        asked.network = peers.into();
        Grant::normalise(&asked, Path::new("/srv")).expect("it is well-formed")
    }

    fn weather() -> PluginId {
        PluginId::new("weather").expect("an id")
    }

    struct Setting {
        store: PermissionStore,
        _home: tempfile::TempDir,
        agreed: AllowList,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl Setting {
        fn new(agreed: AllowList) -> Self {
            let home = tempfile::tempdir().expect("a directory");
            Setting {
                store: PermissionStore::open(home.path().join("permissions.json"))
                    .expect("there is none yet"),
                _home: home,
                agreed,
                asked: Arc::default(),
            }
        }

        fn admit(
            &self,
            answer: Option<bool>,
            version: u64,
            grant: Grant,
        ) -> Result<HowAdmitted, Finding> {
            let asked = Arc::clone(&self.asked);
            let approver = AgreedOrAsked::asking(self.agreed.clone(), move |question| {
                asked.lock().expect("no panic").push(question.to_owned());
                answer
            });
            let hash = inspect::hash_bytes(&version.to_le_bytes());
            let version = semver::Version::new(version, 0, 0);
            let admitted = admit(&self.store, &approver, &weather(), &version, &hash, grant);
            admitted.map(|admission| admission.how)
        }

        fn questions(&self) -> Vec<String> {
            std::mem::take(&mut *self.asked.lock().expect("no panic"))
        }
    }

    #[test]
    fn what_was_agreed_to_is_not_asked_about() {
        let agreed = AllowList::new().allow(weather(), grant(&["a.com:443"]));
        let setting = Setting::new(agreed);
        let how = setting.admit(None, 1, grant(&["a.com:443"]));
        assert_eq!(how, Ok(HowAdmitted::Approved));
        assert!(setting.questions().is_empty());
    }

    #[test]
    fn a_yes_allows_and_a_no_and_nobody_do_not() {
        let asked = || grant(&["a.com:443"]);
        let setting = || Setting::new(AllowList::new());
        assert!(setting().admit(Some(true), 1, asked()).is_ok());
        let no = setting().admit(Some(false), 1, asked());
        let no = no.expect_err("it was not allowed").to_string();
        assert!(no.contains("not allowed at the terminal"), "{no}");
        let nobody = setting().admit(None, 1, asked());
        let nobody = nobody.expect_err("nobody was asked").to_string();
        assert!(nobody.contains("not on the allow list"), "{nobody}");
    }

    #[test]
    fn the_question_has_what_is_new_and_what_is_gone() {
        let setting = Setting::new(AllowList::new());
        let how = setting.admit(Some(true), 1, grant(&["a.com:443", "b.com:443"]));
        assert_eq!(how, Ok(HowAdmitted::Approved));
        setting.questions();
        let how = setting.admit(Some(true), 2, grant(&["b.com:443", "c.com:443"]));
        assert_eq!(how, Ok(HowAdmitted::Approved));
        assert_eq!(
            setting.questions(),
            [
                "weather v2.0.0 asks to, beyond what was allowed for v1.0.0:\n\
             \x20 + connect to c.com:443\n\
             It no longer asks to:\n\
             \x20 - connect to a.com:443\n\
             It runs in the host's process, and is not kept in a sandbox. Allow this?"
            ]
        );
    }
}
