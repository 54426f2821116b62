//! Providers: several that can answer the same kind of request, of which a host asks one after the
//! other until one has answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::abi::pass::Json;
use crate::abi::stream::Stream;
use crate::error::Result;

/// What a provider says of itself, for whoever chooses among providers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProviderSpec {
    /// What it provides, for people.
    #[serde(default)]
    pub description: String,
    /// The kinds of request that it is worth asking for, in the words of the application, such as
    /// the names of models. None: it is worth asking for any, and declines what it does not serve.
    #[serde(default)]
    pub serves: Vec<String>,
}

impl ProviderSpec {
    /// A provider that is worth asking for any request.
    pub fn new(description: impl Into<String>) -> Self {
        ProviderSpec {
            description: description.into(),
            serves: Vec::new(),
        }
    }

    /// The same for one kind of request, beside those that were named before.
    #[must_use]
    pub fn serving(mut self, kind: impl Into<String>) -> Self {
        self.serves.push(kind.into());
        self
    }
}

/// The extension point of providers.
///
/// Which provider is asked first is the host's to say; where it says nothing they are asked by
/// rising [`priority`](Provider::priority). One that fails, or declines
/// ([`PluginError::declined`](crate::PluginError::declined)), lets the next one try; but not one that
/// calls the request invalid ([`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput)), since it
/// is that for everybody.
///
/// ```
/// use keyway::provider::Provider;
/// use keyway::{Json, PluginError, Result};
/// use serde_json::{Value, json};
///
/// struct Weather;
///
/// impl Provider for Weather {
///     async fn request(&self, request: Json<Value>) -> Result<Json<Value>> {
///         match request["city"].as_str() {
///             Some("Oslo") => Ok(Json(json!({ "celsius": 3 }))),
///             _ => Err(PluginError::declined("this station stands in Oslo")),
///         }
///     }
/// }
/// # keyway::provider::ProviderHandle::provide(Weather);
/// ```
#[keyway_macros::capability(id = "keyway.provider", version = 1)]
pub trait Provider: Send + Sync {
    /// Answers a request. The form of both is between the application and its plugins.
    async fn request(&self, request: Json<Value>) -> Result<Json<Value>>;

    /// Answers a request piece by piece.
    ///
    /// What fails before there is a first item still lets another provider try; a later error does
    /// not. By default the stream has one item, the answer of [`request`](Provider::request).
    async fn stream(&self, request: Json<Value>) -> Result<Stream<Json<Value>>> {
        let answer = self.request(request).await?;
        Ok(Stream::from_iter([Ok(answer)]))
    }

    /// Providers are asked by rising priority. Default 0.
    fn priority(&self) -> Result<i32> {
        Ok(0)
    }

    /// Describes the provider. The host asks once per version of the plugin. By default it says
    /// nothing.
    fn spec(&self) -> Result<Json<ProviderSpec>> {
        Ok(Json(ProviderSpec::default()))
    }
}
