//! Who looks at the calls of plugins on the host's behalf: the policy, and the counters.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyway::capability::{Admission, Ending, Warden};

use crate::policy::{self, Call, Decision, Policy};
use crate::registry::Key;
use crate::statistics::{Counters, Metering, Statistics};

/// What a host has decided about calls, and what it has counted of them.
#[derive(Default)]
pub(crate) struct Calls {
    policy: Option<Arc<dyn Policy>>,
    metering: Metering,
    plugins: Mutex<BTreeMap<Arc<str>, Plugin>>,
}

/// What there is of one plugin, over all its versions: so nobody is asked twice about a call when the
/// plugin is replaced meanwhile.
#[derive(Default)]
struct Plugin {
    counters: Arc<Counters>,
    wardens: BTreeMap<Key, Arc<CallWarden>>,
}

impl Calls {
    pub(crate) fn new(policy: Option<Arc<dyn Policy>>, metering: Metering) -> Self {
        Calls {
            policy,
            metering,
            plugins: Mutex::default(),
        }
    }

    /// Who looks at the calls of what a plugin offers, if anybody is to.
    pub(crate) fn warden(&self, plugin: &Arc<str>, key: &Key) -> Option<Arc<dyn Warden>> {
        let metered = match self.metering {
            Metering::Off => false,
            Metering::BuiltIn => key.id.starts_with("keyway."),
            Metering::All => true,
        };
        if !metered && self.policy.is_none() {
            return None;
        }
        let mut plugins = self.lock();
        let own = plugins.entry(Arc::clone(plugin)).or_default();
        let counters = &own.counters;
        let warden = own.wardens.entry(key.clone()).or_insert_with(|| {
            Arc::new(CallWarden {
                policy: self.policy.clone(),
                counters: Arc::clone(counters),
                metered,
                call: Call {
                    plugin: Arc::clone(plugin),
                    capability: key.id.as_str().into(),
                    name: key.name.as_str().into(),
                    arguments: None,
                },
            })
        });
        Some(Arc::clone(warden) as Arc<dyn Warden>)
    }

    pub(crate) fn statistics(&self, plugin: &str) -> Statistics {
        let counters = self.lock().get(plugin).map(|own| Arc::clone(&own.counters));
        counters.map(|counters| counters.read()).unwrap_or_default()
    }

    /// Forgets a plugin that was stopped.
    pub(crate) fn forget(&self, plugin: &str) {
        let forgotten = self.lock().remove(plugin);
        // What a policy drops is foreign code, which must not run under the lock.
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Plugin>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct CallWarden {
    policy: Option<Arc<dyn Policy>>,
    counters: Arc<Counters>,
    metered: bool,
    /// Without arguments.
    call: Call,
}

impl CallWarden {
    fn decide(&self, policy: &Arc<dyn Policy>) -> Admission {
        let call = Call {
            arguments: policy::arguments(),
            ..self.call.clone()
        };
        match policy.decide(&call) {
            Decision::Allow => Admission::Granted,
            Decision::Deny { reason } => {
                self.counters.denied();
                Admission::Refused(policy::denied(&call, &reason))
            }
            Decision::NeedsApproval { reason } => {
                let (policy, counters) = (Arc::clone(policy), Arc::clone(&self.counters));
                Admission::Asked(Box::pin(async move {
                    if policy.approve(&call, &reason).await {
                        return Ok(());
                    }
                    counters.denied();
                    Err(policy::not_approved(&call, &reason))
                }))
            }
        }
    }
}

impl Warden for CallWarden {
    fn admit(&self) -> Admission {
        match &self.policy {
            None => Admission::Granted,
            Some(policy) => self.decide(policy),
        }
    }

    fn ended(&self, ending: Ending<'_>, took: Duration) {
        if self.metered {
            self.counters.ended(ending, took);
        }
    }
}
