//! Plugins without code: what their files say becomes objects of the host's, which serve like those of
//! any other plugin.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway::abi::pass::Json;
use keyway::capability::Provided;
use keyway::skill::{Skill, SkillHandle, SkillSpec};
use keyway::{Bytes, PluginError, Result};
use keyway_manifest::Manifest;

use crate::clock::Clock;
use crate::error::{HostError, HostErrorKind};
use crate::mediate::read_below;

/// The longest file with instructions, in bytes: some hundred pages, which nobody reads at once.
const MAX_SKILL_BYTES: u64 = 256 * 1024;

/// The largest resource, in bytes; as the largest file that a plugin with code reads by default.
pub(crate) const MAX_RESOURCE_BYTES: u64 = 16 * 1024 * 1024;

/// The skills of a plugin by name. The files are read now, those of resources when they are asked for.
pub(crate) fn skills(
    manifest: &Manifest,
    directory: &Path,
    clock: &Arc<Clock>,
) -> std::result::Result<Vec<(String, Provided)>, HostError> {
    let Some(content) = &manifest.content else {
        return Ok(Vec::new());
    };
    let skills = content.named_skills().map(|(name, path)| {
        let spec = read(directory, path).map_err(|error| {
            let doing = format!("reading skill `{name}`");
            HostError::from_plugin(HostErrorKind::Prepare, &doing, error)
        })?;
        let mut named = spec.resources.iter();
        if let Some(unlisted) = named.find(|named| !content.resources.contains(named)) {
            let message = format!(
                "skill `{name}` has the resource `{unlisted}`, which is not among the plugin's files"
            );
            let hint = "list it in `resources` under [plugin.content] in plugin.toml";
            return Err(HostError::new(HostErrorKind::Prepare, message).hint(hint));
        }
        let skill = FileSkill {
            name: name.to_owned(),
            spec,
            directory: directory.to_owned(),
            clock: Arc::clone(clock),
        };
        Ok((name.to_owned(), SkillHandle::provide(skill)))
    });
    skills.collect()
}

fn read(directory: &Path, path: &str) -> Result<SkillSpec> {
    let bytes = read_below(directory, path, MAX_SKILL_BYTES)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| PluginError::invalid_input(format!("{path} is no UTF-8 text")))?;
    SkillSpec::from_markdown(&text).map_err(|error| error.context(format!("{path} does not read")))
}

/// A skill that was read from a file.
struct FileSkill {
    name: String,
    spec: SkillSpec,
    /// Where its resources are.
    directory: PathBuf,
    /// Reads them, where that may take its time.
    clock: Arc<Clock>,
}

impl Skill for FileSkill {
    fn spec(&self) -> Result<Json<SkillSpec>> {
        Ok(Json(self.spec.clone()))
    }

    async fn resource(&self, name: &str) -> Result<Bytes> {
        if !self.spec.resources.iter().any(|own| own == name) {
            let message = format!("skill `{}` has no resource `{name}`", self.name);
            return Err(PluginError::not_found(message));
        }
        let (directory, name) = (self.directory.clone(), name.to_owned());
        let read = move || read_below(&directory, &name, MAX_RESOURCE_BYTES);
        let bytes = self.clock.handle().spawn_blocking(read).await;
        let shutting_down = |_| PluginError::new("the host is shutting down");
        Ok(bytes.map_err(shutting_down)??.into())
    }
}
