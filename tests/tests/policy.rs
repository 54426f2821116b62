//! What the host decides about calls before they are made, and what it counts of them, over a real
//! library.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyway::ErrorKind;
use keyway_host::{Approval, Call, Decision, Host, HostBuilder, Metering, Policy};
use keyway_tests::plugin;
use keyway_tests::poll::poll_once;
use misbehaves::{Trouble, TroubleHandle};
use semver::Version;
use serde_json::json;

fn builder() -> HostBuilder {
    Host::builder("policy", Version::new(1, 0, 0))
}

fn load(builder: HostBuilder) -> Host {
    let host = builder.build().expect("a host");
    host.block_on(host.load(plugin("misbehaves")))
        .expect("it loads");
    host
}

fn trouble(host: &Host) -> TroubleHandle {
    host.capability("trouble").expect("it is offered")
}

#[test]
fn a_policy_sees_each_call_with_the_arguments_of_tools_and_may_deny_it() {
    let seen: Arc<Mutex<Vec<Call>>> = Arc::default();
    let log = Arc::clone(&seen);
    let host = load(builder().policy(move |call: &Call| {
        log.lock().expect("no panics").push(call.clone());
        let number = call
            .arguments
            .as_ref()
            .map(|arguments| arguments["number"].clone());
        if number == Some(json!(13)) {
            return Decision::Deny {
                reason: "13 is not doubled here".to_owned(),
            };
        }
        Decision::Allow
    }));
    host.block_on(async {
        let double = host.tool("double").expect("it is offered");
        let answer = double
            .call(json!({ "number": 4 }))
            .await
            .expect("it is allowed");
        assert_eq!(answer["double"], 8);
        let error = double
            .call(json!({ "number": 13 }))
            .await
            .expect_err("it is denied");
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert_eq!(error.error_code(), "denied-by-policy");
        assert_eq!(
            error.to_string(),
            "keyway.tool `double` of plugin 'misbehaves': the policy of the host denies the call: \
             13 is not doubled here"
        );
        let answer = double
            .call(json!({ "number": 5 }))
            .await
            .expect("it is allowed");
        assert_eq!(
            answer["calls"], 2,
            "the plugin did not see the call that was denied"
        );

        let trouble = trouble(&host);
        trouble.count().expect("it is allowed");
        trouble.pend(3).await.expect("it is allowed");
    });
    let seen = seen.lock().expect("no panics");
    let names: Vec<&str> = seen.iter().map(|call| &*call.name).collect();
    assert_eq!(names, ["double", "double", "double", "trouble", "trouble"]);
    assert_eq!(&*seen[0].capability, "keyway.tool");
    assert_eq!(&*seen[3].capability, "tests.trouble");
    let arguments: Vec<bool> = seen.iter().map(|call| call.arguments.is_some()).collect();
    assert_eq!(arguments, [true, true, true, false, false]);
    let statistics = host.plugin("misbehaves").expect("it is loaded").statistics;
    assert_eq!(
        (statistics.calls, statistics.denied),
        (2, 1),
        "of tools, by default"
    );
}

/// Everything needs an approval, which the test gives or not.
struct Asks {
    answers: Mutex<Vec<tokio::sync::oneshot::Receiver<bool>>>,
}

impl Policy for Asks {
    fn decide(&self, _: &Call) -> Decision {
        Decision::NeedsApproval {
            reason: "somebody should look at it".to_owned(),
        }
    }

    fn approve(&self, _: &Call, _: &str) -> Approval {
        let answer = self.answers.lock().expect("no panics").pop();
        Box::pin(async move {
            match answer {
                Some(answer) => answer.await.unwrap_or(false),
                None => false,
            }
        })
    }
}

