//! Plugins as lines of text, and resolutions as text.

use std::fmt::Write;

use semver::{Version, VersionReq};

use crate::resolve::{Dependency, Requirement, Resolution, Subject, resolve};

/// What a [`Subject`] borrows.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) id: String,
    pub(super) version: Version,
    /// With whether it is optional.
    pub(super) dependencies: Vec<(String, VersionReq, bool)>,
    /// Capability, name, and whether it is optional.
    pub(super) requires: Vec<(String, Option<String>, bool)>,
    pub(super) provides: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) specs: Vec<Spec>,
}

impl World {
    /// One plugin in each line: `id version | needs ID RANGE | can-use ID RANGE | requires CAPABILITY
    /// [NAME] | can-require CAPABILITY [NAME] | offers CAPABILITY NAME`.
    pub(super) fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        World {
            specs: lines.map(spec).collect(),
        }
    }

    pub(super) fn subjects(&self) -> Vec<Subject<'_>> {
        self.specs.iter().map(Spec::subject).collect()
    }

    pub(super) fn resolve(&self) -> Resolution {
        resolve(&self.subjects(), &[])
    }

    /// One line for each level and for each finding.
    pub(super) fn report(&self) -> String {
        let resolution = self.resolve();
        let mut text = String::new();
        for (number, level) in resolution.levels().enumerate() {
            let _ = writeln!(text, "{number}: {}", level.join(" "));
        }
        let blocked = resolution.blocked().values().flatten();
        for finding in blocked.chain(resolution.notes()) {
            let plugin = finding.plugin.as_deref().unwrap_or_default();
            let (severity, code) = (finding.severity(), finding.code);
            let _ = write!(text, "{plugin}: {severity} {code}: {}", finding.message);
            let hint = finding.hint.iter();
            hint.for_each(|hint| text += &format!("; hint: {hint}"));
            text.push('\n');
        }
        text
    }
}

fn spec(line: &str) -> Spec {
    let mut parts = line.split('|').map(str::trim);
    let (id, version) = parts
        .next()
        .and_then(|head| head.split_once(' '))
        .expect("an id and a version");
    let mut spec = Spec {
        id: id.to_owned(),
        version: version.parse().expect("a version"),
        dependencies: Vec::new(),
        requires: Vec::new(),
        provides: Vec::new(),
    };
    for part in parts {
        let (verb, rest) = part.split_once(' ').expect("a verb and an object");
        let (object, further) = rest.split_once(' ').unwrap_or((rest, ""));
        let (object, optional) = (object.to_owned(), verb.starts_with("can-"));
        match verb {
            "needs" | "can-use" => {
                let versions = further.parse().expect("a version requirement");
                spec.dependencies.push((object, versions, optional));
            }
            "requires" | "can-require" => {
                let name = (!further.is_empty()).then(|| further.to_owned());
                spec.requires.push((object, name, optional));
            }
            "offers" => spec.provides.push((object, further.to_owned())),
            other => panic!("{other:?} is no verb"),
        }
    }
    spec
}

impl Spec {
    fn subject(&self) -> Subject<'_> {
        let dependencies = self.dependencies.iter();
        let dependencies = dependencies.map(|(id, versions, optional)| Dependency {
            id,
            versions,
            optional: *optional,
        });
        let requires = self.requires.iter();
        let requires = requires.map(|(capability, name, optional)| Requirement {
            capability,
            major: 1,
            name: name.as_deref(),
            optional: *optional,
        });
        let provides = self.provides.iter();
        Subject {
            id: &self.id,
            version: &self.version,
            dependencies: dependencies.collect(),
            requires: requires.collect(),
            provides: provides
                .map(|(id, name)| (id.as_str(), name.as_str()))
                .collect(),
        }
    }
}
