//! Skills: which there are, and their instructions and resources, whether a plugin has code or not.

use keyway::capability::Capability;
use keyway::skill::{Skill, SkillHandle, SkillSpec};
use keyway::{Bytes, ErrorKind, PluginError, Result};

use super::codes;
use crate::content::MAX_RESOURCE_BYTES;
use crate::described::Description;
use crate::error::HostError;
use crate::host::Host;
use crate::plan::Trigger;

/// A skill.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkillRecord {
    /// Its name.
    pub name: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// When to use it, in a sentence.
    pub description: String,
    /// Whether a person may ask for it by its name, as for a command.
    pub user_invocable: bool,
}

/// A skill of a plugin. Cheap to clone, and valid over reloads.
#[derive(Clone, Debug)]
pub struct SkillClient {
    name: String,
    handle: SkillHandle,
}

impl Host {
    /// The skills of all plugins that run, by name; also of those without code.
    pub fn skills(&self) -> Vec<SkillRecord> {
        let members = self.registry().members::<SkillHandle>();
        let skills = members.into_iter().filter_map(|member| {
            let Description::Skill {
                description,
                user_invocable,
            } = member.description
            else {
                return None;
            };
            Some(SkillRecord {
                name: member.name,
                plugin: member.plugin.to_string(),
                description: description.to_string(),
                user_invocable,
            })
        });
        skills.collect()
    }

    /// The skill of this name. Its plugin is started if it waits for being needed.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`](crate::HostErrorKind::NotFound) when no plugin offers it; otherwise what
    /// its plugin failed to start with.
    pub async fn skill(&self, name: &str) -> Result<SkillClient, HostError> {
        let trigger = Trigger::Capability {
            id: SkillHandle::ID,
            name: Some(name),
        };
        if !self.registry().is_offered::<SkillHandle>(name) && self.is_dormant(trigger) {
            self.activate(trigger).await?;
        }
        Ok(SkillClient {
            name: name.to_owned(),
            handle: self.capability(name)?,
        })
    }
}

impl SkillClient {
    /// The skill's instructions, and the tools and resources that they speak of.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when no plugin serves it at the moment, or what the plugin answers.
    pub fn spec(&self) -> Result<SkillSpec> {
        Ok(self.handle.spec()?.0)
    }

    /// One of the skill's resources, of at most 16 MiB.
    ///
    /// Those of a plugin without code are files in its directory, which no link leads out of.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the skill has none of this name, [`ErrorKind::Denied`] with the code
    /// `resource-too-large`, or whatever the plugin answers.
    pub async fn resource(&self, name: &str) -> Result<Bytes> {
        let bytes = self.handle.resource(name).await?;
        if bytes.len() as u64 <= MAX_RESOURCE_BYTES {
            return Ok(bytes);
        }
        let message = format!(
            "the resource `{name}` of skill `{}` is too large: expected at most {MAX_RESOURCE_BYTES} bytes, \
             found {}",
            self.name,
            bytes.len()
        );
        Err(PluginError::of(ErrorKind::Denied, message).code(codes::RESOURCE_TOO_LARGE.id))
    }
}
