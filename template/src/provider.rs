//! The provider: answers requests that have a name, and leaves the others to other providers.

use keyway::provider::Provider;
use keyway::{Json, PluginError, Result};
use serde_json::{Value, json};

use crate::Greeter;

impl Provider for Greeter {
    async fn request(&self, request: Json<Value>) -> Result<Json<Value>> {
        let Some(name) = request["name"].as_str() else {
            return Err(PluginError::declined("there is nobody to greet"));
        };
        Ok(Json(json!({ "greeting": self.greet(name){% if runtime == "tokio" %}.await{% endif %} })))
    }
}
