//! Providers: who is asked before whom, who is asked after whom has failed, and what is said when nobody
//! answers.

use keyway::ErrorKind;
use keyway_host::{Answer, Attempt, Host, ProvidersError};
use keyway_tests::plugin;
use keyway_tests::scripted::Scripted;
use serde_json::json;

use crate::scene::{SHORT, Scene, start};

/// A plugin with providers: name, priority, and what they do.
fn providers(id: &str, providers: &[(&str, i32, &str)]) -> Scripted {
    let plugin = Scripted::new(id);
    providers.iter().fold(plugin, |plugin, provider| {
        let (name, priority, does) = provider;
        plugin.offers(
            "provider",
            name,
            json!({ "priority": priority, "does": does }),
        )
    })
}

fn ask(host: &Host) -> Result<Answer, ProvidersError> {
    host.block_on(host.providers().request(json!(1)))
}

fn names(host: &Host) -> Vec<String> {
    let list = host.providers().list().into_iter();
    list.map(|provider| provider.name).collect()
}

fn told(attempts: &[Attempt]) -> Vec<String> {
    attempts.iter().map(ToString::to_string).collect()
}

#[test]
fn the_file_says_who_is_asked_first_and_then_priority_and_name_do() {
    let scene = Scene::new();
    scene
        .add(providers(
            "one",
            &[("a", 0, ""), ("d", -1, ""), ("last", 9, "")],
        ))
        .add(providers("two", &[("b", 0, ""), ("first", 99, "")]));
    let host = scene.started();
    assert_eq!(names(&host), ["d", "a", "b", "last", "first"]);
    assert_eq!(ask(&host).expect("it answers").provider, "d");

    let file = scene.path("keyway.toml");
    std::fs::write(&file, "[providers]\norder = [\"first\", \"gone\", \"b\"]\n").expect("a file");
    let host = start(scene.builder().config_file(file));
    assert_eq!(names(&host), ["first", "b", "d", "a", "last"]);
    let answer = ask(&host).expect("it answers");
    assert_eq!((&*answer.provider, &*answer.plugin), ("first", "two"));
    assert_eq!(answer.value, json!({ "by": "first" }));
    assert!(answer.passed_over.is_empty());
}

#[test]
fn one_that_declines_fails_or_takes_too_long_lets_the_next_one_answer() {
    let scene = Scene::new();
    scene.add(providers(
        "sources",
        &[
            ("a", 1, "decline"),
            ("b", 2, "balk"),
            ("c", 3, "fail"),
            ("d", 4, "panic"),
            ("e", 5, "hang"),
            ("f", 6, ""),
            ("g", 7, ""),
        ],
    ));
    let host = scene.started();
    let providers = host.providers().with_deadline(SHORT);
    let answer = host.block_on(providers.request(json!(1)));
    let answer = answer.expect("one of them answers");
    assert_eq!(answer.provider, "f");
    let passed_over = answer.passed_over.iter();
    let passed_over: Vec<_> = passed_over
        .map(|attempt| (&*attempt.provider, attempt.error.kind()))
        .collect();
    assert_eq!(
        passed_over,
        [
            ("a", ErrorKind::Declined),
            ("b", ErrorKind::Busy),
            ("c", ErrorKind::Failed),
            ("d", ErrorKind::Panicked),
            ("e", ErrorKind::DeadlineExceeded),
        ]
    );
    let log = scene.log();
    assert_eq!(log.last().expect("they were asked"), "f is asked 1");
    assert_eq!(log.len(), 6, "nobody after it is asked");
}

#[test]
fn a_request_that_is_invalid_is_so_for_all() {
    let scene = Scene::new();
    scene.add(providers(
        "sources",
        &[("a", 0, "decline"), ("b", 0, "refuse"), ("c", 0, "")],
    ));
    let host = scene.started();
    let error = ask(&host).expect_err("it is no good request");
    assert_eq!(error.code(), "request-invalid");
    assert_eq!(
        error.to_string(),
        "the request is invalid, says `b` of plugin 'sources': b refuses"
    );
    assert_eq!(scene.log(), ["a is asked 1", "b is asked 1"]);
    let error = host.block_on(host.providers().stream(json!(1)));
    assert_eq!(error.expect_err("as before").code(), "request-invalid");
}

