//! Whether a plugin fits this host, decided from its file alone.

use keyway::version::{INTERFACE, InterfaceVersion, OLDEST_SUPPORTED_MINOR};
use keyway_manifest::{Isolation, Manifest};
use semver::Version;

use crate::error::{HostError, HostErrorKind};
use crate::finding::{Code, Finding};
use crate::inspect::{Inspection, NoteFacts, PanicStrategy};

/// The host's side of the comparison.
#[derive(Clone, Debug)]
pub(crate) struct HostSide {
    pub(crate) name: String,
    pub(crate) version: Version,
    /// Whether it stands in for every version of the application.
    pub(crate) any_version: bool,
    pub(crate) interface: InterfaceVersion,
    pub(crate) oldest_minor: u16,
    pub(crate) target: &'static str,
}

impl HostSide {
    pub(crate) fn new(name: &str, version: Version) -> Self {
        HostSide {
            name: name.to_owned(),
            version,
            any_version: false,
            interface: INTERFACE,
            oldest_minor: OLDEST_SUPPORTED_MINOR,
            target: keyway::version::TARGET,
        }
    }

    /// Checks everything that the file decides; answers the minor that both sides speak.
    pub(crate) fn check(
        &self,
        inspection: &Inspection,
        note: &NoteFacts,
        manifest: &Manifest,
    ) -> Result<u16, HostError> {
        if let Some(mismatch) = inspection.target_mismatch(self.target) {
            return Err(
                HostError::new(HostErrorKind::Target, mismatch.to_string()).hint(format!(
                    "build the plugin with `cargo build --target {}`",
                    self.target
                )),
            );
        }
        let minor = self.check_static(note, manifest)?;
        if !note.symbol_exported {
            // The dynamic loader would go on to look for it in the libraries that this one needs.
            return Err(HostError::new(
                HostErrorKind::Descriptor,
                format!(
                    "the note names the descriptor `{}`, and the library does not export it",
                    note.symbol
                ),
            )
            .hint("the file was changed after it was built; rebuild the plugin"));
        }
        Ok(minor)
    }

    /// The same for a plugin that is linked into this binary, where there is no file.
    pub(crate) fn check_static(
        &self,
        note: &NoteFacts,
        manifest: &Manifest,
    ) -> Result<u16, HostError> {
        if note.panic == PanicStrategy::Abort {
            return Err(HostError::new(
                HostErrorKind::PanicStrategy,
                "built with panic = \"abort\", so a panic in it would end this process: expected \
                 \"unwind\", found \"abort\"",
            )
            .hint("remove `panic = \"abort\"` from the profile in the plugin's Cargo.toml"));
        }
        let minor = self.check_interface(note)?;
        self.check_manifest(manifest)?;
        Ok(minor)
    }

    /// What there is to say of a plugin that fits.
    pub(crate) fn advisory(&self, note: &NoteFacts) -> Option<Finding> {
        let InterfaceVersion { major, minor } = self.interface;
        (note.built_minor < minor).then(|| {
            OLDER_INTERFACE.finding(format!(
                "built for interface {major}.{}; this host speaks {major}.{minor}",
                note.built_minor
            ))
        })
    }

    /// The same for a plugin without code, of which there is only a manifest.
    pub(crate) fn check_manifest(&self, manifest: &Manifest) -> Result<(), HostError> {
        self.check_host_version(manifest)?;
        check_isolation(manifest)
    }

    fn check_interface(&self, note: &NoteFacts) -> Result<u16, HostError> {
        let refuse = |message: String, hint: String| {
            Err(HostError::new(HostErrorKind::Interface, message).hint(hint))
        };
        let InterfaceVersion { major, minor } = self.interface;
        if note.interface_major != major {
            return refuse(
                format!(
                    "wrong interface major: expected {major}, found {}",
                    note.interface_major
                ),
                format!("rebuild the plugin with a keyway that speaks interface {major}"),
            );
        }
        if note.required_minor > minor {
            return refuse(
                format!(
                    "requires a newer interface: expected at most {major}.{minor}, found {major}.{}",
                    note.required_minor
                ),
                "update the application, or build the plugin with an older keyway, or lower \
                 `required_minor` in export_plugin! if it needs less"
                    .to_owned(),
            );
        }
        if note.built_minor < self.oldest_minor {
            return refuse(
                format!(
                    "built for an interface that is no longer supported: expected at least \
                     {major}.{}, found {major}.{}",
                    self.oldest_minor, note.built_minor
                ),
                "rebuild the plugin with a newer keyway".to_owned(),
            );
        }
        Ok(note.built_minor.min(minor))
    }

