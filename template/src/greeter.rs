//! What the plugin does, whoever asks for it.

{% if state == "none" -%}
use std::sync::Arc;
{%- else -%}
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
{%- endif %}
{%- if runtime == "tokio" %}
use std::time::Duration;
{%- endif %}
{%- if state != "none" %}

use keyway::StateSchema;
{%- endif %}

/// The settings that plugin.toml declares.
#[keyway::data]
#[derive(Debug)]
pub(crate) struct Settings {
    /// What a greeting starts with.
    greeting: String,
    {%- if runtime == "tokio" %}
    /// How long a greeting takes, in milliseconds.
    pause_ms: u64,
    {%- endif %}
}
{%- if state != "none" %}

/// What the next version of the plugin takes over.
#[keyway::data]
#[derive(Debug, Default)]
pub(crate) struct Guests {
    /// How many there were.
    greeted: u64,
}

impl StateSchema for Guests {
    const SCHEMA: &'static str = "guests";
    // To be raised when an older state would not read any more; `migrate` then reads that.
    const VERSION: u32 = 1;
}
{%- endif %}

/// The plugin. All clones of it are the same one.
#[derive(Clone, Debug)]
pub struct Greeter {
    settings: Arc<Settings>,
    {%- if state != "none" %}
    guests: Arc<Mutex<Guests>>,
    {%- endif %}
}

impl Greeter {
    pub(crate) fn new(settings: Settings) -> Self {
        Greeter {
            settings: Arc::new(settings),
            {%- if state != "none" %}
            guests: Arc::default(),
            {%- endif %}
        }
    }

    /// Greets a guest by name.
    pub(crate) {% if runtime == "tokio" %}async {% endif %}fn greet(&self, name: &str) -> String {
        tracing::info!(name, "greeting");
        {%- if runtime == "tokio" %}
        tokio::time::sleep(Duration::from_millis(self.settings.pause_ms)).await;
        {%- endif %}
        let greeting = &self.settings.greeting;
        {%- if state == "none" %}
        format!("{greeting}, {name}!")
        {%- else %}
        let mut guests = self.guests();
        guests.greeted += 1;
        format!("{greeting}, {name}! You are guest {}.", guests.greeted)
        {%- endif %}
    }
    {%- if state != "none" %}

    pub(crate) fn guests(&self) -> MutexGuard<'_, Guests> {
        // A panic leaves nothing half changed.
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
    {%- endif %}
}

#[cfg(test)]
mod tests {
    use super::{Greeter, Settings};
{% if runtime == "tokio" %}
    #[tokio::test]
    async fn a_guest_is_greeted_by_name() {
{%- else %}
    #[test]
    fn a_guest_is_greeted_by_name() {
{%- endif %}
        let greeter = Greeter::new(Settings {
            greeting: "Good day".to_owned(),
            {%- if runtime == "tokio" %}
            pause_ms: 0,
            {%- endif %}
        });
        let greeting = greeter.greet("Ada"){% if runtime == "tokio" %}.await{% endif %};
        {%- if state == "none" %}
        assert_eq!(greeting, "Good day, Ada!");
        {%- else %}
        assert_eq!(greeting, "Good day, Ada! You are guest 1.");
        {%- endif %}
    }
}
