//! What becomes of a setting that changes while the host runs.

use std::fmt;

use keyway_manifest::ReloadPolicy;

/// What a host does about settings of plugins that change while it runs: `host.strategy`.
///
/// Each setting says in its plugin's manifest what a change needs, `reload = "hot"` or `"restart"`;
/// the strategy says how far the host goes by itself.
///
/// | strategy | a `hot` setting | a `restart` setting |
/// |---|---|---|
/// | `hybrid` | is applied | the plugin is reloaded |
/// | `hot` | is applied | is reported, and waits for a restart |
/// | `restart` | the plugin is reloaded | the plugin is reloaded |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// What can be taken while the plugin runs is; for the rest the plugin is reloaded.
    #[default]
    Hybrid,
    /// No plugin is reloaded for a setting: for hosts that start new instances only when somebody
    /// asks for it.
    Hot,
    /// A plugin is reloaded for every change, so that what runs was always started with the settings that
    /// it has.
    Restart,
}

impl Strategy {
    /// Every value, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Hybrid, Self::Hot, Self::Restart];

    /// The value as it is written in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Hot => "hot",
            Self::Restart => "restart",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is to be done about a setting that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// The running instance is told, by `on_config_change`.
    Apply,
    /// The plugin is reloaded: a new instance takes over, with the new settings.
    Reload,
    /// Nothing, but to say that the change takes effect when the plugin is started the next time.
    NeedsRestart,
}

/// What is to be done about a changed setting, by what it needs and by what the host may do.
pub const fn decide(strategy: Strategy, change: ReloadPolicy) -> Action {
    match (strategy, change) {
        (Strategy::Hybrid | Strategy::Hot, ReloadPolicy::Hot) => Action::Apply,
        (Strategy::Hot, _) => Action::NeedsRestart,
        // A policy that this version does not know is none that it could follow without a reload.
        (Strategy::Hybrid | Strategy::Restart, _) => Action::Reload,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strategy_says_how_far_the_host_goes_for_what_a_setting_needs() {
        let cases = [
            (Strategy::Hybrid, Action::Apply, Action::Reload),
            (Strategy::Hot, Action::Apply, Action::NeedsRestart),
            (Strategy::Restart, Action::Reload, Action::Reload),
        ];
        for (strategy, hot, restart) in cases {
            assert_eq!(decide(strategy, ReloadPolicy::Hot), hot, "{strategy}");
            assert_eq!(
                decide(strategy, ReloadPolicy::Restart),
                restart,
                "{strategy}"
            );
        }
        assert_eq!(Strategy::default(), Strategy::Hybrid);
    }
}
