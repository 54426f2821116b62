//! Reloading: what an application asks for, and how triggers become attempts.
//!
//! An [`attempt`] runs as a task of the host's own runtime, so that nobody can leave it half done
//! by dropping a future. All plugins of one trigger are one set: their new versions are prepared
//! side by side, and those that succeed take over together.

mod attempt;
mod commit;
pub(super) mod handover;
mod probation;
mod rollback;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::plugin::LoadedPlugin;
use super::{Host, shutting_down};
use crate::error::{HostError, HostErrorKind};
use crate::reload::{DryRun, ReloadOptions, ReloadReport, Trigger};

use attempt::Attempt;
use commit::Ready;
use verdict::Verdict;

/// One plugin of one trigger.
pub(super) struct Request {
    pub(super) plugin: Arc<LoadedPlugin>,
    pub(super) trigger: Trigger,
    pub(super) options: ReloadOptions,
    /// The number of the trigger: the newest wins.
    pub(super) arrival: u64,
    /// When the file was complete, or when the application asked.
    pub(super) began: Instant,
    /// How long it took to be sure that the file is complete.
    pub(super) settle: Duration,
}

impl Host {
    /// Takes a new version of a plugin over from its file, if that has changed.
    ///
    /// The old version serves until the new one is ready; calls that it has started finish there.
    /// Whatever goes wrong with the new one, the old one serves on: that is one of the outcomes and
    /// no error. (The one exception is [`ReloadOutcome::Lost`](crate::ReloadOutcome::Lost), in
    /// exclusive mode.)
    ///
    /// [`Committed`](crate::ReloadOutcome::Committed) is the end of the reload and the beginning of the
    /// [probation](crate::Probation): whether the new version stays is told by the events
    /// [`Proved`](crate::EventKind::Proved) and [`RolledBack`](crate::EventKind::RolledBack).
    ///
    /// Dropping the future does not stop the reload, which is carried out by the host.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`] when no plugin of this name is loaded.
    pub async fn reload(&self, name: &str) -> Result<Arc<ReloadReport>, HostError> {
        self.reload_with(name, ReloadOptions::new()).await
    }

    /// Reloads a plugin with another file or another configuration, or whatever the circumstances.
    ///
    /// # Errors
    ///
    /// As [`Host::reload`].
    pub async fn reload_with(
        &self,
        name: &str,
        options: ReloadOptions,
    ) -> Result<Arc<ReloadReport>, HostError> {
        let request = Request::by_application(self.inner.find(name)?, options);
        let mut reports = self.reload_set(vec![request]).await?;
        reports.pop().ok_or_else(shutting_down)
    }

    /// Reloads all plugins whose files have changed. Their new versions take over together.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::Host`] when the host is shutting down.
    pub async fn reload_all(&self) -> Result<Vec<Arc<ReloadReport>>, HostError> {
        let plugins: Vec<_> = self.inner.plugins().values().cloned().collect();
        let from_files = plugins
            .into_iter()
            .filter(|plugin| plugin.state().path.is_some());
        let requests = from_files
            .map(|plugin| Request::by_application(plugin, ReloadOptions::new()))
            .collect();
        self.reload_set(requests).await
    }

    /// Tries what a reload would do, up to the point where it would touch the version that serves:
    /// the file is copied, checked and opened, and the new version really prepares itself, and ends
    /// again. There are no events of it but those of its library's end, and being pinned is no hindrance.
    ///
    /// # Errors
    ///
    /// Why a reload would be refused; its kind tells the phase.
    pub async fn dry_run(&self, name: &str, options: ReloadOptions) -> Result<DryRun, HostError> {
        let request = Request::by_application(self.inner.find(name)?, options);
        let host = self.clone();
        let task = self
            .runtime()
            .spawn(async move { Attempt::begin(host, request).await.dry_run().await });
        task.await.map_err(|_| shutting_down())?
    }

    /// Keeps a plugin at the version that serves: further triggers are refused until
    /// [`unpin`](Host::unpin). [`ReloadOptions::force`] and [`rollback`](Host::rollback) work all
    /// the same.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`] when no plugin of this name is loaded.
    pub fn pin(&self, name: &str) -> Result<(), HostError> {
        self.inner.find(name)?.state().pinned = true;
        Ok(())
    }

    /// Undoes [`pin`](Host::pin). A file that has changed meanwhile is not looked at before the
    /// next trigger.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`] when no plugin of this name is loaded.
    pub fn unpin(&self, name: &str) -> Result<(), HostError> {
        self.inner.find(name)?.state().pinned = false;
        Ok(())
    }

