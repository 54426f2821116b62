//! One of each kind of extension, over a real cdylib: results, errors, declined calls, streams, and
//! what ends them.

use std::time::{Duration, Instant};

use keyway::channel::{Channel, ChannelHandle, Message, Payload};
use keyway::command::{Command, CommandHandle, CommandSpec, Invocation};
use keyway::event::{Event, EventHook, EventHookHandle, topic_matches};
use keyway::memory::{MemoryBackend, MemoryBackendHandle, MemoryEntry, MemoryQuery};
use keyway::pipeline::{PipelineStage, PipelineStageHandle, StagePhase};
use keyway::provider::{Provider, ProviderHandle, ProviderSpec};
use keyway::service::{Service, ServiceHandle, ServiceReport};
use keyway::skill::{Skill, SkillHandle};
use keyway::tool::{PathAccess, Tool, ToolHandle};
use keyway::voice::{AudioFormat, VoiceHandler, VoiceHandlerHandle};
use keyway::{Bytes, ErrorKind, Json, Result, Scope, Stream};
use keyway_host::{EventKind, Host};
use keyway_tests::{host, plugin};
use serde_json::{Value, json};

/// Runs a test on a host that has the plugin.
fn with_plugin<F: Future<Output = ()>>(test: impl FnOnce(Host) -> F) {
    let host = host();
    let inner = host.clone();
    host.block_on(async move {
        inner.load(plugin("every-kind")).await.expect("it loads");
        test(inner).await;
    });
}

/// The item that comes next, which has to be there and to be no error.
async fn next<T: keyway::abi::pass::Pass + 'static>(stream: &mut Stream<T>) -> T {
    let item = stream.next().await.expect("the stream goes on");
    item.expect("the item is no error")
}

#[test]
fn what_is_sent_into_a_channel_comes_in_again_whatever_kind_of_payload_it_has() {
    with_plugin(|host| async move {
        let channel: ChannelHandle = host.capability("loopback").expect("it is offered");
        let mut incoming = channel.start().await.expect("it opens");
        let bytes = Bytes::from(vec![7; 1 << 16]);
        let messages = [
            Message::text("hello").with_conversation("room"),
            Message::structured(json!({ "votes": [1, 2] })).with_sender("ada"),
            Message::binary("image/png", bytes.clone()).with_attribute("width", 3),
        ];
        for (number, message) in (1..).zip(messages) {
            let receipt = channel.send(message.clone()).await.expect("it is sent");
            let id = receipt.0.id.expect("this channel has ids");
            assert_eq!(id, format!("{number}"));
            let received = next(&mut incoming).await;
            if let Payload::Binary { bytes: found, .. } = &received.payload {
                assert_eq!(found.as_ptr(), bytes.as_ptr(), "it was not copied");
            }
            assert_eq!(received, message.with_id(id));
        }
    });
}

#[test]
fn a_channel_declines_what_is_not_for_it() {
    with_plugin(|host| async move {
        let channel: ChannelHandle = host.capability("loopback").expect("it is offered");
        let film = Message::binary("video/mp4", vec![0]);
        let error = channel.send(film).await.expect_err("it takes none");
        assert!(error.is_declined() && !error.is_retryable(), "{error:?}");
        assert_eq!(error.message(), "this channel shows no films");
        assert_eq!(error.error_code(), "declined");
    });
}

#[test]
fn a_channel_that_is_stopped_delivers_what_it_has_and_then_ends() {
    with_plugin(|host| async move {
        let channel: ChannelHandle = host.capability("loopback").expect("it is offered");
        let mut incoming = channel.start().await.expect("it opens");
        channel
            .send(Message::text("last"))
            .await
            .expect("it is sent");
        channel.stop().await.expect("it stops");
        assert_eq!(next(&mut incoming).await.payload.as_text(), Some("last"));
        assert!(incoming.next().await.is_none(), "nothing comes after that");
        let error = channel.send(Message::text("late")).await;
        let error = error.expect_err("it is not open");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    });
}

#[test]
fn a_dropped_channel_stream_cancels_whoever_sends_and_the_channel_opens_again() {
    with_plugin(|host| async move {
        let channel: ChannelHandle = host.capability("loopback").expect("it is offered");
        let incoming = channel.start().await.expect("it opens");
        let error = channel.start().await.expect_err("it is open");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        for text in ["one", "two"] {
            channel
                .send(Message::text(text))
                .await
                .expect("there is room");
        }

        // The third waits for the reader, who goes away instead of reading.
        let mut third = Box::pin(channel.send(Message::text("three")));
        let waits = futures_poll_once(third.as_mut()).await;
        assert!(waits.is_none(), "there is no room: {waits:?}");
        drop(incoming);
        let error = third.await.expect_err("nobody reads it");
        assert_eq!(error.kind(), ErrorKind::Cancelled);

        let mut incoming = channel.start().await.expect("it opens again");
        channel
            .send(Message::text("four"))
            .await
            .expect("it is sent");
        assert_eq!(next(&mut incoming).await.payload.as_text(), Some("four"));
    });
}

