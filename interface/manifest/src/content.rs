//! What a plugin without code consists of.

/// The files of a plugin that has no library.
///
/// All paths are relative to the directory of `plugin.toml`, with `/` between their parts, and stay
/// inside of it as far as their text goes. Whether a link leads out is for whoever opens them to see.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Content {
    /// The files with instructions, one per skill.
    pub skills: Vec<String>,
    /// Other files that the skills refer to.
    pub resources: Vec<String>,
}

impl Content {
    /// Every skill as (name, path), in the order of the manifest. The names are all different.
    pub fn named_skills(&self) -> impl Iterator<Item = (&str, &str)> {
        self.skills
            .iter()
            .map(|path| (skill_name(path), path.as_str()))
    }
}

/// The name of the skill in a file: that of the file without its extension, or of the directory
/// where the file is called `SKILL.md`.
pub(crate) fn skill_name(path: &str) -> &str {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or(path);
    if let ("SKILL.md", Some(directory)) = (file, parts.next()) {
        return directory;
    }
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}