    /// Lets the version before serve again, which is possible while the one that serves is on
    /// [probation](crate::Probation), which also says what becomes of the state. The file of the version
    /// that it leaves is not tried again on its own.
    ///
    /// Where there is nothing to go back to, the outcome is
    /// [`Refused`](crate::ReloadOutcome::Refused) in the phase `admit`.
    ///
    /// # Errors
    ///
    /// [`HostErrorKind::NotFound`] when no plugin of this name is loaded.
    pub async fn rollback(&self, name: &str) -> Result<Arc<ReloadReport>, HostError> {
        let plugin = self.inner.find(name)?;
        let reason = HostError::new(HostErrorKind::Reload, "the application asked for it");
        let host = self.clone();
        let began = Instant::now();
        let task = self.runtime().spawn(async move {
            rollback::roll_back(&host, &plugin, None, Trigger::Requested, reason, began).await
        });
        task.await.map_err(|_| shutting_down())
    }

    /// Reloads the plugins of one trigger, as a task that nobody can interrupt.
    pub(super) async fn reload_set(
        &self,
        requests: Vec<Request>,
    ) -> Result<Vec<Arc<ReloadReport>>, HostError> {
        let task = self.runtime().spawn(reload_set(self.clone(), requests));
        task.await.map_err(|_| shutting_down())
    }
}

impl Request {
    fn by_application(plugin: Arc<LoadedPlugin>, options: ReloadOptions) -> Self {
        Request {
            arrival: plugin.arrive(),
            plugin,
            trigger: Trigger::Requested,
            options,
            began: Instant::now(),
            settle: Duration::ZERO,
        }
    }

    /// What comes of a change of a file.
    pub(super) fn by_file(plugin: Arc<LoadedPlugin>, complete: Instant, settled: Instant) -> Self {
        Request {
            arrival: plugin.arrive(),
            plugin,
            trigger: Trigger::FileChanged,
            options: ReloadOptions::new(),
            began: complete,
            settle: settled.saturating_duration_since(complete),
        }
    }
}

async fn reload_set(host: Host, mut requests: Vec<Request>) -> Vec<Arc<ReloadReport>> {
    // Turns are taken in the order of names, so that two sets never wait for each other.
    requests.sort_by(|one, other| one.plugin.name.cmp(&other.plugin.name));
    requests.dedup_by(|one, other| Arc::ptr_eq(&one.plugin, &other.plugin));
    let mut attempts = Vec::new();
    for request in requests {
        attempts.push(Attempt::begin(host.clone(), request).await);
    }
    // All are prepared before the first hands over: in exclusive mode calls wait from then on.
    let mut reports = Vec::new();
    let drafts = side_by_side(attempts, |mut attempt| async move {
        let draft = attempt.prepare().await;
        attempt.or_end(draft)
    });
    let handing_over = split(drafts.await, &mut reports);
    let ready = side_by_side(handing_over, |(mut attempt, draft)| async move {
        let ready = attempt.hand_over(draft).await;
        attempt.or_end(ready)
    });
    let ready: Vec<(Attempt, Ready)> = split(ready.await, &mut reports);
    reports.extend(commit::commit(&host, ready).await);
    reports.sort_by(|one, other| one.plugin.cmp(&other.plugin));
    reports
}

/// Either an attempt that goes on, or the report of one that has ended.
type Step<T> = Result<(Attempt, T), Arc<ReloadReport>>;

impl Attempt {
    fn or_end<T>(self, step: Result<T, Verdict>) -> Step<T> {
        match step {
            Ok(value) => Ok((self, value)),
            Err(verdict) => Err(self.end(verdict)),
        }
    }
}

fn split<T>(steps: Vec<Step<T>>, reports: &mut Vec<Arc<ReloadReport>>) -> Vec<(Attempt, T)> {
    let mut going_on = Vec::new();
    for step in steps {
        match step {
            Ok(one) => going_on.push(one),
            Err(report) => reports.push(report),
        }
    }
    going_on
}

/// Does the same with each, at the same time.
async fn side_by_side<T, R: Send + 'static, F>(mut each: Vec<T>, work: impl Fn(T) -> F) -> Vec<R>
where
    F: Future<Output = R> + Send + 'static,
{
    if each.len() == 1 {
        return match each.pop() {
            Some(one) => vec![work(one).await],
            None => Vec::new(),
        };
    }
    let mut tasks: JoinSet<R> = each.into_iter().map(work).collect();
    let mut done = Vec::new();
    while let Some(task) = tasks.join_next().await {
        match task {
            Ok(result) => done.push(result),
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    done
}

/// What a file looks like from outside. Two looks that are equal saw the same content, unless
/// somebody sets the times of files by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    len: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    inode: (u64, u64, i64, i64),
}

impl Fingerprint {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Fingerprint {
            len: file.len(),
            modified: file.modified().ok(),
            #[cfg(unix)]
            inode: {
                use std::os::unix::fs::MetadataExt;
                (file.dev(), file.ino(), file.ctime(), file.ctime_nsec())
            },
        })
    }
}

/// The file that a reload is to read.
fn path_of(plugin: &LoadedPlugin, options: &ReloadOptions) -> Option<PathBuf> {
    options.path.clone().or_else(|| plugin.state().path.clone())
}
