//! A typed synchronous call, by every way that a plugin system could take.

use std::hint::black_box;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, RwLock};

use abi_stable::std_types::RResult;
use arc_swap::ArcSwap;
use keyway::abi::AbiResult;
use keyway::{PluginError, Result};

use crate::bare::{BareAdder_TO, Peers};
use crate::calls::{Calls, CallsHandle};
use crate::measure::{Effort, Measured, alone, pair};
use crate::plugin::Opened;
use crate::report::Row;

const HANDLE: &str = "Keyway handle (reload safe, panic guard)";

/// What an application without plugins would call.
pub(crate) trait Native: Send + Sync {
    fn add(&self, a: u64, b: u64) -> Result<u64>;
}

struct Offset(u64);

impl Native for Offset {
    fn add(&self, a: u64, b: u64) -> Result<u64> {
        Ok(a.wrapping_add(b).wrapping_add(self.0))
    }
}

pub(crate) fn native() -> Box<dyn Native> {
    black_box(Box::new(Offset(1)))
}

/// Makes so many calls, each with the result of the one before.
#[inline(always)]
pub(crate) fn chain(calls: u64, mut call: impl FnMut(u64, u64) -> Result<u64>) {
    let mut sum = 0;
    for step in 0..calls {
        match call(sum, step) {
            Ok(next) => sum = next,
            Err(error) => failed(&error),
        }
    }
    black_box(sum);
}

#[cold]
#[inline(never)]
pub(crate) fn failed(error: &PluginError) -> ! {
    panic!("a call under measurement failed: {error:#}")
}

#[inline(always)]
fn received(answer: AbiResult<u64>) -> Result<u64> {
    match answer {
        RResult::ROk(value) => Ok(value),
        RResult::RErr(error) => Err(error.into()),
    }
}

pub(crate) fn rows(
    effort: Effort,
    handle: &CallsHandle,
    limited: &CallsHandle,
    opened: &Opened,
) -> Vec<Row> {
    let native = native();
    let mut baseline = |calls: u64| chain(calls, |a, b| native.add(a, b));
    let mut rows = vec![Row::time(
        "Box<dyn Trait> in one binary (baseline)",
        alone(effort, &mut baseline),
    )];
    let mut add = |what: &str, candidate: &mut dyn FnMut(u64)| -> Measured {
        let measured = pair(effort, &mut baseline, candidate);
        rows.push(Row::against(what, measured));
        measured
    };

    let measured = add(HANDLE, &mut |calls| {
        chain(calls, |a, b| handle.add(a, b));
    });
    let limited_call = &mut |calls: u64| chain(calls, |a, b| limited.add(a, b));
    add("Keyway handle with a concurrency limit", limited_call);
    let peers: &Peers = opened.peers;
    add("extern \"C\" over dlopen", &mut |calls| {
        chain(calls, |a, b| received((peers.add)(1, a, b)));
    });
    add("extern \"C\" over dlopen, panic guard", &mut |calls| {
        chain(calls, |a, b| received((peers.add_contained)(1, a, b)));
    });
    let bare = black_box(&opened.bare_adder);
    add("abi_stable trait object over dlopen", &mut |calls| {
        chain(calls, |a, b| received(BareAdder_TO::add(bare, a, b)));
    });
    if (peers.stabby_chain)(1) != 0 {
        add("stabby trait object in one binary", &mut |calls| {
            black_box((peers.stabby_chain)(calls));
        });
    }
    let swapped: ArcSwap<Box<dyn Native>> = ArcSwap::from(Arc::new(self::native()));
    add("arc-swap load guard, dyn call", &mut |calls| {
        chain(calls, |a, b| swapped.load().add(a, b));
    });
    let locked = RwLock::new(self::native());
    add("RwLock read guard, dyn call", &mut |calls| {
        chain(calls, |a, b| locked.read().expect("no poison").add(a, b));
    });
    match Pipe::open() {
        Ok(mut pipe) => {
            add("child process over a pipe", &mut |calls| {
                chain(calls, |a, b| Ok(pipe.add(a, b)?));
            });
        }
        Err(error) => {
            let _ = writeln!(
                std::io::stderr(),
                "no child process to compare with: {error}"
            );
        }
    }
    let holds = measured.ratio.median <= 2.2 && measured.extra.median <= 3.0;
    rows[1] = Row::against(HANDLE, measured)
        .budget("<= 2.2x, <= +3 ns", holds)
        .found(format!("({:+.2} ns)", measured.extra.median));
    rows
}

/// This program again, as a child that adds.
struct Pipe {
    child: Child,
}

/// The argument that makes this program the child.
pub(crate) const PIPE_CHILD: &str = "--pipe-child";

impl Pipe {
    fn open() -> std::io::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .arg(PIPE_CHILD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Pipe { child })
    }

    fn add(&mut self, a: u64, b: u64) -> std::io::Result<u64> {
        let (Some(to), Some(from)) = (&mut self.child.stdin, &mut self.child.stdout) else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        to.write_all(&[a.to_ne_bytes(), b.to_ne_bytes()].concat())?;
        let mut sum = [0; 8];
        from.read_exact(&mut sum)?;
        Ok(u64::from_ne_bytes(sum))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What the child does.
pub(crate) fn serve_pipe() -> std::io::Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut pair = [0; 16];
    while input.read_exact(&mut pair).is_ok() {
        let [a, b] = [0, 8].map(|at| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&pair[at..at + 8]);
            u64::from_ne_bytes(bytes)
        });
        output.write_all(&a.wrapping_add(b).wrapping_add(1).to_ne_bytes())?;
        output.flush()?;
    }
    Ok(())
}