/// Polls a future once; none if it waits.
async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// Asks one provider after the other, as a host does.
async fn ask(host: &Host, request: &Value) -> Result<Value> {
    let mut providers: Vec<(i32, ProviderHandle)> = ["elsewhere", "oslo"]
        .into_iter()
        .map(|name| {
            let provider: ProviderHandle = host.capability(name).expect("it is offered");
            (provider.priority().expect("it says"), provider)
        })
        .collect();
    providers.sort_by_key(|(priority, _)| *priority);
    let mut last = Ok(Value::Null);
    for (_, provider) in providers {
        match provider.request(Json(request.clone())).await {
            Ok(answer) => return Ok(answer.0),
            Err(error) => last = Err(error),
        }
    }
    last
}

#[test]
fn a_provider_that_declines_lets_the_next_one_answer() {
    with_plugin(|host| async move {
        let answer = ask(&host, &json!({ "city": "Oslo" })).await;
        assert_eq!(answer.expect("the first knows"), json!({ "celsius": 3 }));
        let answer = ask(&host, &json!({ "city": "Rome" })).await;
        assert_eq!(answer.expect("the second guesses")["guessed"], true);

        let oslo: ProviderHandle = host.capability("oslo").expect("it is offered");
        let rome = json!({ "city": "Rome" });
        let error = oslo.request(Json(rome.clone())).await;
        assert!(error.expect_err("it is not Oslo").is_declined());
        let error = oslo.stream(Json(rome)).await;
        let error = error.expect_err("it declines before there is a stream");
        assert!(error.is_declined());
        let error = oslo.request(Json(json!({}))).await;
        let error = error.expect_err("there is no city");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let spec = ProviderSpec::new("A thermometer").serving("Oslo");
        assert_eq!(oslo.spec().expect("it says").0, spec);
    });
}

#[test]
fn an_answer_in_pieces_ends_with_its_error_and_by_default_has_one_piece() {
    with_plugin(|host| async move {
        let oslo: ProviderHandle = host.capability("oslo").expect("it is offered");
        let request = Json(json!({ "city": "Oslo" }));
        let mut hours = oslo.stream(request.clone()).await.expect("it starts");
        for celsius in [3, 2, 1] {
            assert_eq!(next(&mut hours).await.0, json!({ "celsius": celsius }));
        }
        let error = hours.next().await.expect("there is one more");
        assert_eq!(
            error.expect_err("it froze").message(),
            "the thermometer froze"
        );
        assert!(hours.next().await.is_none(), "nothing comes after that");

        let elsewhere: ProviderHandle = host.capability("elsewhere").expect("it is offered");
        assert_eq!(
            elsewhere.spec().expect("it says").0,
            ProviderSpec::default()
        );
        let mut pieces = elsewhere.stream(request.clone()).await.expect("it starts");
        let whole = elsewhere.request(request).await.expect("it guesses");
        assert_eq!(next(&mut pieces).await, whole);
        assert!(pieces.next().await.is_none());
    });
}

#[test]
fn skills_give_their_instructions_tools_and_resources() {
    with_plugin(|host| async move {
        let review: SkillHandle = host.capability("review").expect("it is offered");
        let Json(spec) = review.spec().expect("it says");
        assert_eq!(spec.description, "How to review a change.");
        assert_eq!(
            spec.instructions,
            "Read the *whole* change before the first comment.\n"
        );
        assert_eq!(spec.tools, ["move-note"]);
        assert!(spec.user_invocable);
        let error = review.resource("card.txt").await;
        let error = error.expect_err("it has none");
        assert_eq!(error.kind(), ErrorKind::NotFound);

        let greet: SkillHandle = host.capability("greet").expect("it is offered");
        let Json(spec) = greet.spec().expect("it says");
        assert_eq!(spec.resources, ["card.txt"]);
        assert!(!spec.user_invocable);
        let card = greet.resource("card.txt").await.expect("it has it");
        assert_eq!(card, &b"Good day"[..]);
    });
}

