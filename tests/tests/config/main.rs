//! Settings from the host's own file on their way to a plugin, and what becomes of its secrets when it
//! tells them.

use std::path::PathBuf;

use keyway::{Activation, Context, Plugin, PluginError, Result};
use keyway_host::{
    ConfigOrigin, Host, HostError, HostErrorKind, LoadOptions, PluginStatus, Settings,
};
use keyway_tests::host;
use serde_json::json;

/// A plugin whose errors have its secret in them.
struct Telltale {
    token: String,
    fails_at: String,
}

impl Telltale {
    fn reach(&self, step: &str) -> Result<()> {
        if self.fails_at != step {
            return Ok(());
        }
        let token = &self.token;
        let error = PluginError::new(format!("{token:?} was refused")).code("refused");
        Err(error.context(format!("no login with {token}")))
    }
}

impl Plugin for Telltale {
    async fn prepare(context: Context) -> Result<Self> {
        let text = |key| {
            let value = context.config_value(key).and_then(|value| value.as_str());
            value.unwrap_or_default().to_owned()
        };
        let telltale = Telltale {
            token: text("token"),
            fails_at: text("fails_at"),
        };
        telltale.reach("prepare")?;
        Ok(telltale)
    }

    async fn activate(&self, _: &mut Activation) -> Result<()> {
        self.reach("activate")
    }

    async fn health_check(&self) -> Result<()> {
        self.reach("health-check")
    }

    async fn deactivate(&self) -> Result<()> {
        self.reach("deactivate")
    }
}

keyway::export_plugin!(Telltale, manifest = "tests/config/telltale.toml");

const TOKEN: &str = "se\"kret-token";

/// A file that is read, and the place where it was.
fn settings(config: &str) -> (Settings, PathBuf) {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("keyway.toml");
    let text = format!("[plugin.telltale.config]\n{config}\n");
    std::fs::write(&path, text).expect("a file");
    (Settings::read(&path).expect("it reads"), path)
}

fn start(host: &Host, options: LoadOptions) -> Result<PluginStatus, HostError> {
    host.block_on(host.register_static::<Telltale>(options))
}

fn options(settings: &Settings) -> LoadOptions {
    let own = settings.plugin("telltale").expect("the file has it");
    LoadOptions::new().settings(own)
}

#[test]
fn the_status_has_every_setting_with_its_origin_and_no_secret() {
    let (settings, path) = settings(r#"token = "${KEYWAY_TESTS_UNSET:-se\"kret-token}""#);
    let given = json!({ "greeting": "Hi" });
    let given = given.as_object().expect("an object").clone();
    let host = host();
    let status = start(&host, options(&settings).config(given)).expect("it starts");
    let config: Vec<_> = status
        .config
        .iter()
        .map(|one| (one.name.as_str(), &one.value, one.secret))
        .collect();
    assert_eq!(
        config,
        [
            ("greeting", &json!("Hi"), false),
            ("token", &json!("${KEYWAY_TESTS_UNSET}"), true),
        ]
    );
    assert_eq!(status.config[0].origin, ConfigOrigin::Given);
    assert_eq!(
        status.config[1].origin.to_string(),
        format!("{}:2:9", path.display())
    );
    let shown = format!("{status:?} {:?}", options(&settings));
    assert!(!shown.contains("kret-token"), "{shown}");
    host.block_on(host.stop("telltale")).expect("it stops");
}

#[test]
fn what_does_not_fit_is_told_with_its_place_before_the_plugin_runs() {
    let (settings, path) = settings("token = \"x\"\nfails_at = \"never\"");
    let error = start(&host(), options(&settings)).expect_err("it does not fit");
    assert_eq!(error.kind(), HostErrorKind::Config);
    let expected = format!(
        "setting `fails_at` ({}:3:12): expected one of",
        path.display()
    );
    assert!(error.message().starts_with(&expected), "{error}");
}

/// Has the words, and no form of the error has the secret.
#[track_caller]
fn assert_keeps_the_secret(error: &HostError, kind: HostErrorKind) {
    assert_eq!(error.kind(), kind);
    let expected = "failed: no login with [redacted token]: \"[redacted token]\" was refused";
    assert!(error.message().ends_with(expected), "{error}");
    let own = error.plugin_error().expect("the plugin's error");
    assert_eq!(own.error_code(), "refused");
    for form in [
        format!("{error}"),
        format!("{error:?}"),
        format!("{own:#}"),
        format!("{own:?}"),
    ] {
        assert!(!form.contains("kret-token"), "{form}");
    }
}

#[test]
fn an_error_of_a_step_that_tells_a_secret_reaches_the_application_without_it() {
    let load = |step: &str| {
        let toml = json!({ "token": TOKEN, "fails_at": step });
        let given = toml.as_object().expect("an object").clone();
        let host = host();
        let started = start(&host, LoadOptions::new().config(given));
        (host, started)
    };
    let (_, started) = load("prepare");
    assert_keeps_the_secret(&started.expect_err("it fails"), HostErrorKind::Prepare);
    let (_, started) = load("activate");
    assert_keeps_the_secret(&started.expect_err("it fails"), HostErrorKind::Activate);

    let (host, started) = load("health-check");
    started.expect("it starts");
    let error = host.block_on(host.health_check("telltale"));
    assert_keeps_the_secret(&error.expect_err("it is ill"), HostErrorKind::Health);

    let (host, started) = load("deactivate");
    started.expect("it starts");
    let error = host.block_on(host.stop("telltale"));
    assert_keeps_the_secret(&error.expect_err("it fails"), HostErrorKind::Stop);
}
