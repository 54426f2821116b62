//! An application that embeds Keyway: a gateway whose guards are plugins.
//!
//! It brings an extension point of its own (`guard/`), finds its plugins in a directory, starts them in the
//! order in which they need each other, goes on though one of them panics, replaces another under load,
//! and says how they all are. `cargo run -p gateway` builds the plugins and runs it.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

mod install;
mod status;

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use gateway_guard::{Guard, GuardHandle, Request};
use keyway_host::keyway::{self, Json};
use keyway_host::{Event, EventKind, Events, Host, Origin};
use semver::Version;
use serde_json::json;

use install::{build, install};
use status::status;

fn main() -> Result<(), Box<dyn Error>> {
    let home = tempfile::tempdir()?;
    println!("Building the plugins");
    for plugin in ["accounts", "quota", "greeter", "geo"] {
        install(home.path(), plugin, &build(plugin, "")?)?;
    }
    let next = build("greeter", "polite")?;
    let gateway = Gateway::new(home.path())?;
    gateway.start()?;
    gateway.serve(&["t-17", "t-23", "t-17", "t-17", "t-99"]);
    gateway.reload_under_load(home.path(), &next)?;
    gateway.serve(&["t-23"]);

    println!("\nStatus");
    print!("{}", status(&gateway.host));
    let report = gateway.host.block_on(gateway.host.stop_all())?;
    println!("\nStopped {}", names(&report.done));
    Ok(())
}

struct Gateway {
    host: Host,
}

impl Gateway {
    fn new(plugins: &Path) -> Result<Self, Box<dyn Error>> {
        let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("keyway.toml");
        let host = Host::builder("gateway", Version::new(0, 5, 0))
            .root(Origin::Workspace, plugins)
            .config_file(settings)
            .capability::<GuardHandle>()
            .hot_reload(true)
            .build()?;
        Ok(Gateway { host })
    }

    /// Starts all plugins. One that fails is reported, and nobody else's affair.
    fn start(&self) -> Result<(), Box<dyn Error>> {
        let report = self.host.block_on(self.host.start_all())?;
        println!("Started {}", names(&report.done));
        for (id, reason) in &report.failed {
            println!("Failed  {id} [{}]", reason.code());
        }
        Ok(())
    }

    /// Answers a request: asks all guards, whichever plugins they are of, and then greets.
    fn answer(&self, token: &str) -> keyway::Result<String> {
        let mut guards = Vec::new();
        for name in self.host.names_of::<GuardHandle>() {
            let guard = self
                .host
                .capability::<GuardHandle>(&name)
                .map_err(unavailable)?;
            guards.push((guard.rank()?, guard));
        }
        guards.sort_by_key(|(rank, _)| *rank);
        let mut request = Request {
            token: token.to_owned(),
            account: None,
        };
        for (_, guard) in guards {
            request = guard.admit(Json(request))?.0;
        }
        self.greet(&request.account.unwrap_or_default())
    }

    fn greet(&self, name: &str) -> keyway::Result<String> {
        let greet = self.host.tool("greet").map_err(unavailable)?;
        let answer = self.host.block_on(greet.call(json!({ "name": name })))?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    fn serve(&self, tokens: &[&str]) {
        println!("\nRequests");
        for token in tokens {
            match self.answer(token) {
                Ok(answer) => println!("  {token}  {answer}"),
                Err(error) => println!("  {token}  kept out: {}", error.message()),
            }
        }
    }

    /// Puts the next version of a plugin in the place of the one that runs, while four threads call it
    /// without a pause.
    fn reload_under_load(&self, plugins: &Path, next: &Path) -> Result<(), Box<dyn Error>> {
        let (calls, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        let done = AtomicBool::new(false);
        let call = || {
            while !done.load(Ordering::Relaxed) {
                let failures = u64::from(self.greet("Ada").is_err());
                failed.fetch_add(failures, Ordering::Relaxed);
                calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        let until = |number: u64| {
            while calls.load(Ordering::Relaxed) < number {
                thread::yield_now();
            }
        };
        let mut events = self.host.events();
        let outcome = thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(call);
            }
            until(1_000);
            let outcome = install(plugins, "greeter", next).map(|()| outcome(&mut events));
            until(calls.load(Ordering::Relaxed) + 1_000);
            done.store(true, Ordering::Relaxed);
            outcome
        });
        println!("\nReplaced greeter under load: {}", outcome?);
        let (calls, failed) = (calls.into_inner(), failed.into_inner());
        println!("{calls} calls meanwhile, {failed} failed");
        match failed {
            0 => Ok(()),
            _ => Err("a reload is to lose no call".into()),
        }
    }
}

/// Waits until the host has told what became of the new file.
fn outcome(events: &mut Events) -> String {
    while let Some(Event { kind, .. }) = events.next_blocking() {
        match kind {
            EventKind::Committed { report } => {
                let to = report.to.as_ref().map(Version::to_string);
                return format!("v{} -> v{}", report.from, to.unwrap_or_default());
            }
            EventKind::Refused { .. } | EventKind::Unchanged { .. } | EventKind::Lost { .. } => {
                return kind.to_string();
            }
            _ => {}
        }
    }
    "the host is gone".to_owned()
}

fn unavailable(error: keyway_host::HostError) -> keyway::PluginError {
    keyway::PluginError::not_found(error.to_string())
}

fn names<T: ToString>(ids: impl IntoIterator<Item = T>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    ids.join(", ")
}