#[test]
fn the_error_of_all_names_each_with_its_reason() {
    let scene = Scene::new();
    scene
        .add(providers("one", &[("a", 0, "decline"), ("b", 0, "fail")]))
        .add(providers("two", &[("c", 0, "balk")]));
    let host = scene.started();
    let error = ask(&host).expect_err("nobody answers");
    assert_eq!(error.code(), "providers-failed");
    assert_eq!(
        error.to_string(),
        "no provider has answered the request: `a` of plugin 'one': a declines; `b` of plugin \
         'one': b fails; `c` of plugin 'two': c balks"
    );
    assert!(!error.is_declined());

    host.block_on(host.stop("two")).expect("it stops");
    host.block_on(host.stop("one")).expect("it stops");
    let error = ask(&host).expect_err("there is nobody");
    assert_eq!(error.code(), "no-provider");
    let error = host.block_on(host.providers().serving("rain").request(json!(1)));
    assert_eq!(
        error.expect_err("there is nobody").to_string(),
        "no plugin offers a provider for a request for `rain`"
    );
}

#[test]
fn when_all_decline_a_general_handler_may_try() {
    let host = keyway_tests::host();
    host.block_on(async {
        host.load(plugin("every-kind")).await.expect("it loads");
        let oslo = host.providers().serving("Oslo");
        let answer = oslo.request(json!({ "city": "Oslo" })).await;
        assert_eq!(answer.expect("it knows").value, json!({ "celsius": 3 }));
        let answer = oslo.request(json!({ "city": "Rome" })).await;
        let answer = answer.expect("the other one guesses");
        assert_eq!(
            told(&answer.passed_over),
            ["`oslo` of plugin 'every-kind': Rome is not Oslo"]
        );
    });
    let scene = Scene::new();
    scene.add(providers(
        "shy",
        &[("a", 0, "decline"), ("b", 0, "decline")],
    ));
    let error = ask(&scene.started()).expect_err("nobody wants it");
    assert!(error.is_declined(), "{error}");
}

#[test]
fn only_those_are_asked_that_serve_such_requests() {
    let scene = Scene::new();
    let serves = |kinds: &[&str]| json!({ "serves": kinds });
    scene.add(
        Scripted::new("sources")
            .offers("provider", "any", serves(&[]))
            .offers("provider", "rain", serves(&["rain", "snow"]))
            .offers("provider", "sun", serves(&["sun"])),
    );
    let host = scene.started();
    let snow = host.providers().serving("snow").list().into_iter();
    let snow: Vec<String> = snow.map(|provider| provider.name).collect();
    assert_eq!(snow, ["any", "rain"]);
    assert_eq!(names(&host), ["any", "rain", "sun"]);
}

#[test]
fn a_stream_falls_back_until_its_first_item_and_no_more_after_that() {
    let scene = Scene::new();
    scene.add(providers(
        "sources",
        &[
            ("a", 1, "fail"),
            ("b", 2, "stumble"),
            ("c", 3, "break"),
            ("d", 4, ""),
        ],
    ));
    let host = scene.started();
    host.block_on(async {
        let stream = host.providers().stream(json!(1)).await;
        let mut stream = stream.expect("one of them begins");
        assert_eq!((&*stream.provider, &*stream.plugin), ("c", "sources"));
        assert_eq!(
            told(&stream.passed_over),
            [
                "`a` of plugin 'sources': a fails",
                "`b` of plugin 'sources': b stumbles"
            ]
        );
        let first = stream.next().await.expect("an item");
        assert_eq!(first.expect("no error"), json!({ "by": "c" }));
        let error = stream.next().await.expect("an item");
        assert_eq!(error.expect_err("it breaks").message(), "c breaks");
        assert!(stream.next().await.is_none(), "nobody goes on with it");
    });
    assert!(!scene.log().contains(&"d is asked 1".to_owned()));
}

#[test]
fn a_lazy_plugin_is_started_for_the_first_request() {
    let scene = Scene::new();
    scene
        .add(providers("eager", &[("a", 5, "")]))
        .add(providers("lazy", &[("b", 1, "")]).lazy());
    let host = scene.started();
    assert_eq!(names(&host), ["a"]);
    let answer = ask(&host).expect("it answers");
    assert_eq!(answer.provider, "b", "its priority is known once it runs");
}
