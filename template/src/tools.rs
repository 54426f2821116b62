//! The tools. Their comments are the descriptions that callers see.

use keyway::{PluginError, Result};

use crate::Greeter;

/// Whom to greet.
#[keyway::data]
pub struct Guest {
    /// The name of the guest.
    pub name: String,
}

/// Greets a guest by name.
#[keyway::tool]
pub async fn greet(greeter: &Greeter, guest: Guest) -> Result<String> {
    if guest.name.is_empty() {
        return Err(PluginError::invalid_input("`name` is empty"));
    }
    Ok(greeter.greet(&guest.name){% if runtime == "tokio" %}.await{% endif %})
}