#[test]
fn a_voice_hears_and_speaks_at_the_same_time_until_it_has_said_everything() {
    with_plugin(|host| async move {
        let voice: VoiceHandlerHandle = host.capability("louder").expect("it is offered");
        let Json(formats) = voice.formats().expect("it says");
        let format = formats.into_iter().next().expect("there is one");
        assert_eq!(format, AudioFormat::mono("pcm-s16le", 16_000));

        let mut says = voice.open("a", Json(format)).await.expect("it opens");
        let samples = |samples: &[i16]| -> Vec<u8> {
            samples.iter().flat_map(|one| one.to_le_bytes()).collect()
        };
        let audio = samples(&[1, -2, i16::MAX]);
        // The second sample is cut in two.
        let (first, rest) = audio.split_at(3);
        let hear = |part: &[u8]| voice.hear("a", Bytes::copy_from_slice(part));
        hear(first).await.expect("it hears");
        assert_eq!(next(&mut says).await, samples(&[2]));
        hear(rest).await.expect("it hears");
        voice.finish("a").await.expect("it finishes");
        assert_eq!(next(&mut says).await, samples(&[-4, i16::MAX]));
        assert!(says.next().await.is_none(), "everything is said");

        let error = hear(first).await.expect_err("the session is over");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let opus = AudioFormat::mono("opus", 48_000).with_channels(2);
        let error = voice.open("b", Json(opus)).await;
        let error = error.expect_err("it does not speak that");
        assert_eq!(error.message(), "expected pcm-s16le, found opus");
    });
}

#[test]
fn a_hook_is_told_of_its_topics_and_a_command_answers_text_and_data() {
    with_plugin(|host| async move {
        let audit: EventHookHandle = host.capability("audit").expect("it is offered");
        let seen: CommandHandle = host.capability("seen").expect("it is offered");
        assert_eq!(audit.priority().expect("it says"), -5);
        assert_eq!(seen.spec().expect("the default").0, CommandSpec::default());

        let Json(topics) = audit.topics().expect("it says");
        let published = ["message.received", "message.edited", "response.sent"];
        for topic in published {
            if topics.iter().any(|pattern| topic_matches(pattern, topic)) {
                let event = Event::new(topic, json!({ "text": "hi" })).with_source("tests");
                audit.handle(Json(event)).await.expect("it is told");
            }
        }
        let empty = Event::new("message.received", Value::Null);
        let error = audit.handle(Json(empty)).await.expect_err("it is empty");
        assert_eq!(error.message(), "expected a payload, found none");

        let run = |text: &str| seen.run(Json(Invocation::new(text)));
        let all = run("").await.expect("it runs").0;
        assert_eq!(all.text.as_deref(), Some("2 topics"));
        let counted = json!({ "message.received": 1, "response.sent": 1 });
        assert_eq!(all.data, Some(counted));
        let one = run("response.sent").await.expect("it runs").0;
        assert_eq!(one.text.as_deref(), Some("response.sent: 1"));
        assert_eq!(one.data, None);
        let error = run("message.edited").await.expect_err("nobody was told");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = run("one two").await.expect_err("it takes one");
        assert_eq!(error.message(), "expected one topic, found 2");
    });
}

/// The host runs each service by itself from when its plugin serves. It does not start it again once it
/// has ended.
async fn end_that_of_the_host(host: &Host, janitor: &ServiceHandle) {
    let mut events = host.events();
    let bound = Instant::now() + Duration::from_secs(60);
    while host
        .services()
        .iter()
        .all(|service| service.report.is_none())
    {
        assert!(Instant::now() < bound, "the host runs it");
        std::thread::yield_now();
    }
    janitor.stop().await.expect("it is asked to end");
    loop {
        let event = events.next().await.expect("the host lives");
        if let EventKind::Ended { capability } = event.kind {
            assert_eq!(capability.name, "janitor");
            return;
        }
    }
}

#[test]
fn a_service_ends_in_order_when_it_is_stopped_and_at_once_when_its_stream_is_dropped() {
    with_plugin(|host| async move {
        let janitor: ServiceHandle = host.capability("janitor").expect("it is offered");
        end_that_of_the_host(&host, &janitor).await;
        let mut reports = janitor.run().expect("it starts");
        let ready = next(&mut reports).await.0;
        assert_eq!(ready, ServiceReport::ready("1 running"));
        let waits = futures_poll_once(Box::pin(reports.next())).await;
        assert!(waits.is_none(), "it runs: {waits:?}");

        janitor.stop().await.expect("it is asked to end");
        let last = next(&mut reports).await.0;
        assert_eq!(last, ServiceReport::not_ready("swept up"));
        assert!(reports.next().await.is_none(), "it has ended");

        let mut reports = janitor.run().expect("it starts again");
        assert_eq!(next(&mut reports).await.0.message, "1 running");
        drop(reports);
        // Had the drop not ended it, this would be the second.
        let mut reports = janitor.run().expect("it starts once more");
        assert_eq!(next(&mut reports).await.0.message, "1 running");
    });
}

