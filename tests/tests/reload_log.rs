//! What the log says of a reload, to those who read it at the usual level. This test has a process
//! of its own, since what listens to the log is there for all of it.

use std::sync::{Arc, Mutex};

use keyway_host::{Host, Probation};
use keyway_tests::{host_builder, variant};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// What the host said at debug or above, with its level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let level = *event.metadata().level();
        let ours = event.metadata().target().starts_with("keyway_host");
        if ours && level <= tracing::Level::DEBUG {
            let mut message = Message(String::new());
            event.record(&mut message);
            let line = format!("{level} {}", message.0);
            self.0.lock().expect("nobody panics").push(line);
        }
    }
}

impl Lines {
    /// What was said since the last time: at info or above, and at debug.
    fn take(&self) -> (Vec<String>, Vec<String>) {
        let lines = std::mem::take(&mut *self.0.lock().expect("nobody panics"));
        lines
            .into_iter()
            .partition(|line| !line.starts_with("DEBUG"))
    }
}

#[test]
fn a_reload_is_five_lines_and_a_refusal_has_phase_and_reason() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::set_global_default(subscriber).expect("nobody else sets it");
    let host: Host = host_builder()
        .probation(Probation::NONE)
        .build()
        .expect("a host");
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("plugin.so");
    let put = |version: &str| {
        std::fs::copy(variant("keeps-state", version), file.with_extension("new")).expect("a copy");
        std::fs::rename(file.with_extension("new"), &file).expect("it takes its place");
    };
    put("v1");
    host.block_on(host.load(&file)).expect("it loads");
    lines.take();

    put("v2");
    host.block_on(host.reload("keeps-state"))
        .expect("it is loaded");
    let (told, details) = lines.take();
    assert_eq!(
        told,
        [
            "INFO Plugin 'keeps-state' binary changed, reloading...",
            "INFO Deactivating 'keeps-state' v0.1.0",
            "INFO Loading 'keeps-state' v0.1.1",
            "INFO Activating 'keeps-state' v0.1.1",
            "INFO Plugin 'keeps-state' reloaded successfully",
        ]
    );
    for detail in [
        "DEBUG staged 'keeps-state'",
        "DEBUG checked 'keeps-state' v0.1.1",
    ] {
        let said = details.iter().any(|line| line.starts_with(detail));
        assert!(said, "{detail}: {details:#?}");
    }

    host.block_on(host.reload("keeps-state"))
        .expect("it is loaded");
    assert_eq!(lines.take().0, [""; 0], "nothing has changed");

    put("other");
    host.block_on(host.reload("keeps-state"))
        .expect("it is loaded");
    let (lines, _) = lines.take();
    let [changed, refused] = &lines[..] else {
        panic!("two lines: {lines:#?}");
    };
    assert_eq!(
        changed,
        "INFO Plugin 'keeps-state' binary changed, reloading..."
    );
    let start = "WARN Plugin 'keeps-state' was not reloaded, v0.1.1 serves on: state: ";
    assert!(refused.starts_with(start), "{refused}");
}
