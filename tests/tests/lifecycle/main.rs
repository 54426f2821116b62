//! Plugins at work: what a call, a limit, a deadline or the end of a plugin does to the others.

mod copies;
mod deadlines;
mod limits;
mod panics;
mod stop;

use std::net::{TcpListener, TcpStream};

use keyway_host::LoadOptions;
use keyway_tests::plugin;
use keyway_tests::scene::Scene;
use misbehaves::TroubleHandle;

/// The fixture `misbehaves`, loaded with default options.
fn trouble(scene: &Scene) -> TroubleHandle {
    scene.load(plugin("misbehaves")).expect("it loads");
    handle(scene, "trouble")
}

/// A copy of the fixture in a namespace.
fn copy(scene: &Scene, namespace: &str) -> TroubleHandle {
    let options = LoadOptions::new().namespace(namespace);
    let load = scene.host.load_with(plugin("misbehaves"), options);
    scene.host.block_on(load).expect("it loads");
    handle(scene, &format!("{namespace}/trouble"))
}

fn handle(scene: &Scene, name: &str) -> TroubleHandle {
    scene.host.capability(name).expect("it is offered")
}

fn stop(scene: &Scene, name: &str) {
    scene
        .host
        .block_on(scene.host.stop(name))
        .expect("it ends in order");
}

/// The test's end of a call that blocks: the call has begun once it is accepted, and ends when
/// the stream is dropped.
struct Gatekeeper {
    listener: TcpListener,
}

impl Gatekeeper {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        Gatekeeper { listener }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().expect("an address").port()
    }

    /// Waits until a call is inside.
    fn inside(&self) -> TcpStream {
        self.listener.accept().expect("a connection").0
    }
}
