//! Paths among the arguments of a tool: made absolute and checked before the tool sees them.
//!
//! What is checked is where a path leads at that moment. Whoever can change links below the directory
//! while a tool runs can lead it elsewhere, so this keeps honest tools from being led astray by what they
//! are called with, and is no sandbox.

use std::io;
use std::path::{Component, Path, PathBuf};

use keyway::tool::ToolSpec;
use keyway::{ErrorKind, PluginError, Result};
use serde_json::Value;

use super::codes;
use crate::permission::absolute;

/// Makes those arguments absolute that are paths for this call's action; `base` is where relative ones
/// begin, and what none may lead out of.
pub(crate) fn make_absolute(spec: &ToolSpec, base: &Path, arguments: &mut Value) -> Result<()> {
    if spec.path_parameters.is_empty() {
        return Ok(());
    }
    let action = spec.action_parameter.as_deref();
    let action = action.and_then(|parameter| arguments.get(parameter)?.as_str());
    let action = action.map(str::to_owned);
    let base = Base::of(base)?;
    for parameter in &spec.path_parameters {
        if !parameter.applies_to(action.as_deref()) {
            continue;
        }
        let name = &*parameter.argument;
        match arguments.get_mut(name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(paths)) => {
                for path in paths {
                    base.replace(name, path)?;
                }
            }
            Some(path) => base.replace(name, path)?,
        }
    }
    Ok(())
}

struct Base {
    written: PathBuf,
    /// Where that is, whatever links lead there.
    real: PathBuf,
}

impl Base {
    fn of(base: &Path) -> Result<Self> {
        let found = |error: io::Error| {
            let message = format!(
                "the directory of a tool's paths, {}: {error}",
                base.display()
            );
            PluginError::new(message).code(codes::PATH_UNCHECKED.id)
        };
        let written = std::path::absolute(base).map_err(found)?;
        let real = written.canonicalize().map_err(found)?;
        let has_steps_back = written
            .components()
            .any(|part| part == Component::ParentDir);
        // By its text it would be another directory, should a link come before the step back.
        let written = if has_steps_back {
            real.clone()
        } else {
            written
        };
        Ok(Base { written, real })
    }

    fn replace(&self, name: &str, argument: &mut Value) -> Result<()> {
        let Value::String(text) = &*argument else {
            let message = format!("`{name}`: expected a path, or an array of paths");
            return Err(PluginError::invalid_input(message));
        };
        let path = absolute(text, &self.written)
            .map_err(|fault| PluginError::invalid_input(format!("`{name}`: {text:?} {fault}")))?;
        if !path.starts_with(&self.written) || self.leads_outside(name, &path)? {
            let message = format!(
                "`{name}`: {text:?} leads out of {}; expected a path inside of it",
                self.written.display()
            );
            return Err(PluginError::of(ErrorKind::Denied, message).code(codes::PATH_ESCAPES.id));
        }
        let Some(path) = path.to_str() else {
            let message = format!("`{name}`: {} is no Unicode text", path.display());
            return Err(PluginError::invalid_input(message));
        };
        *argument = path.into();
        Ok(())
    }

