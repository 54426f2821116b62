//! Providers: several that can answer the same request, asked one after the other until one has.

use std::fmt;
use std::time::Duration;

use keyway::abi::pass::Json;
use keyway::capability::Capability;
use keyway::provider::{Provider, ProviderHandle, ProviderSpec};
use keyway::{ErrorKind, PluginError, Stream};
use serde_json::Value;

use super::codes;
use crate::described::Description;
use crate::host::Host;
use crate::plan::Trigger;
use crate::registry::Member;

/// The providers of a host: [`Host::providers`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Providers {
    host: Host,
    kind: Option<String>,
    deadline: Option<Duration>,
}

/// A provider, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderRecord {
    /// Its name.
    pub name: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// What it says of itself.
    pub spec: ProviderSpec,
    /// Where the host's file says nothing of the order, those of lower priority are asked first.
    pub priority: i32,
}

/// A provider that was asked, and did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The provider.
    pub provider: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// What it said.
    pub error: PluginError,
}

/// `oslo` of plugin 'weather': and the error.
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attempt {
            provider,
            plugin,
            error,
        } = self;
        write!(f, "`{provider}` of plugin '{plugin}': {error:#}")
    }
}

/// An answer, and whose it is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The answer.
    pub value: Value,
    /// The provider.
    pub provider: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// Those that were asked before, and did not answer.
    pub passed_over: Vec<Attempt>,
}

/// An answer in pieces, and whose it is.
#[derive(Debug)]
#[non_exhaustive]
pub struct AnswerStream {
    /// The provider.
    pub provider: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// Those that were asked before, and did not answer.
    pub passed_over: Vec<Attempt>,
    /// What has come already.
    first: Option<Json<Value>>,
    rest: Stream<Json<Value>>,
}

/// No provider has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvidersError {
    /// Those that were asked, in this order; nobody if there was nobody to ask.
    pub attempts: Vec<Attempt>,
    /// The kind of request that was asked for, if any.
    kind: Option<String>,
}

impl Host {
    /// The providers of all plugins.
    ///
    /// ```
    /// # use keyway_host::{Host, ProvidersError};
    /// # use serde_json::json;
    /// # async fn example(host: &Host) -> Result<(), ProvidersError> {
    /// let weather = host.providers().serving("weather");
    /// let answer = weather.request(json!({ "city": "Oslo" })).await?;
    /// println!("{} says {}", answer.provider, answer.value);
    /// # Ok(())
    /// # }
    /// ```
    pub fn providers(&self) -> Providers {
        Providers {
            host: self.clone(),
            kind: None,
            deadline: None,
        }
    }
}

impl Providers {
    /// Those of them that are worth asking for this kind of request:
    /// [`ProviderSpec::serves`](keyway::provider::ProviderSpec::serves).
    #[must_use]
    pub fn serving(&self, kind: impl Into<String>) -> Self {
        Providers {
            kind: Some(kind.into()),
            ..self.clone()
        }
    }

