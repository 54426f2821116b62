//! The settings that a plugin takes, as a schema.
//!
//! A constraint lives in the type that it belongs to, so a field with a range is a number, and one
//! with choices is an enum.

use std::fmt;

/// The schema of one setting.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConfigField {
    /// What values it takes.
    pub ty: ConfigType,
    /// Whether the plugin cannot start without a value; then there is no default.
    pub required: bool,
    /// The value when none is given; it satisfies `ty`.
    pub default: Option<ConfigValue>,
    /// The environment variable that is read when the host's config has no value.
    pub env: Option<String>,
    /// What it is for, for people.
    pub description: Option<String>,
    /// What a changed value needs to take effect.
    pub reload: ReloadPolicy,
}

/// The type of a setting with the constraints of that type. Bounds are inclusive.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ConfigType {
    /// Any text.
    String,
    /// A whole number.
    Integer {
        /// The least value.
        min: Option<i64>,
        /// The greatest value.
        max: Option<i64>,
    },
    /// A finite number.
    Number {
        /// The least value.
        min: Option<f64>,
        /// The greatest value.
        max: Option<f64>,
    },
    /// True or false.
    Boolean,
    /// A list with elements of one type.
    Array {
        /// The type of each element.
        items: ItemType,
    },
    /// One of several texts.
    Enum {
        /// The choices: at least one, and all different.
        values: Vec<String>,
    },
    /// A text that is never shown; it has no default, which anyone could read in the binary.
    Secret,
}

impl ConfigType {
    /// The names of all types, in the order in which messages list them.
    pub(crate) const NAMES: [&'static str; 7] = [
        "string", "integer", "number", "boolean", "array", "enum", "secret",
    ];

    /// The name of the type as it is written in a manifest.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer { .. } => "integer",
            Self::Number { .. } => "number",
            Self::Boolean => "boolean",
            Self::Array { .. } => "array",
            Self::Enum { .. } => "enum",
            Self::Secret => "secret",
        }
    }
}

/// The type of the elements of an array setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ItemType {
    /// Texts.
    String,
    /// Whole numbers.
    Integer,
    /// Finite numbers.
    Number,
    /// True or false.
    Boolean,
}

impl ItemType {
    /// Every value, in the order in which messages list them.
    pub const ALL: [Self; 4] = [Self::String, Self::Integer, Self::Number, Self::Boolean];

    /// The name of the type as it is written in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

impl fmt::Display for ItemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value of a setting.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ConfigValue {
    /// A text, also the choice of an enum.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A list with elements of one type.
    Array(Vec<ConfigValue>),
}

/// What a changed setting needs to take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ReloadPolicy {
    /// The plugin takes the change while it runs.
    Hot,
    /// A new instance has to be started. This is the default: no plugin is handed a change that it
    /// did not say it can take.
    #[default]
    Restart,
}

impl ReloadPolicy {
    /// Every value, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::Hot, Self::Restart];

    /// The value as it is written in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Restart => "restart",
        }
    }
}

impl fmt::Display for ReloadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
