//! The environment variables that no plugin gets, whatever is granted.
//!
//! Two kinds: those by which somebody makes the dynamic loader or the allocator of a program run or
//! write what they like, and the keys to the user's and the machine's accounts, which are the
//! host's own. A plugin that needs such a key declares a setting of type `secret`, which the operator
//! fills, perhaps from that very variable.

use keyway_manifest::document::{Fault, place};

use super::reach::Covers;

/// The name of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvName(String);

/// All variables whose names begin so.
pub(crate) const DENIED_PREFIXES: [&str; 5] = ["LD_", "DYLD_", "_RLD", "MALLOC_", "KEYWAY_"];

/// By name.
pub(crate) const DENIED: [&str; 33] = [
    // What the C library and the loader read.
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "LIBPATH",
    "LOCPATH",
    "NLSPATH",
    "SHLIB_PATH",
    // Agents and sessions of the user.
    "DBUS_SESSION_BUS_ADDRESS",
    "GPG_AGENT_INFO",
    "ICEAUTHORITY",
    "KRB5CCNAME",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "SUDO_ASKPASS",
    "XAUTHORITY",
    // Accounts at clouds.
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_CLIENT_SECRET",
    "CLOUDFLARE_API_TOKEN",
    "DIGITALOCEAN_ACCESS_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "IDENTITY_HEADER",
    "KUBECONFIG",
    "VAULT_TOKEN",
    // Accounts at places from which others take code.
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "CARGO_REGISTRY_TOKEN",
    "DOCKER_AUTH_CONFIG",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "NODE_AUTH_TOKEN",
    "NPM_TOKEN",
    "TWINE_PASSWORD",
];

/// Whether a variable is one of those. Case does not matter, since on some systems names differ in
/// nothing else.
pub(crate) fn is_denied(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    DENIED_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || DENIED.contains(&name.as_str())
}

impl EnvName {
    /// # Errors
    ///
    /// What is wrong with the text, as the rest of a sentence that begins with it.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        place::env_name(text)?;
        Ok(EnvName(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Covers for EnvName {
    fn covers(&self, other: &Self) -> bool {
        self == other
    }
}

impl std::fmt::Display for EnvName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
