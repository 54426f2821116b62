//! A host that writes down what a bridge tells it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_core::callsite::DefaultCallsite;
use tracing_core::{Kind, Metadata};

use super::super::Bridge;
use super::super::wire::{self, Callsite, Kinds, Values};
use crate::Result;
use crate::abi::pass::Json;
use crate::capability::{Capability, Entry, Owner, Target};
use crate::error::PluginError;
use crate::host::{Environment, HostServices, HostServicesHandle};

/// A call site of its own for tests that bypass the macros.
pub(super) static EVENT: DefaultCallsite = DefaultCallsite::new(&METADATA);

static METADATA: Metadata<'static> = tracing_core::metadata! {
    name: "event",
    target: "direct",
    level: tracing_core::Level::INFO,
    fields: &["value"],
    callsite: &EVENT,
    kind: Kind::EVENT,
};

/// `tracing` makes every call site of a process known to every subscriber of the process, and
/// mixes what they are interested in.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[derive(Clone)]
pub(super) struct Recorder(Arc<Mutex<State>>);

struct State {
    calls: Vec<String>,
    /// All call sites that the bridge made known, those of other tests among them.
    sites: Vec<Vec<u8>>,
    /// Those that were used, in that order: tests number them like this.
    used: Vec<u64>,
    spans: HashMap<u64, u64>,
    entered: Vec<u64>,
    wanted: wire::Level,
    declines_spans: bool,
    inside_of_a_host_span: bool,
    dropped: bool,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder(Arc::new(Mutex::new(State {
            calls: Vec::new(),
            sites: Vec::new(),
            used: Vec::new(),
            spans: HashMap::new(),
            entered: Vec::new(),
            wanted: wire::Level::Trace,
            declines_spans: false,
            inside_of_a_host_span: false,
            dropped: false,
        })))
    }
}

impl Recorder {
    pub(super) fn wanting(level: tracing::Level) -> Self {
        let recorder = Recorder::default();
        recorder.want(level);
        recorder
    }

    pub(super) fn declining_spans() -> Self {
        let recorder = Recorder::default();
        recorder.0.lock().unwrap().declines_spans = true;
        recorder
    }

    pub(super) fn inside_of_a_host_span() -> Self {
        let recorder = Recorder::default();
        recorder.0.lock().unwrap().inside_of_a_host_span = true;
        recorder
    }

    pub(super) fn want(&self, level: tracing::Level) {
        self.0.lock().unwrap().wanted = match level {
            tracing::Level::ERROR => wire::Level::Error,
            tracing::Level::INFO => wire::Level::Info,
            _ => wire::Level::Trace,
        };
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.0.lock().unwrap().dropped
    }

    /// How often the bridge made this call site known.
    pub(super) fn told(&self, line: u32) -> usize {
        let state = self.0.lock().unwrap();
        let is_it = |bytes: &&Vec<u8>| {
            let site = Callsite::decode(bytes).unwrap();
            site.line == Some(line) && site.file.is_some_and(|file| file.ends_with("log/tests.rs"))
        };
        state.sites.iter().filter(is_it).count()
    }

    fn say(&self, call: impl Into<String>) {
        self.0.lock().unwrap().calls.push(call.into());
    }
}

impl State {
    /// How the test calls a call site; says what it is when it is first used.
    fn used(&mut self, number: u64) -> usize {
        if let Some(at) = self.used.iter().position(|&used| used == number) {
            return at + 1;
        }
        self.used.push(number);
        let site = Callsite::decode(&self.sites[number as usize - 1]).unwrap();
        let what = if site.kinds.has(Kinds::SPAN) {
            "span"
        } else {
            "event"
        };
        let level = format!("{:?}", site.level).to_uppercase();
        let fields = site.fields.join(", ");
        let used = self.used.len();
        self.calls.push(format!(
            "site {used}: {what} {level} {} [{fields}]",
            site.target
        ));
        used
    }
}

/// The recorder and a bridge to it, through the same table that a plugin calls. No other test has
/// a bridge while the guard lives.
pub(super) fn connected(recorder: Recorder) -> (Recorder, Bridge, MutexGuard<'static, ()>) {
    let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (object, ..) = HostServicesHandle::provide(Services(recorder.clone())).into_raw();
    // SAFETY: the object was just made for this table and is given away here.
    #[expect(unsafe_code, reason = "objects are taken over from the other side")]
    let entry = unsafe { Entry::new(object, Arc::new(Nobody)) };
    let host = HostServicesHandle::from_target(Target::fixed(Arc::new(entry)));
    (recorder, Bridge::to(host), alone)
}

