//! Reads a skill from Markdown with front matter.

use super::SkillSpec;
use crate::error::{PluginError, Result};

/// The line before and after the front matter.
const FENCE: &str = "---";

/// One of a skill's lists.
type List = fn(&mut SkillSpec) -> &mut Vec<String>;

pub(super) fn read(text: &str) -> Result<SkillSpec> {
    // Editors on Windows start a file with it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut skill = SkillSpec::default();
    let mut lines = text.split_inclusive('\n');
    let mut read = 0;
    if text.lines().next().map(str::trim_end) == Some(FENCE) {
        read += lines.next().map_or(0, str::len);
        let mut number = 1;
        let mut open = None;
        loop {
            let Some(line) = lines.next() else {
                return Err(PluginError::invalid_input(
                    "line 1: the front matter has no end; expected a line `---` after it",
                ));
            };
            read += line.len();
            number += 1;
            if line.trim_end() == FENCE {
                break;
            }
            set(&mut skill, &mut open, line).map_err(|problem| {
                PluginError::invalid_input(format!("line {number}: {problem}"))
            })?;
        }
    }
    text[read..].clone_into(&mut skill.instructions);
    Ok(skill)
}

/// Reads one line of the front matter. `open` is the list that lines with `-` add to.
fn set(
    skill: &mut SkillSpec,
    open: &mut Option<List>,
    line: &str,
) -> std::result::Result<(), String> {
    let is_below_a_key = line.starts_with([' ', '\t', '-', '#']);
    if is_below_a_key || line.trim().is_empty() {
        if let (Some(list), Some(item)) = (open, line.trim().strip_prefix("- ")) {
            list(skill).push(unquoted(item.trim()).to_owned());
        }
        return Ok(());
    }
    let (key, value) = line
        .split_once(':')
        .ok_or_else(|| format!("expected `key: value`, found `{}`", line.trim_end()))?;
    let (key, value) = (key.trim_end(), value.trim());
    *open = match key {
        "tools" => Some(|skill| &mut skill.tools),
        "resources" => Some(|skill| &mut skill.resources),
        _ => None,
    };
    match (key, *open) {
        (_, Some(list)) => list(skill).extend(items(value)),
        ("description", _) if value.starts_with(['>', '|']) => {
            return Err("`description`: expected text on this line".to_owned());
        }
        ("description", _) => unquoted(value).clone_into(&mut skill.description),
        ("user-invocable", _) => {
            skill.user_invocable = value.parse().map_err(|_| {
                format!("`user-invocable`: expected true or false, found `{value}`")
            })?;
        }
        _ => {}
    }
    Ok(())
}

/// The elements of a list in one line.
fn items(value: &str) -> impl Iterator<Item = String> {
    let inner = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(value);
    let names = inner.split(',').map(|name| unquoted(name.trim()));
    names.filter(|name| !name.is_empty()).map(str::to_owned)
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_front_matter_is_all_instructions() {
        for text in ["", "# Review\n---\nx\n", "----\nx"] {
            assert_eq!(read(text).unwrap(), SkillSpec::new("", text));
        }
    }

    #[test]
    fn front_matter_is_read_and_what_is_not_known_is_passed_over() {
        let text = "\u{feff}---\r\n# a comment\r\nname: review\r\ndescription: 'When: a change'\r\n\
            tools: diff, \"comment\"\r\nresources:\r\n  - \"a b\"\r\n- c\r\nmetadata:\r\n  - x\r\n- y\r\n\r\n\
            user-invocable: true\r\n---  \r\nRead.\r\n---\r\n";
        let expected = SkillSpec::new("When: a change", "Read.\r\n---\r\n")
            .with_tool("diff")
            .with_tool("comment")
            .with_resource("a b")
            .with_resource("c")
            .with_user_invocable(true);
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn front_matter_that_cannot_be_read_is_an_error_with_its_line() {
        for (text, message) in [
            (
                "---\ndescription: x\n",
                "line 1: the front matter has no end; expected a line `---` after it",
            ),
            (
                "---\n\nreview\n---\n",
                "line 3: expected `key: value`, found `review`",
            ),
            (
                "---\ndescription: >\n  Folded.\n---\n",
                "line 2: `description`: expected text on this line",
            ),
            (
                "---\nuser-invocable: maybe\n---\n",
                "line 2: `user-invocable`: expected true or false, found `maybe`",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().message(), message);
        }
    }
}