    /// Whether what there is of a path is elsewhere, by way of a link.
    fn leads_outside(&self, name: &str, path: &Path) -> Result<bool> {
        let unchecked = |error: io::Error| {
            let message = format!("`{name}`: cannot look at {}: {error}", path.display());
            PluginError::of(ErrorKind::Denied, message).code(codes::PATH_UNCHECKED.id)
        };
        for existing in path.ancestors() {
            match existing.symlink_metadata() {
                // What is below of it is still to be made.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unchecked(error)),
                Ok(_) => {
                    return match existing.canonicalize() {
                        Ok(real) => Ok(!real.starts_with(&self.real)),
                        // A link to what is not there: who writes to it would make that, wherever it is.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
                        Err(error) => Err(unchecked(error)),
                    };
                }
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use keyway::tool::PathParameter;
    use serde_json::json;

    use super::*;

    fn spec() -> ToolSpec {
        ToolSpec::new("t", "", json!({}))
            .with_action_parameter("action")
            .with_path(PathParameter::read("from").for_action("copy"))
            .with_path(PathParameter::write("to"))
    }

    /// The arguments afterwards, with the directory as `BASE`; or the error.
    fn made(base: &Path, mut arguments: Value) -> std::result::Result<Value, (String, String)> {
        let shown = |text: String| text.replace(base.to_str().expect("a plain path"), "BASE");
        match make_absolute(&spec(), base, &mut arguments) {
            Ok(()) => Ok(serde_json::from_str(&shown(arguments.to_string())).expect("JSON")),
            Err(error) => Err((
                error.error_code().to_owned(),
                shown(error.message().to_owned()),
            )),
        }
    }

    #[cfg(unix)]
    fn home() -> tempfile::TempDir {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir().expect("a directory");
        let at = |path: &str| home.path().join(path);
        std::fs::create_dir_all(at("base/sub")).expect("a directory");
        std::fs::create_dir(at("base-too")).expect("a directory");
        std::fs::write(at("outside.txt"), "").expect("a file");
        symlink("sub", at("base/inside")).expect("a link");
        symlink("../outside.txt", at("base/out")).expect("a link");
        symlink("..", at("base/up")).expect("a link");
        symlink("../not-yet", at("base/dangling")).expect("a link");
        home
    }

    #[cfg(unix)]
    #[test]
    fn paths_become_absolute_for_the_actions_that_they_belong_to() {
        let home = home();
        let base = home.path().join("base");
        for (given, expected) in [
            (json!({ "to": "a/../b.txt" }), json!({ "to": "BASE/b.txt" })),
            (json!({ "to": "." }), json!({ "to": "BASE" })),
            (
                json!({ "to": ["a", "sub/new/x"] }),
                json!({ "to": ["BASE/a", "BASE/sub/new/x"] }),
            ),
            (
                json!({ "to": "inside/x" }),
                json!({ "to": "BASE/inside/x" }),
            ),
            (
                json!({ "action": "copy", "from": "a", "to": "b", "text": "../c" }),
                json!({ "action": "copy", "from": "BASE/a", "to": "BASE/b", "text": "../c" }),
            ),
            (
                json!({ "action": "move", "from": "../a" }),
                json!({ "action": "move", "from": "../a" }),
            ),
            (json!({ "to": null }), json!({ "to": null })),
        ] {
            assert_eq!(made(&base, given), Ok(expected));
        }
        let around = base.join("../base");
        let same = made(&around, json!({ "to": "x" })).expect("it is the same directory");
        assert_eq!(
            same["to"].as_str().map(Path::new),
            Some(&*base.canonicalize().expect("it is there").join("x"))
        );
        let inside = base.join("x").to_str().expect("a plain path").to_owned();
        assert_eq!(
            made(&base, json!({ "to": inside })),
            Ok(json!({ "to": "BASE/x" }))
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_leads_out_by_name_or_by_link_is_refused() {
        let home = home();
        let base = home.path().join("base");
        for path in [
            "..",
            "../outside.txt",
            "sub/../../outside.txt",
            "/etc/passwd",
            "../base-too/x",
            "out",
            "up/outside.txt",
            "up/base/x/../../y",
            "up/new/x",
            "dangling",
            "dangling/x",
        ] {
            let refused = made(&base, json!({ "to": path }));
            let says = format!("`to`: {path:?} leads out of BASE; expected a path inside of it");
            assert_eq!(refused, Err(("path-escapes".to_owned(), says)), "{path}");
        }
        let refused = made(&base, json!({ "to": ["a", "../b"] }));
        assert_eq!(refused.expect_err("the second does").0, "path-escapes");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_path_is_no_argument() {
        let home = home();
        let base = home.path().join("base");
        for (argument, says) in [
            (json!(7), "`to`: expected a path, or an array of paths"),
            (
                json!([["a"]]),
                "`to`: expected a path, or an array of paths",
            ),
            (json!(""), "`to`: \"\" is empty"),
            (json!("a\0b"), "`to`: \"a\\0b\" contains a zero byte"),
        ] {
            let refused = made(&base, json!({ "to": argument }));
            assert_eq!(refused, Err(("invalid-input".to_owned(), says.to_owned())));
        }
        let (code, says) = made(&base.join("gone"), json!({ "to": "a" })).expect_err("it is gone");
        assert_eq!(code, "path-unchecked");
        assert!(
            says.starts_with("the directory of a tool's paths, BASE"),
            "{says}"
        );
    }
}
