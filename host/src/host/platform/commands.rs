//! What manifests say of commands, of plugins that run and of those that do not yet.

use keyway::capability::Capability;
use keyway::command::{CommandHandle, CommandSpec};
use keyway_manifest::CommandText;

use super::Host;
use crate::extension::DeclaredCommand;

impl Host {
    /// What the manifest of a loaded plugin says of one of its commands, by the name under which that is
    /// offered.
    pub(crate) fn command_text(&self, plugin: &str, name: &str) -> Option<CommandText> {
        let serving = self.inner.find(plugin).ok()?.serving();
        let commands = &serving.manifest.commands;
        let own = commands.iter();
        let mut own = own.filter(|(own, _)| serving.options.qualify(own) == name);
        let (_, text) = own.next()?;
        let mut text = text.clone();
        for alias in &mut text.aliases {
            *alias = serving.options.qualify(alias);
        }
        Some(text)
    }

    /// The commands of plugins that are enabled and do not run, in the order in which plugins were found.
    pub(crate) fn commands_to_come(&self) -> Vec<DeclaredCommand> {
        let state = self.inner.catalog.state();
        let plugins = self.inner.plugins();
        let all = state.candidates.iter().zip(&state.decision.enablements);
        let manifests = all
            .filter(|(_, enablement)| enablement.is_enabled())
            .filter_map(|(candidate, _)| candidate.manifest.as_deref())
            .filter(|manifest| !plugins.contains_key(manifest.id.as_str()));
        let declared = manifests.flat_map(|manifest| {
            let names = manifest.capabilities.names(CommandHandle::ID).iter();
            names.map(|name| DeclaredCommand {
                name: name.clone(),
                plugin: manifest.id.to_string(),
                text: manifest.commands.get(name).cloned().unwrap_or_default(),
                spec: CommandSpec::default(),
                skill: false,
                serves: false,
            })
        });
        declared.collect()
    }
}
