//! Many generations, many threads, and nothing of them left.

use std::sync::mpsc::channel;

use lives_in_threads::{Traces, TracesHandle};

use crate::scene::{assert_unloaded, host, leave_traces, loaded, stop};

fn is_mapped(name: &str) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("linux has it");
    maps.lines().any(|line| line.contains(name))
}

#[test]
fn a_stopped_plugin_is_gone_from_memory_and_from_the_disk() {
    let host = host();
    let traces = loaded(&host);
    leave_traces(&traces);
    let staged = host
        .plugin("lives-in-threads")
        .expect("it is loaded")
        .staged
        .expect("a copy");
    let name = staged.to_str().expect("a path of this test").to_owned();
    assert!(is_mapped(&name));
    stop(&host);
    assert_unloaded(&host, 1);
    assert!(!is_mapped(&name), "no mapping is left");
    assert!(!staged.exists(), "the private copy is of no use any more");
    assert!(
        traces.thread_local().is_err(),
        "the handle is still valid and says that nothing serves"
    );
}

#[test]
fn generations_come_and_go_without_using_up_keys() {
    let host = host();
    // Four live threads call every generation; each generation takes more than a 1,024th of all
    // keys that a process has.
    let (generations, keys) = (40, 32);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let (give, take) = channel::<TracesHandle>();
                let (done, wait) = channel();
                scope.spawn(move || {
                    for traces in take {
                        leave_traces(&traces);
                        done.send(()).expect("the test waits");
                    }
                });
                (give, wait)
            })
            .collect();
        for generation in 1..=generations {
            let traces = loaded(&host);
            traces.keys(keys).expect("there are keys left");
            for (give, _) in &callers {
                give.send(traces.clone()).expect("the thread waits");
            }
            for (_, wait) in &callers {
                wait.recv().expect("the thread has called");
            }
            stop(&host);
            assert_unloaded(&host, generation);
        }
    });
}

#[test]
fn threads_that_end_while_the_library_goes_are_no_danger() {
    let host = host();
    for generation in 1..=20 {
        let traces = loaded(&host);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let traces = traces.clone();
                // Whether it is called before or after the plugin stops is left to chance.
                std::thread::spawn(move || {
                    let _ = traces.thread_local();
                    let _ = traces.current_thread();
                })
            })
            .collect();
        stop(&host);
        for thread in threads {
            thread.join().expect("it ends in peace");
        }
        assert_unloaded(&host, generation);
    }
}
