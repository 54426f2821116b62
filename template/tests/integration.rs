{%- if kind == "memory-backend" %}{% assign plugin = "Notes" %}{% else %}{% assign plugin = "Greeter" %}{% endif -%}
{%- case kind -%}
{%- when "command", "pipeline-stage", "provider", "memory-backend" -%}
{%- assign json = true -%}
{%- else -%}
{%- assign json = false -%}
{%- endcase -%}
//! The plugin as a host sees it: prepared, activated and called through the same tables.
{% if state == "none" and json == false %}
use keyway::Result;
{%- endif %}
{%- case kind %}
{%- when "command" %}
use keyway::command::{Command, CommandHandle, Invocation};
{%- when "pipeline-stage" %}
use keyway::pipeline::{PipelineStage, PipelineStageHandle};
{%- when "provider" %}
use keyway::provider::{Provider, ProviderHandle};
{%- when "memory-backend" %}
use keyway::memory::{MemoryBackend, MemoryBackendHandle, MemoryEntry, MemoryQuery};
{%- when "event-hook" %}
use keyway::event::{Event, MESSAGE_RECEIVED};
{%- when "service" %}
use keyway::service::{Service, ServiceHandle};
{%- when "channel" %}
use keyway::channel::{Channel, ChannelHandle, Message};
{%- endcase %}
use keyway::testing::{TestContext, TestPlugin, block_on};
{%- if state != "none" and json %}
use keyway::{Imported, Json, Result, State};
{%- elsif state != "none" %}
use keyway::{Imported, Result, State};
{%- elsif json %}
use keyway::{Json, Result};
{%- endif %}
use serde_json::json;

use {{crate_name}}::{{plugin}};

#[test]
{%- if kind == "memory-backend" %}
fn a_document_is_kept_and_found() -> Result<()> {
    block_on(async {
        let plugin = TestPlugin::<Notes>::activate(TestContext::new()).await?;
        plugin.contract().assert_kept();
        let notes: MemoryBackendHandle = plugin.capability("notes")?;
        let entry = MemoryEntry::new("ada", json!("born in 1815"));
        notes.store(Json(entry.clone())).await?;
        assert_eq!(notes.retrieve("", "ada").await?.0, Some(entry));
        let hits = notes.search(Json(MemoryQuery::new("1815", 10))).await?;
        assert_eq!(hits.len(), 1);
        assert!(notes.delete("", "ada").await?);
        assert_eq!(notes.retrieve("", "ada").await?.0, None);
        Ok(())
    })
}
{%- else %}
fn it_offers_what_it_declares_and_greets() -> Result<()> {
    block_on(async {
        let context = TestContext::new().config(json!({ "greeting": "Good day" }));
        let plugin = TestPlugin::<Greeter>::activate(context).await?;
        plugin.contract().assert_kept();
        {%- case kind %}
        {%- when "tool" %}
        let greeting = plugin.call("greet", json!({ "name": "Ada" })).await?;
        {%- when "command" %}
        let command: CommandHandle = plugin.capability("greet")?;
        let output = command.run(Json(Invocation::new("Ada"))).await?;
        let greeting = output.text.as_deref().unwrap_or_default();
        {%- when "pipeline-stage" %}
        let stage: PipelineStageHandle = plugin.capability("greet")?;
        let message = stage.process(Json(json!({ "sender": "Ada" }))).await?;
        let greeting = &message["greeting"];
        {%- when "provider" %}
        let provider: ProviderHandle = plugin.capability("greet")?;
        let answer = provider.request(Json(json!({ "name": "Ada" }))).await?;
        let greeting = &answer["greeting"];
        {%- when "event-hook" %}
        let event = Event::new(MESSAGE_RECEIVED, json!({ "sender": "Ada" }));
        assert_eq!(plugin.deliver(event).await?, ["greet"]);
        {%- when "service" %}
        let service: ServiceHandle = plugin.capability("greet")?;
        let report = service.run()?.next().await;
        let report = report.expect("it reports")?;
        {%- when "channel" %}
        let channel: ChannelHandle = plugin.capability("greet")?;
        let mut incoming = channel.start().await?;
        channel.send(Message::text("Hi").with_sender("Ada")).await?;
        let answer = incoming.next().await.expect("it answers")?;
        let greeting = answer.payload.as_text().unwrap_or_default();
        {%- endcase %}
        {%- case kind %}
        {%- when "service" %}
        assert!(report.ready);
        assert!(report.message.starts_with("Good day, everybody!"));
        {%- when "event-hook" %}
        {%- else %}
        {%- if state == "none" %}
        assert_eq!(greeting, "Good day, Ada!");
        {%- else %}
        assert_eq!(greeting, "Good day, Ada! You are guest 1.");
        {%- endif %}
        {%- endcase %}
        Ok(())
    })
}
{%- endif %}
{%- if state != "none" %}

#[test]
fn a_state_that_was_handed_over_is_taken_and_handed_on() -> Result<()> {
    {%- if kind == "memory-backend" %}
    let documents = r#"{"":{"ada":{"value":"born in 1815","tags":[]}}}"#;
    let state = State::new("documents", 1, documents);
    {%- else %}
    let state = State::new("guests", 1, r#"{"greeted":7}"#);
    {%- endif %}
    let context = TestContext::new().state(state.clone());
    block_on(async {
        let plugin = TestPlugin::<{{plugin}}>::activate(context).await?;
        assert_eq!(plugin.imported(), Some(Imported::Exact));
        assert_eq!(plugin.export_state().await?, Some(state));
        Ok(())
    })
}
{%- endif %}