struct Nobody;

impl Owner for Nobody {
    fn describe(&self) -> String {
        "the test".to_owned()
    }

    fn panicked(&self, error: &PluginError) {
        panic!("the recorder panicked: {error}");
    }

    fn sleep(&self, _: std::time::Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// What is given away; the recorder stays with the test.
struct Services(Recorder);

impl Drop for Services {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().dropped = true;
    }
}

fn said(bytes: &[u8]) -> String {
    let values = Values::new(bytes).map(|value| value.expect("the bridge writes what reads"));
    let said: Vec<_> = values
        .map(|(field, value)| format!("{field}={value:?}"))
        .collect();
    said.join(" ")
}

fn parent(parent: u64) -> String {
    match parent {
        wire::CURRENT => "current".to_owned(),
        wire::NONE => "none".to_owned(),
        span => span.to_string(),
    }
}

impl HostServices for Services {
    fn environment(&self) -> Result<Json<Environment>> {
        Ok(Json(Environment::new("test", "1.0.0")))
    }

    fn log_callsite(&self, bytes: &[u8]) -> Result<u64> {
        Callsite::decode(bytes)?;
        let mut state = self.0.0.lock().unwrap();
        state.sites.push(bytes.to_vec());
        Ok(state.sites.len() as u64)
    }

    fn log_interest(&self, callsite: u64) -> Result<u8> {
        Ok(if self.log_enabled(callsite)? {
            wire::ALWAYS
        } else {
            wire::NEVER
        })
    }

    fn log_enabled(&self, callsite: u64) -> Result<bool> {
        let state = self.0.0.lock().unwrap();
        let site = Callsite::decode(&state.sites[callsite as usize - 1])?;
        Ok(site.level <= state.wanted)
    }

    fn log_event(&self, callsite: u64, of: u64, values: &[u8]) -> Result<()> {
        let mut state = self.0.0.lock().unwrap();
        let site = state.used(callsite);
        state
            .calls
            .push(format!("event {site} in {}: {}", parent(of), said(values)));
        Ok(())
    }

    fn span_new(&self, callsite: u64, of: u64, values: &[u8]) -> Result<u64> {
        let mut state = self.0.0.lock().unwrap();
        let site = state.used(callsite);
        if state.declines_spans {
            state.calls.push(format!("declined span of {site}"));
            return Ok(0);
        }
        let number = 101 + state.spans.len() as u64;
        state.spans.insert(number, callsite);
        let (of, values) = (parent(of), said(values));
        state
            .calls
            .push(format!("span {number} of {site} in {of}: {values}"));
        Ok(number)
    }

    fn span_record(&self, span: u64, values: &[u8]) -> Result<()> {
        self.0.say(format!("record {span}: {}", said(values)));
        Ok(())
    }

    fn span_follows_from(&self, span: u64, follows: u64) -> Result<()> {
        self.0.say(format!("follows {span} {follows}"));
        Ok(())
    }

    fn span_enter(&self, span: u64) -> Result<()> {
        self.0.0.lock().unwrap().entered.push(span);
        self.0.say(format!("enter {span}"));
        Ok(())
    }

    fn span_exit(&self, span: u64) -> Result<()> {
        self.0.0.lock().unwrap().entered.pop();
        self.0.say(format!("exit {span}"));
        Ok(())
    }

    fn span_clone(&self, span: u64) -> Result<u64> {
        if span == wire::FOREIGN {
            self.0.say("clone foreign");
            return Ok(101);
        }
        self.0.say(format!("clone {span}"));
        Ok(span)
    }

    fn span_drop(&self, span: u64) -> Result<()> {
        self.0.say(format!("drop {span}"));
        Ok(())
    }

    fn span_current(&self) -> Result<(u64, u64)> {
        let state = self.0.0.lock().unwrap();
        Ok(match state.entered.last() {
            Some(span) => (*span, state.spans[span]),
            None if state.inside_of_a_host_span => (wire::FOREIGN, 0),
            None => (0, 0),
        })
    }

    fn log_panic(&self, message: &str, place: &str, thread: &str) -> Result<()> {
        self.0
            .say(format!("panic {message} at {place} on {thread}"));
        Ok(())
    }
}
