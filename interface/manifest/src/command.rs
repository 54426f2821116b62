//! What help says of a command, known before any code of its plugin runs.

/// The help for one command that a plugin declares.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct CommandText {
    /// What it does, in a sentence.
    pub description: Option<String>,
    /// Its arguments, such as `"[--all] NAME"`.
    pub usage: Option<String>,
    /// Other names that it goes by; no other command of the plugin has one of them.
    pub aliases: Vec<String>,
}