#[test]
fn a_service_takes_no_place_of_a_call_and_holds_up_no_stop() {
    let host = keyway_tests::host_builder()
        .max_concurrency(1)
        .build()
        .expect("a host");
    host.block_on(async {
        host.load(plugin("every-kind")).await.expect("it loads");
        let janitor: ServiceHandle = host.capability("janitor").expect("it is offered");
        let mut reports = janitor.run().expect("it starts");
        next(&mut reports).await;
        let trim: PipelineStageHandle = host.capability("trim").expect("it is offered");
        trim.process(Json(json!({ "text": "" })))
            .await
            .expect("the only place is free");
        host.stop("every-kind").await.expect("it stops");
        drop(reports);
    });
}

#[test]
fn a_stage_has_a_phase_and_a_priority_and_changes_the_message() {
    with_plugin(|host| async move {
        let trim: PipelineStageHandle = host.capability("trim").expect("it is offered");
        assert_eq!(trim.phase().expect("it says").0, StagePhase::Pre);
        assert_eq!(trim.priority().expect("it says"), -1);
        let message = json!({ "text": "  hi ", "id": 1 });
        let changed = trim.process(Json(message)).await.expect("it works");
        assert_eq!(changed.0, json!({ "text": "hi", "id": 1 }));
        let error = trim.process(Json(json!({}))).await.expect_err("no text");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_memory_keeps_finds_within_the_limit_and_forgets() {
    with_plugin(|host| async move {
        let notes: MemoryBackendHandle = host.capability("notes").expect("it is offered");
        for (key, text) in [("a", "red fox"), ("b", "red dog")] {
            let entry = MemoryEntry::new(key, json!(text));
            notes.store(Json(entry)).await.expect("it is kept");
        }
        let query = MemoryQuery::new("red", 1);
        let hits = notes.search(Json(query)).await.expect("it looks").0;
        assert_eq!(hits.len(), 1, "the limit holds");
        assert!(notes.delete("", "a").await.expect("it works"));
        let gone = notes.retrieve("", "a").await.expect("it works").0;
        assert_eq!(gone, None);
    });
}

#[test]
fn a_tool_describes_itself_to_whoever_asks_and_says_which_arguments_are_paths() {
    with_plugin(|host| async move {
        let tool: ToolHandle = host.capability("move-note").expect("it is offered");
        let describe = |scope: Scope| tool.describe(Json(scope)).expect("it says").0;
        assert_eq!(describe(Scope::new()), None, "it is hidden");
        let guest = describe(Scope::new().with_user("guest")).expect("it is shown");
        assert_eq!(guest.description, "Copies a note");
        let ada = describe(Scope::new().with_user("ada")).expect("it is shown");
        assert_eq!(ada, tool.spec().expect("it says").0);
        assert_eq!(ada.annotations.destructive, Some(true));
        assert_eq!(ada.annotations.read_only, None);

        assert_eq!(ada.action_parameter.as_deref(), Some("action"));
        let paths = |action: &str| -> Vec<(&str, PathAccess)> {
            ada.path_parameters
                .iter()
                .filter(|path| path.applies_to(Some(action)))
                .map(|path| (path.argument.as_str(), path.access))
                .collect()
        };
        assert_eq!(
            paths("copy"),
            [("from", PathAccess::Read), ("to", PathAccess::Write)]
        );
        assert_eq!(
            paths("move"),
            [("from", PathAccess::Write), ("to", PathAccess::Write)]
        );

        let client = host.tool("move-note").expect("it is offered");
        let call =
            |from: &str, to: &str| client.call(json!({ "action": "move", "from": from, "to": to }));
        assert_eq!(call("a", "b").await.expect("it works")["moved"], true);
        let error = call("a", "a").await.expect_err("there is nothing to do");
        assert!(error.is_declined(), "{error:?}");
    });
}

#[test]
fn a_tool_that_says_nothing_of_scopes_is_shown_to_all_as_it_is() {
    let host = host();
    host.block_on(async {
        host.load(plugin("text-filter")).await.expect("it loads");
        let redact: ToolHandle = host.capability("redact").expect("it is offered");
        let shown = redact.describe(Json(Scope::new().with_channel("mail")));
        let spec = redact.spec().expect("it says").0;
        assert_eq!(shown.expect("the default").0, Some(spec));
    });
}
