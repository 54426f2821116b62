//! Channels: one stream of what comes in through all that are open, over reloads.

use keyway::ErrorKind;
use keyway::channel::{Message, Payload};
use keyway_host::{Host, Incoming, Received};
use keyway_tests::scripted::Scripted;
use serde_json::json;

use crate::scene::{Scene, fault, reload};

/// A plugin with a channel in which everything that goes out comes in again.
fn channel(id: &str, name: &str, mark: &str, does: &str) -> Scripted {
    let plugin = Scripted::new(id).mark(mark);
    plugin.offers("channel", name, json!({ "does": does }))
}

fn open(host: &Host, name: &str) {
    host.block_on(host.channels().open(name)).expect("it opens");
}

fn send(host: &Host, name: &str, message: Message) {
    let sent = host.block_on(host.channels().send(name, message));
    assert_eq!(sent.expect("it is sent").id.as_deref(), Some(name));
}

fn next(host: &Host, incoming: &Incoming) -> Received {
    host.block_on(incoming.next()).expect("the host lives")
}

fn texts(host: &Host, incoming: &Incoming, count: usize) -> Vec<String> {
    let texts = (0..count).map(|_| {
        let message = next(host, incoming).message;
        message.payload.as_text().expect("a text").to_owned()
    });
    texts.collect()
}

fn state(host: &Host, name: &str) -> Option<&'static str> {
    let list = host.channels().list();
    let record = list.iter().find(|record| record.name == name);
    Some(record.expect("it is offered").state.as_ref()?.name())
}

#[test]
fn what_comes_in_through_all_channels_is_one_stream_and_goes_out_by_name() {
    let scene = Scene::new();
    scene
        .add(channel("post", "mail", "", ""))
        .add(channel("room", "chat", "", ""));
    let host = scene.started();
    let incoming = host.channels().incoming();
    assert_eq!(state(&host, "mail"), None);
    assert!(scene.log().is_empty(), "nobody has opened it");
    open(&host, "mail");
    open(&host, "chat");
    open(&host, "mail");
    assert_eq!(scene.log(), ["mail opens", "chat opens"], "once is enough");
    assert_eq!(state(&host, "mail"), Some("running"));

    let bytes = vec![7; 1 << 16];
    for (name, plugin, message) in [
        ("mail", "post", Message::text("hello")),
        (
            "chat",
            "room",
            Message::structured(json!({ "votes": [1, 2] })),
        ),
        ("mail", "post", Message::binary("image/png", bytes)),
    ] {
        let payload = message.payload.clone();
        send(&host, name, message.with_conversation("7"));
        let received = next(&host, &incoming);
        assert_eq!((&*received.channel, &*received.plugin), (name, plugin));
        assert_eq!(received.message.payload, payload);
        assert_eq!(received.message.conversation.as_deref(), Some("7"));
    }

    // Clones share the stream: each message goes to one of them.
    let other = incoming.clone();
    send(&host, "mail", Message::text("one"));
    send(&host, "chat", Message::text("two"));
    let mut both = texts(&host, &incoming, 1);
    both.extend(texts(&host, &other, 1));
    both.sort();
    assert_eq!(both, ["one", "two"]);
}

#[test]
fn a_channel_stays_open_over_a_reload_and_loses_nothing() {
    for mode in ["snapshot", "exclusive"] {
        let scene = Scene::new();
        let version = |mark| {
            let plugin = channel("post", "mail", mark, "");
            plugin.with("reload", json!({ "mode": mode }))
        };
        scene.add(version("1"));
        let host = scene.started();
        let incoming = host.channels().incoming();
        open(&host, "mail");
        send(&host, "mail", Message::text("before"));
        scene.add(version("2"));
        reload(&host, "post");
        crate::scene::until("the new one is open", || {
            state(&host, "mail") == Some("running")
        });
        send(&host, "mail", Message::text("after"));
        for (text, mark) in [("before", "1"), ("after", "2")] {
            let message = next(&host, &incoming).message;
            assert_eq!(message.payload.as_text(), Some(text));
            assert_eq!(message.attributes["mark"], mark);
        }
        let log = scene.log();
        assert_eq!(
            log,
            ["1 mail opens", "1 mail closes", "2 mail opens"],
            "{mode}"
        );
    }
}

