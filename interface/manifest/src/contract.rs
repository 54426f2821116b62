//! Whether a plugin registers what its manifest declares: the two lists side by side, and where they
//! differ.

use std::fmt;

use crate::{Capabilities, kind_key};

/// What a plugin registered, held against what its manifest declares.
///
/// A host refuses a plugin that registers more than it declares, and warns of one that registers less.
///
/// ```
/// # let text = "[plugin]\nid = \"greeter\"\nversion = \"0.1.0\"\nmin_host_version = \"0.1.0\"\n\n\
/// #     [plugin.capabilities]\ntools = [\"greet\"]\n";
/// # let manifest = keyway_manifest::Manifest::from_toml(text, "plugin.toml")?;
/// assert!(manifest.capabilities.contract([("keyway.tool", "greet")]).is_kept());
///
/// let contract = manifest.capabilities.contract([("keyway.tool", "welcome")]);
/// assert_eq!(
///     contract.to_string(),
///     "registered is not what plugin.toml declares under [plugin.capabilities]\n\
///      \x20 - keyway.tool `greet`: declared in `tools`, and not registered\n\
///      \x20 + keyway.tool `welcome`: registered, and not declared in `tools`"
/// );
/// # Ok::<(), keyway_manifest::ManifestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use = "it says whether the two agree"]
pub struct Contract {
    /// What is registered without being declared, as capability id and name, in the order in which it was
    /// registered.
    pub undeclared: Vec<(String, String)>,
    /// What is declared and was not registered, in the order of the manifest.
    pub missing: Vec<(String, String)>,
}

impl Contract {
    /// Whether everything that is declared is registered, and nothing else.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.undeclared.is_empty() && self.missing.is_empty()
    }

    /// For tests: ends one with the difference, if there is any.
    ///
    /// # Panics
    ///
    /// When the two lists differ.
    #[track_caller]
    pub fn assert_kept(&self) {
        assert!(self.is_kept(), "{self}");
    }
}

/// One line for each difference, as in a diff from the manifest to what was registered.
impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_kept() {
            return f.write_str("what is registered is what plugin.toml declares");
        }
        f.write_str("registered is not what plugin.toml declares under [plugin.capabilities]")?;
        for (id, name) in &self.missing {
            let key = kind_key(id).unwrap_or(id);
            write!(
                f,
                "\n  - {id} `{name}`: declared in `{key}`, and not registered"
            )?;
        }
        for (id, name) in &self.undeclared {
            let key = kind_key(id).unwrap_or(id);
            write!(
                f,
                "\n  + {id} `{name}`: registered, and not declared in `{key}`"
            )?;
        }
        Ok(())
    }
}

impl Capabilities {
    /// Compares with what a plugin has registered, given as capability id and name.
    pub fn contract<'a>(
        &self,
        registered: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Contract {
        let registered: Vec<(&str, &str)> = registered.into_iter().collect();
        let owned = |(id, name): (&str, &str)| (id.to_owned(), name.to_owned());
        let undeclared = registered.iter().copied();
        let undeclared = undeclared.filter(|(id, name)| !self.declares(id, name));
        let missing = self
            .declared()
            .filter(|declared| !registered.contains(declared));
        Contract {
            undeclared: undeclared.map(owned).collect(),
            missing: missing.map(owned).collect(),
        }
    }
}
