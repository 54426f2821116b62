//! Processes that die while they load or reload a plugin, and what the next host makes of it.

#[cfg(unix)]
mod guard;
#[cfg(unix)]
mod reload;
#[cfg(unix)]
mod stage;

use std::ffi::OsStr;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Output};

use keyway_host::{Host, HostError, LoadOptions, PluginStatus};
use keyway_tests::scene::object;
use keyway_tests::{child, host_builder};
use serde_json::{Value, json};

const HOME: &str = "KEYWAY_TESTS_HOME";
const PLUGIN: &str = "KEYWAY_TESTS_PLUGIN";
const CONFIG: &str = "KEYWAY_TESTS_CONFIG";

/// Names a file; where that is, the library of `runs-at-load` aborts as soon as it is opened.
const ABORT_AT_LOAD: &str = "KEYWAY_TESTS_ABORT_AT_LOAD";

/// A host whose state directory and private copies are inside a directory of the test.
fn host_in(home: &Path) -> Host {
    host_builder()
        .state_dir(state_in(home))
        .stage_dir(home)
        .build()
        .expect("a host")
}

fn state_in(home: &Path) -> PathBuf {
    home.join("state")
}

fn load(host: &Host, plugin: &Path, config: Value) -> Result<PluginStatus, HostError> {
    let options = LoadOptions::new().config(object(config));
    host.block_on(host.load_with(plugin, options))
}

/// A load in a process of its own, which is expected to die of it.
#[track_caller]
fn dies(home: &Path, plugin: &Path, config: &Value, more: &[(&str, &OsStr)]) {
    let config = config.to_string();
    let mut environment = environment(home, plugin, &config).to_vec();
    environment.extend(more);
    dies_in("loads_what_it_is_told", &environment);
}

/// An ignored test in a process of its own, which is expected to die in the middle of it.
#[track_caller]
fn dies_in(test: &str, environment: &[(&str, &OsStr)]) {
    let output = child::run(test, environment);
    let written = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // The test harness of the child would have said how the test went.
    assert!(
        !written.contains("test result"),
        "it lived: {written}\n{errors}"
    );
    assert!(written.contains("running 1 test"), "{written}\n{errors}");
}

/// A process that is in the middle of a load, and stays there until it is let go.
struct Stuck {
    process: Child,
    held: TcpStream,
}

impl Stuck {
    /// Waits until it is in the middle of `step`.
    fn at(step: &str, home: &Path, plugin: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let config = json!({ "at": step, "how": "block", "port": port }).to_string();
        let environment = environment(home, plugin, &config);
        let process = child::start("loads_what_it_is_told", &environment);
        let held = listener.accept().expect("the plugin connects").0;
        Stuck { process, held }
    }

    fn finish(self) -> Output {
        drop(self.held);
        self.process.wait_with_output().expect("it ends")
    }

    fn kill(mut self) {
        self.process.kill().expect("it is a child");
        self.process.wait().expect("it is a child");
    }
}

fn environment<'a>(
    home: &'a Path,
    plugin: &'a Path,
    config: &'a str,
) -> [(&'static str, &'a OsStr); 3] {
    [
        (HOME, home.as_os_str()),
        (PLUGIN, plugin.as_os_str()),
        (CONFIG, OsStr::new(config)),
    ]
}

#[test]
#[ignore = "runs as the child of the other tests, which set its environment"]
fn loads_what_it_is_told() {
    let home = PathBuf::from(child::variable(HOME));
    let host = host_in(&home);
    let plugin = PathBuf::from(child::variable(PLUGIN));
    load(&host, &plugin, config_in(CONFIG)).expect("it loads");
}

fn config_in(variable: &str) -> Value {
    let config = child::variable(variable);
    serde_json::from_str(config.to_str().expect("JSON")).expect("JSON")
}