#[test]
fn a_channel_that_is_closed_delivers_what_it_has_and_stays_closed() {
    let scene = Scene::new();
    scene.add(channel("post", "mail", "", ""));
    let host = scene.started();
    let incoming = host.channels().incoming();
    open(&host, "mail");
    for text in ["a", "b", "c"] {
        send(&host, "mail", Message::text(text));
    }
    assert!(host.block_on(host.channels().close("mail")));
    assert!(
        !host.block_on(host.channels().close("mail")),
        "it is closed already"
    );
    assert_eq!(texts(&host, &incoming, 3), ["a", "b", "c"]);
    assert_eq!(state(&host, "mail"), None);
    scene.add(channel("post", "mail", "2", ""));
    reload(&host, "post");
    assert_eq!(
        scene.log(),
        ["mail opens", "mail closes"],
        "the new one is not opened"
    );
    let error = host.block_on(host.channels().send("mail", Message::text("x")));
    assert_eq!(
        error.expect_err("it is closed").kind(),
        ErrorKind::Unavailable
    );
}

#[test]
fn a_channel_opens_again_when_its_plugin_is_back() {
    let scene = Scene::new();
    scene.add(channel("post", "mail", "", ""));
    let host = scene.started();
    let incoming = host.channels().incoming();
    open(&host, "mail");
    host.block_on(host.stop_all()).expect("the host lives");
    assert!(host.channels().list().is_empty());
    host.block_on(host.start_all()).expect("the host lives");
    crate::scene::until("it is open", || state(&host, "mail") == Some("running"));
    send(&host, "mail", Message::text("again"));
    assert_eq!(texts(&host, &incoming, 1), ["again"]);
}

#[test]
fn a_channel_that_fails_is_told_of_and_can_be_opened_again() {
    let scene = Scene::new();
    scene.add(channel("post", "mail", "", ""));
    let host = scene.started();
    let mut events = host.events();
    let incoming = host.channels().incoming();
    open(&host, "mail");
    send(&host, "mail", Message::text("first"));
    let hang_up = Message::text("hang up");
    host.block_on(host.channels().send("mail", hang_up))
        .expect("it is sent");
    let (name, reason) = fault(&host, &mut events);
    assert_eq!(
        (&*name, reason.message()),
        ("mail", "the other side hung up")
    );
    assert_eq!(state(&host, "mail"), Some("failed"));
    open(&host, "mail");
    send(&host, "mail", Message::text("second"));
    assert_eq!(texts(&host, &incoming, 2), ["first", "second"]);
}

#[test]
fn a_channel_that_does_not_open_says_why_and_is_not_tried_again() {
    let scene = Scene::new();
    scene.add(channel("post", "mail", "", "refuse"));
    let host = scene.started();
    let error = host.block_on(host.channels().open("mail"));
    assert_eq!(error.expect_err("it refuses").message(), "mail refuses");
    scene.add(channel("post", "mail", "2", ""));
    reload(&host, "post");
    assert_eq!(scene.log(), ["mail opens"]);
    let error = host.block_on(host.channels().open("mai"));
    let error = error.expect_err("there is none");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("did you mean `mail`?"), "{error}");
}

#[test]
fn a_lazy_plugin_is_started_when_its_channel_is_opened_or_sent_to() {
    let scene = Scene::new();
    scene
        .add(channel("post", "mail", "", "").lazy())
        .add(channel("room", "chat", "", "").lazy());
    let host = scene.started();
    let incoming = host.channels().incoming();
    open(&host, "mail");
    send(&host, "mail", Message::text("hello"));
    assert_eq!(texts(&host, &incoming, 1), ["hello"]);
    let sent = host.block_on(host.channels().send("chat", Message::text("x")));
    assert_eq!(
        sent.expect_err("it runs, and is not open").message(),
        "the channel is not open"
    );
}

#[test]
fn an_ordinary_plugin_s_channel_declines_what_is_not_for_it() {
    let host = keyway_tests::host();
    host.block_on(async {
        let every_kind = keyway_tests::plugin("every-kind");
        host.load(every_kind).await.expect("it loads");
        let channels = host.channels();
        channels.open("loopback").await.expect("it opens");
        let film = Message::binary("video/mp4", vec![0]);
        let error = channels.send("loopback", film).await;
        assert!(error.expect_err("it takes none").is_declined());
        let question = Message::text("How are you?").with_conversation("room");
        channels
            .send("loopback", question)
            .await
            .expect("it is sent");
        let received = channels.incoming().next().await.expect("it comes");
        assert!(matches!(received.message.payload, Payload::Text(_)));
        let answer = received.message.reply("Fine.");
        channels
            .send(&received.channel, answer)
            .await
            .expect("it is sent");
        let received = channels.incoming().next().await.expect("it comes");
        assert_eq!(received.message.reply_to.as_deref(), Some("1"));
    });
}
