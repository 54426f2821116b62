//! Writes the canonical JSON of a manifest.
//!
//! The form is fixed: keys in the order of the model, maps in the order of their keys, no blanks,
//! nothing that is absent or the default. Equal manifests therefore have equal hashes.

mod json;

use self::json::Object;
use crate::capability::kind_key;
use crate::{
    Access, Activation, Capabilities, CommandText, ConfigField, ConfigType, ConfigValue, Content,
    Dependency, Filesystem, Isolation, Manifest, Permissions, Reload, ReloadPolicy, Requirement,
    Resources,
};

pub(crate) fn manifest(manifest: &Manifest) -> String {
    let mut out = String::new();
    let mut root = Object::open(&mut out);
    let mut plugin = root.object("plugin");
    plugin.string("id", manifest.id.as_str());
    plugin.string("version", &manifest.version.to_string());
    plugin.optional_string("description", manifest.description.as_deref());
    if !manifest.authors.is_empty() {
        plugin.strings("authors", &manifest.authors);
    }
    plugin.optional_string("license", manifest.license.as_deref());
    plugin.optional_string("homepage", manifest.homepage.as_deref());
    plugin.string("min_host_version", &manifest.min_host_version.to_string());
    let max_host_version = manifest.max_host_version.as_ref().map(ToString::to_string);
    plugin.optional_string("max_host_version", max_host_version.as_deref());
    if manifest.isolation != Isolation::default() {
        plugin.string("isolation", manifest.isolation.as_str());
    }
    if !manifest.capabilities.is_empty() {
        capabilities(plugin.object("capabilities"), &manifest.capabilities);
    }
    if !manifest.commands.is_empty() {
        let mut object = plugin.object("commands");
        for (name, text) in &manifest.commands {
            command(object.object(name), text);
        }
        object.close();
    }
    if !manifest.requires.is_empty() {
        let mut object = plugin.object("requires");
        for (id, needed) in &manifest.requires {
            requirement(&mut object, kind_key(id).unwrap_or(id), needed);
        }
        object.close();
    }
    if !manifest.dependencies.is_empty() {
        let mut object = plugin.object("dependencies");
        for (id, needed) in &manifest.dependencies {
            dependency(&mut object, id.as_str(), needed);
        }
        object.close();
    }
    if manifest.activation != Activation::default() {
        activation(plugin.object("activation"), &manifest.activation);
    }
    if !manifest.permissions.is_empty() {
        permissions(plugin.object("permissions"), &manifest.permissions);
    }
    if !manifest.config.is_empty() {
        let mut object = plugin.object("config");
        for (name, field) in &manifest.config {
            config_field(object.object(name), field);
        }
        object.close();
    }
    if manifest.resources != Resources::default() {
        resources(plugin.object("resources"), &manifest.resources);
    }
    if manifest.reload != Reload::default() {
        reload(plugin.object("reload"), &manifest.reload);
    }
    if let Some(files) = &manifest.content {
        content(plugin.object("content"), files);
    }
    plugin.close();
    if let Some(package) = &manifest.package {
        let mut build = root.object("build");
        build.string("package", package);
        build.close();
    }
    root.close();
    out
}

fn capabilities(mut object: Object<'_>, capabilities: &Capabilities) {
    for id in capabilities.ids() {
        object.strings(kind_key(id).unwrap_or(id), capabilities.names(id));
    }
    object.close();
}

fn command(mut object: Object<'_>, text: &CommandText) {
    object.optional_string("description", text.description.as_deref());
    object.optional_string("usage", text.usage.as_deref());
    if !text.aliases.is_empty() {
        object.strings("aliases", &text.aliases);
    }
    object.close();
}

fn requirement(requires: &mut Object<'_>, key: &str, requirement: &Requirement) {
    let major = requirement.major.to_string();
    if requirement.name.is_none() && !requirement.optional {
        requires.raw(key, &major);
        return;
    }
    let mut object = requires.object(key);
    object.raw("version", &major);
    object.optional_string("name", requirement.name.as_deref());
    if requirement.optional {
        object.raw("optional", "true");
    }
    object.close();
}

fn activation(mut object: Object<'_>, activation: &Activation) {
    if !activation.startup {
        object.raw("startup", "false");
    }
    if !activation.on.is_empty() {
        let triggers: Vec<String> = activation.on.iter().map(ToString::to_string).collect();
        object.strings("on", &triggers);
    }
    object.close();
}