#[test]
fn an_asynchronous_call_waits_for_an_approval_and_a_synchronous_one_is_denied() {
    let (yes, first) = tokio::sync::oneshot::channel();
    let (no, second) = tokio::sync::oneshot::channel();
    let host = load(builder().metering(Metering::All).policy(Asks {
        answers: Mutex::new(vec![second, first]),
    }));
    let trouble = trouble(&host);
    let error = trouble.count().expect_err("it cannot wait");
    assert_eq!(
        (error.kind(), error.error_code()),
        (ErrorKind::Denied, "needs-approval")
    );
    host.block_on(async {
        let mut approved = std::pin::pin!(trouble.pend(1));
        assert!(
            poll_once(approved.as_mut()).is_pending(),
            "nobody has answered"
        );
        yes.send(true).expect("it waits for that");
        assert_eq!(approved.await.expect("it is approved"), 1);

        let mut refused = std::pin::pin!(trouble.pend(1));
        assert!(poll_once(refused.as_mut()).is_pending());
        no.send(false).expect("it waits for that");
        let error = refused.await.expect_err("it is not approved");
        assert_eq!(
            error.to_string(),
            "tests.trouble `trouble` of plugin 'misbehaves': the call needs an approval, and got \
             none: somebody should look at it"
        );
        assert_eq!(error.error_code(), "not-approved");
    });
    let statistics = host.plugin("misbehaves").expect("it is loaded").statistics;
    assert_eq!((statistics.calls, statistics.denied), (1, 1));
}

#[test]
fn a_call_whose_approval_nobody_gives_ends_with_its_deadline() {
    let (_nobody, answer) = tokio::sync::oneshot::channel();
    let host = load(builder().policy(Asks {
        answers: Mutex::new(vec![answer]),
    }));
    let trouble = trouble(&host).with_deadline(Duration::from_millis(20));
    let error = host.block_on(trouble.pend(1)).expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(
        error.to_string(),
        "nobody has allowed the call of tests.trouble/1 `trouble` within 20ms"
    );
}

#[test]
fn an_approval_that_was_given_holds_over_a_reload() {
    let (yes, answer) = tokio::sync::oneshot::channel();
    let host = load(builder().policy(Asks {
        answers: Mutex::new(vec![answer]),
    }));
    let trouble = trouble(&host);
    host.block_on(async {
        let mut call = std::pin::pin!(trouble.pend(1));
        assert!(poll_once(call.as_mut()).is_pending());
        let options = keyway_host::ReloadOptions::new().force();
        let report = host
            .reload_with("misbehaves", options)
            .await
            .expect("it is loaded");
        assert_eq!(report.generation, 2, "{:?}", report.outcome);
        yes.send(true).expect("it waits for that");
        assert_eq!(call.await.expect("nobody is asked again"), 1);
    });
}

#[test]
fn calls_are_counted_by_how_they_end_and_timed() {
    let host = load(builder().metering(Metering::All).max_concurrency(2));
    let trouble = trouble(&host);
    host.block_on(async {
        for _ in 0..10 {
            trouble.count().expect("it works");
        }
        trouble.panic("on purpose").expect_err("it panics");
        trouble.pend(2).await.expect("it works");
        {
            let mut given_up = std::pin::pin!(trouble.pend(2));
            assert!(poll_once(given_up.as_mut()).is_pending());
        }
    });
    let read = host.plugin("misbehaves").expect("it is loaded").statistics;
    assert_eq!(
        (
            read.calls,
            read.errors,
            read.panics,
            read.dropped,
            read.denied
        ),
        (13, 1, 1, 1, 0)
    );
    assert!(read.p50 > Duration::ZERO && read.p50 <= read.p90 && read.p90 <= read.p99);
    assert!(read.p99 <= read.max);
}

#[test]
fn an_application_s_own_capability_is_not_metered_unless_asked_for() {
    let host = load(builder());
    trouble(&host).count().expect("it works");
    let double = host.tool("double").expect("it is offered");
    host.block_on(double.call(json!({ "number": 1 })))
        .expect("it works");
    let read = host.plugin("misbehaves").expect("it is loaded").statistics;
    assert_eq!(read.calls, 1, "the tool's");
    host.block_on(host.stop("misbehaves")).expect("it ends");
    host.block_on(host.load(plugin("misbehaves")))
        .expect("it loads");
    let read = host.plugin("misbehaves").expect("it is loaded").statistics;
    assert_eq!(read.calls, 0, "a plugin that was stopped is forgotten");
}
