//! How much of what a plugin asks for it gets while it is validated.

use std::fmt;
use std::str::FromStr;

use keyway_host::manifest::Permissions;
use serde::{Deserialize, Serialize};

/// How much of what a plugin's manifest asks for is granted.
///
/// Checks call tools with random input. A plugin that may write files, send requests or start programs may do
/// so then, which is why only reading is granted unless somebody says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantLevel {
    /// Nothing.
    None,
    /// The files and the environment variables that it asks to read.
    #[default]
    Read,
    /// All that it asks for; and tools that say that they destroy something are called too.
    All,
}

impl GrantLevel {
    /// All levels, the least first.
    pub const ALL: [GrantLevel; 3] = [GrantLevel::None, GrantLevel::Read, GrantLevel::All];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            GrantLevel::None => "none",
            GrantLevel::Read => "read",
            GrantLevel::All => "all",
        }
    }

    /// What is granted of what is asked for.
    pub(crate) fn of(self, asked: &Permissions) -> Permissions {
        let mut granted = Permissions::default();
        match self {
            GrantLevel::None => {}
            GrantLevel::Read => {
                granted.filesystem.read = asked.filesystem.read.clone();
                granted.env = asked.env.clone();
            }
            GrantLevel::All => granted = asked.clone(),
        }
        granted
    }
}

impl fmt::Display for GrantLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for GrantLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = GrantLevel::ALL
            .into_iter()
            .find(|level| level.name() == text);
        level.ok_or_else(|| format!("expected none, read or all, found `{text}`"))
    }
}
