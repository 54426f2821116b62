use std::sync::Mutex;

use keyway_manifest::PluginId;
use semver::Version;

use super::*;
use crate::inspect::{ContentHash, hash_bytes};

/// Notes what it was asked, and answers as it is told.
struct Asked {
    answer: Approval,
    about: Mutex<Vec<PermissionDiff>>,
}

impl Asked {
    fn allowing() -> Self {
        Asked {
            answer: Approval::Allow,
            about: Mutex::default(),
        }
    }

    fn about(&self) -> Vec<PermissionDiff> {
        std::mem::take(&mut self.about.lock().expect("no panic"))
    }
}

impl Approver for Asked {
    fn decide(&self, request: &ApprovalRequest<'_>) -> Approval {
        self.about
            .lock()
            .expect("no panic")
            .push(request.diff.clone());
        self.answer.clone()
    }
}

struct Setting {
    _home: tempfile::TempDir,
    store: PermissionStore,
}

impl Setting {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let store = PermissionStore::open(home.path().join("state/permissions.json"));
        Setting {
            store: store.expect("there is none yet"),
            _home: home,
        }
    }

    fn admit(
        &self,
        approver: &dyn Approver,
        build: &str,
        asked: &Grant,
    ) -> Result<HowAdmitted, Finding> {
        let admission = admit(
            &self.store,
            approver,
            &id(),
            &Version::new(1, 2, 3),
            &hash(build),
            asked.clone(),
        )?;
        assert_eq!(admission.grant, *asked);
        Ok(admission.how)
    }
}

fn id() -> PluginId {
    PluginId::new("weather").expect("an id")
}

fn hash(build: &str) -> ContentHash {
    hash_bytes(build.as_bytes())
}

#[test]
fn only_what_is_new_is_asked_about() {
    let setting = Setting::new();
    let asked = Asked::allowing();
    let (small, large) = (
        network(&["a.com:443"]),
        network(&["a.com:443", "b.com:443"]),
    );

    assert_eq!(
        setting.admit(&asked, "one", &small),
        Ok(HowAdmitted::Approved)
    );
    assert_eq!(
        asked.about(),
        [PermissionDiff::between(&Grant::default(), &small)]
    );
    assert_eq!(
        setting.admit(&DenyAll, "one", &small),
        Ok(HowAdmitted::ApprovedBefore)
    );
    // Another build that asks for no more.
    assert_eq!(
        setting.admit(&DenyAll, "two", &small),
        Ok(HowAdmitted::CarriedOver)
    );
    // One that does.
    assert_eq!(
        setting.admit(&asked, "three", &large),
        Ok(HowAdmitted::Approved)
    );
    let about = asked.about();
    assert_eq!(about.len(), 1);
    assert_eq!(about[0].added, network(&["b.com:443"]));
    assert!(about[0].removed.is_empty());
    // Back to a build that was approved.
    assert_eq!(
        setting.admit(&DenyAll, "one", &small),
        Ok(HowAdmitted::ApprovedBefore)
    );
}

#[test]
fn what_a_version_gave_up_is_asked_about_again() {
    let setting = Setting::new();
    let (small, large) = (
        network(&["a.com:443"]),
        network(&["a.com:443", "b.com:443"]),
    );
    let asked = Asked::allowing();
    setting.admit(&asked, "one", &large).expect("it is allowed");
    assert_eq!(
        setting.admit(&asked, "two", &small),
        Ok(HowAdmitted::CarriedOver)
    );
    asked.about();
    assert_eq!(
        setting.admit(&asked, "three", &large),
        Ok(HowAdmitted::Approved)
    );
    assert_eq!(asked.about()[0].added, network(&["b.com:443"]));
    assert_eq!(
        setting.admit(&asked, "four", &Grant::default()),
        Ok(HowAdmitted::NothingAsked)
    );
    assert_eq!(
        setting.admit(&asked, "five", &small),
        Ok(HowAdmitted::Approved)
    );
}

#[test]
fn a_plugin_that_asks_for_nothing_is_not_written_down() {
    let setting = Setting::new();
    let how = setting.admit(&DenyAll, "one", &Grant::default());
    assert_eq!(how, Ok(HowAdmitted::NothingAsked));
    assert!(!setting.store.path().expect("it is a file").exists());
}

#[test]
fn a_refusal_says_what_was_asked_for_and_is_not_remembered() {
    let setting = Setting::new();
    let grant = network(&["a.com:443"]);
    let refused = setting
        .admit(&DenyAll, "one", &grant)
        .expect_err("it denies all");
    assert_eq!(refused.code.id, "permission-denied");
    assert_eq!(
        refused.to_string(),
        "plugin 'weather': asks to: connect to a.com:443; refused: this host approves nothing new; \
         hint: approve it, if you trust the plugin with that"
    );
    assert_eq!(
        setting.admit(&Asked::allowing(), "one", &grant),
        Ok(HowAdmitted::Approved)
    );
    let refused = setting.admit(&DenyAll, "two", &network(&["a.com:443", "b.com:443"]));
    assert_eq!(
        refused.expect_err("it denies all").message,
        "asks beyond what was approved for v1.2.3 to: connect to b.com:443; refused: this host \
         approves nothing new"
    );
}

#[test]
fn an_allow_list_allows_at_most_what_it_has_and_only_to_whom_it_names() {
    let most = network(&["*.a.com:443", "b.com:443"]);
    let asked = network(&["x.a.com:443"]);
    let list = AllowList::new().allow(id(), most);
    assert_eq!(
        Setting::new().admit(&list, "one", &asked),
        Ok(HowAdmitted::Approved)
    );

    let refused = |list: &AllowList, asked: &Grant| {
        let refused = Setting::new()
            .admit(list, "one", asked)
            .expect_err("it is refused");
        refused.message
    };
    assert_eq!(
        refused(&list, &network(&["x.a.com:443", "c.com:443"])),
        "asks to: connect to c.com:443, connect to x.a.com:443; refused: the allow list does not \
         have: connect to c.com:443"
    );
    assert_eq!(
        refused(&AllowList::new(), &asked),
        "asks to: connect to x.a.com:443; refused: the plugin is not on the allow list"
    );
    let pinned = list.clone().pin(id(), hash("other"));
    assert_eq!(
        refused(&pinned, &asked),
        format!(
            "asks to: connect to x.a.com:443; refused: the allow list has other contents than {}",
            hash("one")
        )
    );
    let pinned = pinned.pin(id(), hash("one"));
    assert_eq!(
        Setting::new().admit(&pinned, "one", &asked),
        Ok(HowAdmitted::Approved)
    );
}

#[test]
fn what_was_revoked_is_asked_about_again() {
    let setting = Setting::new();
    let grant = network(&["a.com:443"]);
    setting
        .admit(&Asked::allowing(), "one", &grant)
        .expect("it is allowed");
    assert_eq!(setting.store.revoke(&id()), Ok(true));
    assert_eq!(setting.store.revoke(&id()), Ok(false));
    setting
        .admit(&DenyAll, "one", &grant)
        .expect_err("nothing is approved");
}
