//! What a plugin registered: whether it may, and how it is called.

use std::sync::Arc;

use keyway::abi::root::Registrations;
use keyway::capability::{Capability, Owner, Provided, Target};
use keyway::tool::{Tool, ToolHandle};
use keyway_manifest::Manifest;

use super::load::LoadOptions;
use crate::boundary;
use crate::error::{HostError, HostErrorKind};
use crate::registry::{Key, Offer};
use crate::tool::ToolFacts;

/// Whether a plugin registered what its manifest says: more is an error, less a warning.
pub(super) fn check_declared(
    manifest: &Manifest,
    registrations: &Registrations,
    warnings: &mut Vec<String>,
) -> Result<(), HostError> {
    let is_registered = |id: &str, name: &str| {
        registrations
            .0
            .iter()
            .any(|(other, provided)| other == name && provided.layout().id() == id)
    };
    for (name, provided) in &registrations.0 {
        let id = provided.layout().id();
        if manifest.capabilities.declares(id, name) {
            continue;
        }
        let declared = manifest.capabilities.names(id);
        let mut message = format!("registered {id} `{name}`, which its manifest does not declare");
        if !declared.is_empty() {
            let declared = declared.join(", ");
            message = format!("{message}: expected {declared}, found `{name}`");
        }
        let left_over = declared.iter().map(String::as_str);
        let left_over = left_over.filter(|declared| !is_registered(id, declared));
        let slip = crate::suggest::suggestion(name, left_over)
            .map(|similar| format!("did you mean `{similar}`? else "))
            .unwrap_or_default();
        let key = keyway_manifest::kind_key(id).unwrap_or(id);
        return Err(
            HostError::new(HostErrorKind::Registration, message).hint(format!(
                "{slip}add \"{name}\" to `{key}` under [plugin.capabilities] in plugin.toml"
            )),
        );
    }
    for (id, name) in manifest.capabilities.declared() {
        if !is_registered(id, name) {
            warnings.push(format!(
                "its manifest declares {id} `{name}`, which it did not register; register it in \
                 activate, or take it out of plugin.toml"
            ));
        }
    }
    Ok(())
}

pub(super) fn offer(
    options: &LoadOptions,
    name: &str,
    provided: Provided,
    owner: &Arc<dyn Owner>,
) -> Result<Offer, HostError> {
    let (entry, layout) = boundary::entry(provided, Arc::clone(owner));
    let key = Key {
        id: layout.id().to_owned(),
        major: layout.major(),
        name: options.qualify(name),
    };
    if (&*key.id, key.major) != (ToolHandle::ID, ToolHandle::MAJOR) {
        return Ok(Offer {
            key,
            entry: Arc::new(entry),
            layout,
            tool: None,
        });
    }
    ToolHandle::LAYOUT
        .check(layout)
        .map_err(|error| HostError::layout(&error))?;
    let entry = Arc::new(entry);
    let tool = ToolHandle::from_target(Target::fixed(Arc::clone(&entry)));
    let spec = tool.spec().map_err(|error| {
        HostError::from_plugin(
            HostErrorKind::Registration,
            &format!("describing tool `{name}`"),
            error,
        )
    })?;
    let facts = ToolFacts::new(name, spec.0)?;
    Ok(Offer {
        key,
        entry,
        layout,
        tool: Some(Arc::new(facts)),
    })
}
