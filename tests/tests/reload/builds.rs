//! The whole way: sources are edited, cargo builds, the file is seen to change, and callers notice
//! nothing but the new behaviour.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyway::ErrorKind;
use keyway_host::{EventKind, Host, ToolClient};
use keyway_tests::edited::EditedPlugin;
use serde_json::json;

use super::scene::{PATIENCE, without_probation};

/// Calls until it is told to stop; answers how many calls each of the answers came of.
fn hammer(host: &Host, greet: &ToolClient, stop: &AtomicBool) -> Result<[u64; 2], String> {
    let mut seen = [0; 2];
    host.block_on(async {
        while !stop.load(Ordering::Relaxed) {
            let answer = greet.call(json!({ "name": "Ada" })).await;
            let answer = answer.map_err(|error| error.to_string())?;
            let which = ["Hello, Ada!", "Good day, Ada!"].map(|known| answer == known);
            match which {
                [true, _] if seen[1] > 0 => return Err("the old version is back".to_owned()),
                [true, _] => seen[0] += 1,
                [_, true] => seen[1] += 1,
                _ => return Err(format!("nobody answers {answer}")),
            }
        }
        Ok(seen)
    })
}

#[test]
fn a_build_takes_over_under_load_and_no_call_fails() {
    let plugin = EditedPlugin::new(env!("CARGO_TARGET_TMPDIR"), "edited-under-load");
    plugin.edit("0.1.0", r#"Ok(format!("Hello, {name}!"))"#);
    let library = plugin.build();
    let host = without_probation().hot_reload(true).build();
    let host = host.expect("a host");
    let mut events = host.events();
    host.block_on(host.load(&library)).expect("it loads");
    let greet = host.tool("greet").expect("it is offered");

    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (host, greet, stop) = (host.clone(), greet.clone(), Arc::clone(&stop));
            std::thread::spawn(move || hammer(&host, &greet, &stop))
        })
        .collect();
    plugin.edit("0.1.1", r#"Ok(format!("Good day, {name}!"))"#);
    assert_eq!(plugin.build(), library);
    let report = host.block_on(async {
        let committed = async {
            loop {
                match events.next().await.expect("the host lives").kind {
                    EventKind::Committed { report } => return report,
                    EventKind::Refused { phase, reason, .. } => panic!("{phase}: {reason}"),
                    _ => {}
                }
            }
        };
        let committed = tokio::time::timeout(PATIENCE, committed).await;
        committed.expect("the new file is seen")
    });
    assert_eq!(report.to, Some(semver::Version::new(0, 1, 1)));
    let answer = host.block_on(greet.call(json!({ "name": "Ada" })));
    assert_eq!(answer.expect("it serves"), "Good day, Ada!");
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        let [before, _] = caller
            .join()
            .expect("it does not panic")
            .expect("no call fails");
        assert!(before > 0, "each has called the old version");
    }
    assert!(host.block_on(host.shutdown()).is_empty());
    let late = host.block_on(greet.call(json!({ "name": "Ada" })));
    assert_eq!(
        late.expect_err("it has ended").kind(),
        ErrorKind::Unavailable
    );
}