fn dependency(dependencies: &mut Object<'_>, id: &str, dependency: &Dependency) {
    let requirement = dependency.requirement.to_string();
    if !dependency.optional {
        dependencies.string(id, &requirement);
        return;
    }
    let mut object = dependencies.object(id);
    object.string("version", &requirement);
    object.raw("optional", "true");
    object.close();
}

fn permissions(mut object: Object<'_>, permissions: &Permissions) {
    access(&mut object, "network", &permissions.network);
    let Filesystem { read, write } = &permissions.filesystem;
    if read.is_all() && write.is_all() {
        object.raw("filesystem", "true");
    } else if !(read.is_none() && write.is_none()) {
        let mut filesystem = object.object("filesystem");
        access(&mut filesystem, "read", read);
        access(&mut filesystem, "write", write);
        filesystem.close();
    }
    if !permissions.env.is_empty() {
        object.strings("env", &permissions.env);
    }
    access(&mut object, "subprocess", &permissions.subprocess);
    object.close();
}

fn access(object: &mut Object<'_>, key: &str, access: &Access) {
    match access {
        Access::None => {}
        Access::Only(patterns) => object.strings(key, patterns),
        Access::All => object.raw(key, "true"),
    }
}

fn config_field(mut object: Object<'_>, field: &ConfigField) {
    object.string("type", field.ty.name());
    match &field.ty {
        ConfigType::String | ConfigType::Boolean | ConfigType::Secret => {}
        ConfigType::Integer { min, max } => {
            bounds(
                &mut object,
                min.map(ConfigValue::Integer),
                max.map(ConfigValue::Integer),
            );
        }
        ConfigType::Number { min, max } => {
            bounds(
                &mut object,
                min.map(ConfigValue::Number),
                max.map(ConfigValue::Number),
            );
        }
        ConfigType::Array { items } => object.string("items", items.as_str()),
        ConfigType::Enum { values } => object.strings("values", values),
    }
    if field.required {
        object.raw("required", "true");
    }
    if let Some(default) = &field.default {
        object.raw("default", &value(default));
    }
    object.optional_string("env", field.env.as_deref());
    object.optional_string("description", field.description.as_deref());
    if field.reload != ReloadPolicy::default() {
        object.string("reload", field.reload.as_str());
    }
    object.close();
}

fn bounds(object: &mut Object<'_>, min: Option<ConfigValue>, max: Option<ConfigValue>) {
    for (key, bound) in [("min", min), ("max", max)] {
        if let Some(bound) = bound {
            object.raw(key, &value(&bound));
        }
    }
}

fn value(config_value: &ConfigValue) -> String {
    match config_value {
        ConfigValue::String(string) => json::string(string),
        ConfigValue::Integer(integer) => integer.to_string(),
        // The shortest form that reads back to the same number, and never looks like an integer.
        ConfigValue::Number(number) => format!("{number:?}"),
        ConfigValue::Boolean(boolean) => boolean.to_string(),
        ConfigValue::Array(values) => json::array(values.iter().map(value)),
    }
}

fn resources(mut object: Object<'_>, resources: &Resources) {
    for (key, limit) in Resources::KEYS.iter().zip(resources.values()) {
        if let Some(limit) = limit {
            object.raw(key, &limit.to_string());
        }
    }
    object.close();
}

fn reload(mut object: Object<'_>, reload: &Reload) {
    let default = Reload::default();
    if reload.mode != default.mode {
        object.string("mode", reload.mode.as_str());
    }
    if reload.state != default.state {
        object.string("state", reload.state.as_str());
    }
    if reload.max_state_bytes != default.max_state_bytes {
        object.raw("max_state_bytes", &reload.max_state_bytes.to_string());
    }
    if reload.thread_locals != default.thread_locals {
        object.string("thread_locals", reload.thread_locals.as_str());
    }
    object.close();
}

fn content(mut object: Object<'_>, content: &Content) {
    for (key, paths) in [
        ("skills", &content.skills),
        ("resources", &content.resources),
    ] {
        if !paths.is_empty() {
            object.strings(key, paths);
        }
    }
    object.close();
}
