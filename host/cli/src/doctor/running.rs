//! `keyway doctor --start`: which plugins do not start, and which say that they are not well.

use keyway_host::Finding;

use crate::args::StandIn;
use crate::ending::Outcome;
use crate::failure::Failure;
use crate::installation::Installation;
use crate::interrupt::Interrupt;
use crate::session::Session;
use crate::terminal::Terminal;

/// Starts all plugins that start with a host, asks each, and stops them again.
pub(super) fn start(
    installation: &Installation,
    application: &StandIn,
    terminal: &Terminal,
) -> Outcome<Vec<Finding>> {
    let interrupt = Interrupt::listen();
    let builder = installation.host(application)?;
    Session::run(builder, &interrupt, terminal, |session| {
        let host = &session.host;
        let started = session.until_interrupted(host.start_all())?;
        let report = started.map_err(Failure::from)?;
        session.remember_stage();
        let failed = report.failed.iter();
        let mut found: Vec<Finding> = failed
            .map(|(id, error)| error.finding().of_plugin(id.as_str()))
            .collect();
        found.extend(report.skipped.values().cloned());
        for plugin in host.plugins() {
            let health = session.until_interrupted(host.health_check(&plugin.name))?;
            found.extend(
                health
                    .err()
                    .map(|error| error.finding().of_plugin(&*plugin.id)),
            );
            found.extend(plugin.warnings);
        }
        Ok(found)
    })
}
