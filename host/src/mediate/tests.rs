use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use keyway::ErrorKind;
use keyway_manifest::Permissions;

use super::*;
use crate::permission::Level;

/// A clock that goes when it is told to.
#[derive(Debug)]
pub(super) struct Told {
    now: Mutex<Instant>,
}

impl Told {
    fn new() -> Self {
        Told {
            now: Mutex::new(Instant::now()),
        }
    }

    fn pass(&self, time: Duration) {
        *self.now.lock().expect("no panic") += time;
    }
}

impl TimeSource for Told {
    fn now(&self) -> Instant {
        *self.now.lock().expect("no panic")
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

/// What a manifest asks for.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) network: &'static [&'static str],
    pub(super) read: &'static [&'static str],
    pub(super) write: &'static [&'static str],
    pub(super) env: &'static [&'static str],
    pub(super) subprocess: &'static [&'static str],
}

impl Asked {
    pub(super) fn grant(&self, base: &Path) -> Grant {
        let texts = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let mut asked = Permissions::default();
        asked.network = texts(self.network).into();
        asked.filesystem.read = texts(self.read).into();
        asked.filesystem.write = texts(self.write).into();
        asked.env = texts(self.env);
        asked.subprocess = texts(self.subprocess).into();
        Grant::normalise(&asked, base).expect("it is well-formed")
    }

    pub(super) fn builder(&self, base: &Path) -> MediatorBuilder {
        let id = PluginId::new("weather").expect("an id");
        Mediator::builder(id, self.grant(base), base)
    }

    pub(super) fn mediator(&self, base: &Path) -> Mediator {
        self.builder(base).build().expect("the base is absolute")
    }
}

