//! The keys that a table may have, and the help for one that it may not.

use super::suggest;

/// The keys of one table.
#[derive(Debug)]
pub struct Keys {
    /// The keys that messages list.
    pub listed: &'static [&'static str],
    /// Other names of some of them, which are accepted as well.
    pub aliases: &'static [&'static str],
    /// Other tables with their keys, for a key that is in the wrong table.
    pub elsewhere: &'static [(&'static str, &'static [&'static str])],
}

/// What the author probably meant by an unknown key.
#[derive(Debug, PartialEq, Eq)]
pub enum Meant {
    /// Another key of the same table.
    Key(&'static str),
    /// This very key of another table.
    Elsewhere(String),
    /// Nobody knows.
    Unclear,
}

impl Keys {
    /// Keys without aliases or relatives.
    #[must_use]
    pub const fn plain(listed: &'static [&'static str]) -> Self {
        Self {
            listed,
            aliases: &[],
            elsewhere: &[],
        }
    }

    /// Whether the key is one of them, under whatever name.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.all().any(|known| known == key)
    }

    /// The expected keys as a fragment of a message.
    #[must_use]
    pub fn expected(&self) -> String {
        match self.listed {
            [only] => format!("only {only}"),
            several => format!("one of {}", several.join(", ")),
        }
    }

    /// What an unknown key was probably meant to be.
    #[must_use]
    pub fn meant_by(&self, key: &str) -> Meant {
        let relative = self.elsewhere.iter().find(|(_, keys)| keys.contains(&key));
        if let Some((table, _)) = relative {
            return Meant::Elsewhere(format!("{table}.{key}"));
        }
        suggest::closest(key, self.all()).map_or(Meant::Unclear, Meant::Key)
    }

    fn all(&self) -> impl Iterator<Item = &'static str> {
        self.listed.iter().chain(self.aliases).copied()
    }
}

impl Meant {
    /// The question whether it was that.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Key(key) => Some(suggest::did_you_mean(key)),
            Self::Elsewhere(path) => Some(suggest::did_you_mean(path)),
            Self::Unclear => None,
        }
    }
}
