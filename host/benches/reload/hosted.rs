//! A host with one plugin, and the two ways to reload it.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use keyway_host::{
    Event, EventKind, Events, Host, HostBuilder, Probation, ReloadOptions, ReloadReport,
};
use semver::Version;

use crate::calls::{Calls, CallsHandle};
use crate::files::{Builds, Template};

pub(crate) struct Hosted<'a> {
    pub(crate) host: Host,
    pub(crate) handle: CallsHandle,
    events: Events,
    builds: Builds<'a>,
}

/// One reload: from the moment in which the file was complete to the first answer of the new
/// version, and what the host says of the phases.
pub(crate) type Reloaded = (Duration, Arc<ReloadReport>);

/// How long to wait for what comes at once. It only decides when a run has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn host_builder() -> HostBuilder {
    Host::builder("reload", Version::new(1, 0, 0)).probation(Probation::NONE)
}

impl<'a> Hosted<'a> {
    pub(crate) fn start(
        builder: HostBuilder,
        template: &'a Template,
        dir: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let builds = Builds::begin(template, dir)?;
        let host = builder.build()?;
        host.block_on(host.load(builds.library()))?;
        Ok(Hosted {
            handle: host.capability("calls")?,
            events: host.events(),
            host,
            builds,
        })
    }

    /// Replaces the file, and leaves the rest to the watcher.
    pub(crate) fn reload_by_watcher(&mut self) -> Result<Reloaded, Box<dyn Error>> {
        self.builds.link_next()?;
        let complete = self.builds.publish()?;
        let report = loop {
            match self.events.next_blocking() {
                Some(Event {
                    kind: EventKind::Committed { report },
                    ..
                }) => break report,
                Some(Event {
                    kind: EventKind::Refused { reason, .. },
                    ..
                }) => {
                    return Err(format!("a reload was refused: {reason}").into());
                }
                Some(_) => {}
                None => return Err("the host is gone".into()),
            }
        };
        self.answered(complete, report)
    }

    /// Replaces the file, and asks for the reload.
    pub(crate) fn reload_by_hand(&mut self) -> Result<Reloaded, Box<dyn Error>> {
        self.builds.link_next()?;
        let complete = self.builds.publish()?;
        let report = self.host.block_on(self.host.reload(PLUGIN))?;
        self.answered(complete, report)
    }

    /// Loads the same file anew.
    pub(crate) fn reload_unchanged(&self) -> Result<(), Box<dyn Error>> {
        let options = ReloadOptions::new().force();
        let report = self.host.block_on(self.host.reload_with(PLUGIN, options))?;
        committed(&report)
    }

    fn answered(
        &self,
        complete: Instant,
        report: Arc<ReloadReport>,
    ) -> Result<Reloaded, Box<dyn Error>> {
        committed(&report)?;
        let answer = self.handle.add(0, 0)?;
        let taken = complete.elapsed();
        let expected = self.builds.number + 1;
        if answer != expected {
            return Err(format!("another build answers: {answer}, expected {expected}").into());
        }
        Ok((taken, report))
    }

    /// Waits until so many libraries are open, so that the end of the old version is not measured
    /// as part of the next reload.
    pub(crate) fn wait_for_open(&self, libraries: usize) -> Result<(), String> {
        let clock = Instant::now();
        while self.host.libraries().open != libraries {
            if clock.elapsed() > PATIENCE {
                return Err(format!("libraries stay open: {:?}", self.host.libraries()));
            }
            thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }
}

const PLUGIN: &str = "bench-plugin";

fn committed(report: &ReloadReport) -> Result<(), Box<dyn Error>> {
    match report.outcome.is_committed() {
        true => Ok(()),
        false => Err(format!("a reload was not committed: {:?}", report.outcome).into()),
    }
}