/// Kind, code and message, which all have to be right.
pub(super) fn parts(error: &PluginError) -> (ErrorKind, &str, &str) {
    (error.kind(), error.error_code(), error.message())
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn with_env(asked: &Asked, home: &Path) -> MediatorBuilder {
    asked.builder(home).env_source(|name| match name {
        "LANG" => Some("de_DE".into()),
        "SSH_AUTH_SOCK" => Some("secret".into()),
        _ => None,
    })
}

#[test]
fn only_variables_that_are_listed_are_read() {
    let home = home();
    let asked = Asked {
        env: &["LANG", "TZ", "SSH_AUTH_SOCK"],
        ..Asked::default()
    };
    let mediator = with_env(&asked, home.path())
        .build()
        .expect("the base is absolute");
    assert_eq!(mediator.env("LANG"), Ok(Some("de_DE".to_owned())));
    assert_eq!(mediator.env("TZ"), Ok(None));
    let denied = mediator.env("HOME").expect_err("it is not listed");
    assert_eq!(
        parts(&denied),
        (
            ErrorKind::Denied,
            "env-not-granted",
            "the environment variable \"HOME\" is not granted; add \"HOME\" to env under \
             [plugin.permissions]"
        )
    );
    let never = mediator.env("SSH_AUTH_SOCK").expect_err("it is the host's");
    assert_eq!(
        (never.kind(), never.error_code()),
        (ErrorKind::Denied, "env-never-granted")
    );
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_is_an_error() {
    use std::os::unix::ffi::OsStringExt;
    let home = home();
    let asked = Asked {
        env: &["LANG"],
        ..Asked::default()
    };
    let mediator = asked
        .builder(home.path())
        .env_source(|_| Some(std::ffi::OsString::from_vec(vec![0xff])))
        .build()
        .expect("the base is absolute");
    let error = mediator.env("LANG").expect_err("it is not Unicode");
    assert_eq!(
        parts(&error),
        (
            ErrorKind::Malformed,
            "bad-request",
            "the value of the environment variable \"LANG\" is not Unicode"
        )
    );
}

#[test]
fn who_asks_too_often_is_told_when_to_ask_again() {
    let home = home();
    let asked = Asked {
        env: &["LANG"],
        ..Asked::default()
    };
    let limits = Limits {
        env_rate: Some(Rate::new(10, 2)),
        ..Limits::default()
    };
    let clock = Arc::new(Told::new());
    let mediator = with_env(&asked, home.path())
        .limits(limits)
        .time(clock.clone())
        .build()
        .expect("the base is absolute");
    let same = mediator.clone();
    mediator.env("LANG").expect("it is granted");
    same.env("LANG").expect("it is granted");
    let busy = mediator.env("LANG").expect_err("it is the third");
    assert_eq!(
        parts(&busy),
        (
            ErrorKind::Busy,
            "rate-limited",
            "asked for environment variables too often; try again in 100 ms"
        )
    );
    assert!(busy.is_retryable());
    clock.pass(Duration::from_millis(100));
    mediator.env("LANG").expect("there is a token again");
}

#[test]
fn everything_that_is_asked_is_written_down() {
    let home = home();
    let asked = Asked {
        env: &["LANG"],
        ..Asked::default()
    };
    let log = Arc::new(AuditLog::default());
    let limits = Limits {
        env_rate: Some(Rate::new(1, 2)),
        ..Limits::default()
    };
    let mediator = with_env(&asked, home.path())
        .audit(log.clone())
        .limits(limits)
        .time(Arc::new(Told::new()))
        .build()
        .expect("the base is absolute");
    let _ = mediator.env("LANG");
    let _ = mediator.env("A\nB");
    let _ = mediator.env("LANG");
    let record = |target: &str, outcome| AuditRecord {
        plugin: mediator.plugin().clone(),
        action: Action::ReadEnv,
        target: target.to_owned(),
        outcome,
        at: SystemTime::UNIX_EPOCH,
        took: Duration::ZERO,
    };
    let denied = |code: &str| AuditOutcome::Denied {
        code: code.to_owned(),
    };
    assert_eq!(
        log.take(),
        [
            record("LANG", AuditOutcome::Done),
            record("A\\nB", denied("env-not-granted")),
            record("LANG", denied("rate-limited")),
        ]
    );
}

#[test]
fn a_question_alone_is_not_written_down() {
    let home = home();
    let mediator = Asked::default().mediator(home.path());
    assert_eq!(
        mediator.decide(Ask::Env("LANG")).level,
        Level::NeedsApproval
    );
    assert!(mediator.audit().take().is_empty());
}

#[test]
fn a_base_has_to_be_absolute() {
    let id = PluginId::new("weather").expect("an id");
    let error = Mediator::builder(id, Grant::default(), "data").build();
    assert_eq!(
        error.expect_err("it is relative").to_string(),
        "plugin weather (data): the paths of a plugin begin at a directory that is not absolute, \
         or not Unicode; hint: give the absolute path of a directory"
    );
}

#[test]
fn the_variables_that_nobody_gets_are_the_ones_that_are_documented() {
    let page = include_str!("../../../PERMISSIONS.md");
    for name in denied_env_names() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    for prefix in denied_env_prefixes() {
        assert!(page.contains(&format!("`{prefix}*`")), "{prefix}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_of_a_plugin_makes_it_panic(text in proptest::prelude::any::<String>()) {
        let asked = Asked {
            read: &["data"],
            subprocess: &["no-such-program"],
            ..Asked::default()
        };
        // Nothing is there, so nothing is done.
        let mediator = asked.mediator(Path::new(if cfg!(windows) { "C:\\none" } else { "/none" }));
        let _ = mediator.read_file(&text);
        let _ = mediator.read_file(&format!("data/{text}"));
        let _ = mediator.write_file(&text, b"");
        let _ = mediator.env(&text);
        let _ = mediator.run(RunRequest::new(&text).arg(&text).env(&text, &text).dir(&text));
        let request = RunRequest::new("no-such-program").arg(&text).env(&text, &text);
        let _ = mediator.run(request.dir(&text));
    }
}

#[test]
fn a_later_version_goes_on_counting_with_the_limits_of_the_earlier_one() {
    let asked = Asked {
        env: &["A"],
        ..Asked::default()
    };
    let told = Arc::new(Told::new());
    let limits = Limits {
        env_rate: Some(Rate::new(1, 2)),
        ..Limits::default()
    };
    let time = || Arc::clone(&told) as Arc<dyn TimeSource>;
    let build = |builder: MediatorBuilder| builder.time(time()).build().expect("a base");
    let base = home();
    let earlier = build(asked.builder(base.path()).limits(limits));
    let later = build(asked.builder(base.path()).continuing(&earlier));
    assert!(earlier.env("A").is_ok() && later.env("A").is_ok());
    for mediator in [&earlier, &later] {
        let refused = mediator.env("A").expect_err("the two were asked for");
        assert_eq!(refused.error_code(), "rate-limited");
    }
    told.pass(Duration::from_secs(1));
    assert!(later.env("A").is_ok());
    assert!(earlier.env("A").is_err());
}