    /// The same with a deadline for each of them.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Providers {
            deadline: Some(deadline),
            ..self.clone()
        }
    }

    /// The providers in the order in which they are asked now.
    pub fn list(&self) -> Vec<ProviderRecord> {
        let all = self.in_order().into_iter();
        all.map(|(record, _)| record).collect()
    }

    /// Asks one provider after the other, until one answers: first those that the host's file names under
    /// `[providers] order`, in that order, and then the others by rising priority and by name.
    ///
    /// One that declines or fails lets the next one try. One that calls the request
    /// [invalid](ErrorKind::InvalidInput) does not: it would be for the others as well.
    ///
    /// Plugins that start when they are first needed and have providers are started before.
    ///
    /// # Errors
    ///
    /// When nobody has answered, with what each of them said.
    pub async fn request(&self, request: Value) -> Result<Answer, ProvidersError> {
        let mut passed_over = Vec::new();
        for (record, provider) in self.candidates().await {
            match provider.request(Json(request.clone())).await {
                Ok(Json(value)) => {
                    return Ok(Answer {
                        value,
                        provider: record.name,
                        plugin: record.plugin,
                        passed_over,
                    });
                }
                Err(error) => {
                    if self.ends_with(record, error, &mut passed_over) {
                        break;
                    }
                }
            }
        }
        Err(self.nobody(passed_over))
    }

    /// The same for an answer in pieces. Another provider is asked only as long as there is no first
    /// piece: an error that comes later is one of the stream's.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub async fn stream(&self, request: Value) -> Result<AnswerStream, ProvidersError> {
        let mut passed_over = Vec::new();
        for (record, provider) in self.candidates().await {
            let began = async {
                let mut stream = provider.stream(Json(request.clone())).await?;
                let first = stream.next().await.transpose()?;
                Ok((first, stream))
            };
            match began.await {
                Ok((first, rest)) => {
                    return Ok(AnswerStream {
                        provider: record.name,
                        plugin: record.plugin,
                        passed_over,
                        first,
                        rest,
                    });
                }
                Err(error) => {
                    if self.ends_with(record, error, &mut passed_over) {
                        break;
                    }
                }
            }
        }
        Err(self.nobody(passed_over))
    }

    async fn candidates(&self) -> Vec<(ProviderRecord, ProviderHandle)> {
        let providers = Trigger::Capability {
            id: ProviderHandle::ID,
            name: None,
        };
        self.host.wake(providers).await;
        self.in_order()
    }

    fn in_order(&self) -> Vec<(ProviderRecord, ProviderHandle)> {
        let members = self.host.registry().members::<ProviderHandle>();
        let settings = self.host.settings();
        let order = &settings.providers;
        let mut all: Vec<_> = members
            .into_iter()
            .filter_map(|member| self.candidate(member))
            .collect();
        // The registry answers by name, and equal ones stay as they are.
        all.sort_by_key(|(record, _)| {
            let place = order.iter().position(|name| *name == record.name);
            (place.unwrap_or(order.len()), record.priority)
        });
        all
    }

    fn candidate(
        &self,
        member: Member<ProviderHandle>,
    ) -> Option<(ProviderRecord, ProviderHandle)> {
        let Description::Provider { spec, priority } = member.description else {
            return None;
        };
        let is_worth_asking = |kind: &String| spec.serves.is_empty() || spec.serves.contains(kind);
        if !self.kind.as_ref().is_none_or(is_worth_asking) {
            return None;
        }
        let handle = match self.deadline {
            Some(deadline) => member.handle.with_deadline(deadline),
            None => member.handle,
        };
        let record = ProviderRecord {
            name: member.name,
            plugin: member.plugin.to_string(),
            spec: (*spec).clone(),
            priority,
        };
        Some((record, handle))
    }

    /// Notes an attempt; answers whether it is the last one.
    fn ends_with(
        &self,
        record: ProviderRecord,
        error: PluginError,
        attempts: &mut Vec<Attempt>,
    ) -> bool {
        let ends = error.kind() == ErrorKind::InvalidInput;
        let attempt = Attempt {
            error: self.host.without_secrets(&record.plugin, error),
            provider: record.name,
            plugin: record.plugin,
        };
        tracing::debug!("provider {attempt}");
        attempts.push(attempt);
        ends
    }

    #[cold]
    fn nobody(&self, attempts: Vec<Attempt>) -> ProvidersError {
        ProvidersError {
            attempts,
            kind: self.kind.clone(),
        }
    }
}

impl AnswerStream {
    /// The next piece, or none at the end.
    ///
    /// # Errors
    ///
    /// What the provider failed with; nobody else is asked any more.
    pub async fn next(&mut self) -> Option<Result<Value, PluginError>> {
        let item = match self.first.take() {
            Some(first) => Ok(first),
            None => self.rest.next().await?,
        };
        Some(item.map(|Json(value)| value))
    }
}

impl ProvidersError {
    /// The stable identifier of what went wrong, which [`explain`](crate::explain) explains:
    /// `no-provider`, `request-invalid` or `providers-failed`.
    pub fn code(&self) -> &'static str {
        match self.attempts.last() {
            None => codes::NO_PROVIDER.id,
            Some(last) if last.error.kind() == ErrorKind::InvalidInput => codes::REQUEST_INVALID.id,
            Some(_) => codes::PROVIDERS_FAILED.id,
        }
    }

    /// Whether nothing went wrong but that everybody left the request to somebody else, so that the
    /// application may answer it in a general way.
    pub fn is_declined(&self) -> bool {
        let mut attempts = self.attempts.iter();
        attempts.all(|attempt| attempt.error.is_declined())
    }
}

/// With each provider and what it said.
impl fmt::Display for ProvidersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = match &self.kind {
            Some(kind) => format!("a request for `{kind}`"),
            None => "the request".to_owned(),
        };
        match &self.attempts[..] {
            [] => write!(f, "no plugin offers a provider for {request}"),
            [.., last] if last.error.kind() == ErrorKind::InvalidInput => {
                write!(f, "{request} is invalid, says {last}")
            }
            attempts => {
                write!(f, "no provider has answered {request}")?;
                for (number, attempt) in attempts.iter().enumerate() {
                    let joint = if number == 0 { ": " } else { "; " };
                    write!(f, "{joint}{attempt}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ProvidersError {}
