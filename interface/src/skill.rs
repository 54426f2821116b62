//! Skills: instructions that are handed to whoever does the work, with the tools to do it with.

mod markdown;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::abi::pass::Json;
use crate::error::{PluginError, Result};

/// What a skill is.
///
/// It is itself a [`Skill`], so a skill whose text is known when the plugin is built needs no type
/// of its own: `activation.skill("review", SkillSpec::from_markdown(include_str!("review.md"))?)?`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SkillSpec {
    /// When to use it, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What to do, as Markdown.
    pub instructions: String,
    /// The names of the tools that the instructions speak of.
    #[serde(default)]
    pub tools: Vec<String>,
    /// The names of what [`Skill::resource`] answers.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Whether a person may ask for it by its name, as for a command.
    #[serde(default)]
    pub user_invocable: bool,
}

impl SkillSpec {
    /// A skill without tools and resources.
    pub fn new(description: impl Into<String>, instructions: impl Into<String>) -> Self {
        SkillSpec {
            description: description.into(),
            instructions: instructions.into(),
            ..SkillSpec::default()
        }
    }

    /// Reads a skill from Markdown with front matter:
    ///
    /// ```
    /// use keyway::skill::SkillSpec;
    ///
    /// let skill = SkillSpec::from_markdown(
    ///     "---\n\
    ///      description: How to review a change\n\
    ///      tools: [diff, comment]\n\
    ///      user-invocable: true\n\
    ///      ---\n\
    ///      Read the *whole* change first.\n",
    /// )?;
    /// assert_eq!(skill.tools, ["diff", "comment"]);
    /// assert_eq!(skill.instructions, "Read the *whole* change first.\n");
    /// # Ok::<(), keyway::PluginError>(())
    /// ```
    ///
    /// The front matter is optional. In it `description`, `tools`, `resources` and `user-invocable`
    /// are read. A list stands in the line of its key, with or without brackets, or in lines below
    /// that start with `-`. Other keys, and what is indented below them, are passed over, since other
    /// programs have theirs in the same files.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with the line where the front
    /// matter cannot be read, or has no end.
    pub fn from_markdown(text: &str) -> Result<Self> {
        markdown::read(text)
    }

    /// The same with one tool more.
    #[must_use]
    pub fn with_tool(mut self, tool: impl Into<String>) -> Self {
        self.tools.push(tool.into());
        self
    }

    /// The same with one resource more.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// The same, which a person may ask for or not.
    #[must_use]
    pub fn with_user_invocable(mut self, user_invocable: bool) -> Self {
        self.user_invocable = user_invocable;
        self
    }
}

/// The extension point of skills.
#[keyway_macros::capability(id = "keyway.skill", version = 1)]
pub trait Skill: Send + Sync {
    /// Describes the skill. The host asks whenever it is about to use it, and for its lists once per
    /// version of the plugin.
    fn spec(&self) -> Result<Json<SkillSpec>>;

    /// One of the skill's resources. By default there are none, and this is a not-found error.
    async fn resource(&self, name: &str) -> Result<Bytes> {
        Err(PluginError::not_found(format!(
            "the skill has no resource `{name}`"
        )))
    }
}

impl Skill for SkillSpec {
    fn spec(&self) -> Result<Json<SkillSpec>> {
        Ok(Json(self.clone()))
    }
}
