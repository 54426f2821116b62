//! Whether an id belongs to whoever uses it, as far as a library can tell.

use keyway_manifest::Manifest;

use super::codes;
use crate::finding::Finding;

/// The warning `id-not-package`, if the id of a plugin is neither the name of the cargo package that it was
/// built from nor the last part of that.
pub fn unanchored(manifest: &Manifest) -> Option<Finding> {
    let package = manifest.package.as_ref();
    let package = package.filter(|_| !manifest.is_anchored())?;
    let id = &manifest.id;
    let message = format!(
        "the id `{id}` is not that of its package: expected a package `{id}` or one that ends in `-{id}`, \
         found `{package}`"
    );
    let hint =
        format!("if this is your plugin: name its package `{id}`, or change `id` in plugin.toml");
    Some(codes::ID_NOT_PACKAGE.finding(message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(id: &str, package: Option<&str>) -> Manifest {
        let text =
            format!("[plugin]\nid = \"{id}\"\nversion = \"1.0.0\"\nmin_host_version = \"1.0.0\"");
        let mut manifest = Manifest::from_toml(&text, "plugin.toml").expect("a manifest");
        manifest.package = package.map(str::to_owned);
        manifest
    }

    #[test]
    fn an_id_is_the_name_of_its_package_or_the_last_part_of_that() {
        for (id, package) in [
            ("weather", "weather"),
            ("weather", "acme-weather"),
            ("image-filter", "acme_image_filter"),
            ("filter", "acme-image-filter"),
        ] {
            assert_eq!(unanchored(&plugin(id, Some(package))), None, "{package}");
        }
        for package in ["whether", "acme-weathers", "myweather", "weather-acme"] {
            assert!(
                unanchored(&plugin("weather", Some(package))).is_some(),
                "{package}"
            );
        }
        assert_eq!(
            unanchored(&plugin("weather", None)),
            None,
            "nobody can tell"
        );
    }

    #[test]
    fn the_warning_names_both_and_says_what_to_do() {
        let found = unanchored(&plugin("weather", Some("stormy"))).expect("it is not");
        assert_eq!(found.code.id, "id-not-package");
        assert_eq!(
            found.to_string(),
            "the id `weather` is not that of its package: expected a package `weather` or one that ends \
             in `-weather`, found `stormy`; hint: if this is your plugin: name its package `weather`, or \
             change `id` in plugin.toml"
        );
    }
}
