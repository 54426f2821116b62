{%- if kind == "memory-backend" -%}
{%- assign plugin = "Notes" -%}
{%- assign kept = "documents" -%}
{%- else -%}
{%- assign plugin = "Greeter" -%}
{%- assign kept = "guests" -%}
{%- endif -%}
//! {{description}}.
{% case kind %}
{%- when "tool" %}
mod greeter;
mod tools;
{%- when "command" %}
mod command;
mod greeter;
{%- when "pipeline-stage" %}
mod greeter;
mod stage;
{%- when "provider" %}
mod greeter;
mod provider;
{%- when "memory-backend" %}
mod memory;
{%- when "event-hook" %}
mod greeter;
mod hook;
{%- when "service" %}
mod greeter;
mod service;
{%- when "channel" %}
mod channel;
mod greeter;
{%- endcase %}
{% if state == "none" %}
use keyway::{Activation, Context, Plugin, Result};
{%- else %}
use keyway::{Activation, Context, Imported, Plugin, Result, State};
{%- endif %}
{%- if kind == "channel" %}

use crate::channel::Lobby;
{%- endif %}
{% if kind == "memory-backend" %}
pub use crate::memory::Notes;
{%- else %}
pub use crate::greeter::Greeter;
{%- endif %}

keyway::export_plugin!({{plugin}});

impl Plugin for {{plugin}} {
    async fn prepare(context: Context) -> Result<Self> {
        Ok({{plugin}}::new(context.config()?))
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        {%- case kind %}
        {%- when "tool" %}
        activation.tool_with::<tools::greet>(self.clone())?;
        {%- when "command" %}
        activation.command("greet", self.clone())?;
        {%- when "pipeline-stage" %}
        activation.pipeline_stage("greet", self.clone())?;
        {%- when "provider" %}
        activation.provider("greet", self.clone())?;
        {%- when "memory-backend" %}
        activation.memory_backend("notes", self.clone())?;
        {%- when "event-hook" %}
        activation.event_hook("greet", self.clone())?;
        {%- when "service" %}
        activation.service("greet", self.clone())?;
        {%- when "channel" %}
        activation.channel("greet", Lobby::new(self.clone()))?;
        {%- endcase %}
        Ok(())
    }
    {%- if state != "none" %}

    async fn export_state(&self) -> Result<Option<State>> {
        {%- if kind == "memory-backend" and runtime == "tokio" %}
        State::of(&*self.documents().await).map(Some)
        {%- else %}
        State::of(&*self.{{kept}}()).map(Some)
        {%- endif %}
    }

    async fn import_state(&self, state: State) -> Result<Imported> {
        let ({{kept}}, imported) = state.read()?;
        {%- if kind == "memory-backend" and runtime == "tokio" %}
        *self.documents().await = documents;
        {%- else %}
        *self.{{kept}}() = {{kept}};
        {%- endif %}
        Ok(imported)
    }
    {%- endif %}
}
