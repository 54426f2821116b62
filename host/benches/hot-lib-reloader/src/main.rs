//! Reloads the benchmark's plugin with hot-lib-reloader, in a process of its own: for each number on
//! stdin the build of that number takes its place, and the time until it answers goes to stdout, in
//! nanoseconds.
//!
//! Arguments: the directory of the library, the time of its debouncer in ms.
#![expect(unsafe_code, reason = "calls a function by its name")]

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use hot_lib_reloader::LibReloader;

#[path = "../../reload/output.rs"]
mod output;

use output::Output;

const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(dir), Some(debounce)) = (arguments.next(), arguments.next()) else {
        return Err("expected a directory and the milliseconds of the debouncer".into());
    };
    let output = Output::at(Path::new(&dir));
    let debounce = Duration::from_millis(debounce.parse()?);
    let mut reloader = LibReloader::new(&dir, output::NAME, Some(debounce), None)?;
    let changes = reloader.subscribe_to_file_changes();
    // It watches from a thread of its own, and does not say when it has begun to.
    std::thread::sleep(Duration::from_millis(500));
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready")?;
    for line in std::io::stdin().lock().lines() {
        let number: u64 = line?.parse()?;
        let complete = output.publish()?;
        wait_for(&mut reloader, &changes, number)?;
        writeln!(out, "{}", complete.elapsed().as_nanos())?;
    }
    Ok(())
}

fn wait_for(
    reloader: &mut LibReloader,
    changes: &Receiver<()>,
    number: u64,
) -> Result<(), Box<dyn Error>> {
    loop {
        changes.recv_timeout(PATIENCE)?;
        reloader.update()?;
        // SAFETY: the plugin exports a function of this type under this name, and the answer does
        // not outlive this block.
        let answer =
            unsafe { reloader.get_symbol::<extern "C" fn() -> u64>(b"keyway_bench_build\0")?() };
        if answer == number {
            return Ok(());
        }
    }
}