    fn check_host_version(&self, manifest: &Manifest) -> Result<(), HostError> {
        // A pre-release of a version counts as that version: 1.4.0-dev has what 1.4.0 has.
        let core = Version::new(self.version.major, self.version.minor, self.version.patch);
        let refuse = |bound: &str, wanted: &Version, key: &str, hint: &str| {
            Err(HostError::new(
                HostErrorKind::HostVersion,
                format!(
                    "wants another version of {}: expected {bound} {wanted} ({key}), found {}",
                    self.name, self.version
                ),
            )
            .hint(hint))
        };
        if self.any_version {
            return Ok(());
        }
        if core < manifest.min_host_version {
            return refuse(
                "at least",
                &manifest.min_host_version,
                "min_host_version",
                "update the application, or use an older version of the plugin",
            );
        }
        match &manifest.max_host_version {
            Some(newest) if core > *newest => refuse(
                "at most",
                newest,
                "max_host_version",
                "use a newer version of the plugin",
            ),
            _ => Ok(()),
        }
    }
}

fn check_isolation(manifest: &Manifest) -> Result<(), HostError> {
    if manifest.isolation == Isolation::Native {
        return Ok(());
    }
    Err(HostError::new(
        HostErrorKind::Isolation,
        format!(
            "asks for isolation = \"{}\", which this host does not have: expected \"native\"",
            manifest.isolation
        ),
    )
    .hint("set isolation = \"native\" in plugin.toml if the plugin may run inside this process"))
}

static OLDER_INTERFACE: Code = Code::advisory(
    "older-interface",
    "The plugin was built for an older minor version of the interface than the host speaks. That is \
     supported: what the newer one has besides, the plugin does not know of.",
    "Nothing is to be done. Build the plugin with a newer keyway to have the rest.",
);

pub(crate) static CODES: &[&Code] = &[&OLDER_INTERFACE];

#[cfg(test)]
mod tests {
    use super::*;

    fn host(version: &str) -> HostSide {
        HostSide {
            interface: InterfaceVersion { major: 1, minor: 4 },
            oldest_minor: 2,
            ..HostSide::new("acme", version.parse().expect("a version"))
        }
    }

    fn note(interface_major: u16, built_minor: u16, required_minor: u16) -> NoteFacts {
        NoteFacts {
            interface_major,
            built_minor,
            required_minor,
            panic: PanicStrategy::Unwind,
            target: String::new(),
            rustc: String::new(),
            symbol: String::new(),
            symbol_exported: true,
            manifest: String::new(),
        }
    }

    fn manifest(bounds: &str) -> Manifest {
        let text = format!("[plugin]\nid = \"x\"\nversion = \"1.0.0\"\n{bounds}\n");
        Manifest::from_toml(&text, "plugin.toml").expect("a valid manifest")
    }

    #[test]
    fn the_interface_rule_is_major_equal_required_at_most_built_at_least() {
        let cases = [
            ((1, 4, 4), Ok(4)),
            ((1, 9, 3), Ok(4)),
            ((1, 2, 2), Ok(2)),
            ((2, 0, 0), Err("wrong interface major: expected 1, found 2")),
            (
                (1, 9, 5),
                Err("requires a newer interface: expected at most 1.4, found 1.5"),
            ),
            (
                (1, 1, 1),
                Err(
                    "built for an interface that is no longer supported: expected at least 1.2, \
                     found 1.1",
                ),
            ),
        ];
        for ((major, built, required), expected) in cases {
            let note = note(major, built, required);
            let found = host("1.0.0").check_interface(&note);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert_eq!(found.message(), expected),
                (found, expected) => panic!("{major}.{built}: {found:?} is not {expected:?}"),
            }
        }
    }

    #[test]
    fn host_bounds_are_inclusive_and_a_prerelease_counts_as_its_release() {
        let bounds = "min_host_version = \"1.4.0\"\nmax_host_version = \"2.0.0\"";
        for (version, fits) in [
            ("1.4.0", true),
            ("1.4.0-dev", true),
            ("1.3.9", false),
            ("2.0.0", true),
            ("2.0.1", false),
            ("2.0.0-rc.1+build", true),
        ] {
            let found = host(version).check_host_version(&manifest(bounds));
            assert_eq!(found.is_ok(), fits, "{version}: {found:?}");
        }
    }

    #[test]
    fn one_that_stands_in_for_every_version_looks_at_no_bounds() {
        let mut host = host("1.0.0");
        host.any_version = true;
        let manifest = manifest("min_host_version = \"2.0.0\"");
        host.check_host_version(&manifest).expect("it is not asked");
    }

    #[test]
    fn isolations_that_do_not_exist_are_refused_by_name() {
        let wasm = manifest("min_host_version = \"1.0.0\"\nisolation = \"wasm\"");
        let error = check_isolation(&wasm).expect_err("there is no wasm here");
        assert_eq!(error.kind(), HostErrorKind::Isolation);
        assert!(
            error.to_string().contains("isolation = \"wasm\""),
            "{error}"
        );
    }
}
