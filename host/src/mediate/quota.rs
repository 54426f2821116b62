//! How much of its limits a plugin has used up, over all its versions.

use super::audit::Action;
use super::limits::Limits;
use super::rate::{Bucket, Places};

/// What all mediators of one plugin count together.
#[derive(Debug)]
pub(super) struct Quota {
    pub(super) limits: Limits,
    pub(super) buckets: [Option<Bucket>; Action::KINDS],
    #[cfg(feature = "http")]
    pub(super) requests: Places,
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "no program is started on this system")
    )]
    pub(super) programs: Places,
}

impl Quota {
    pub(super) fn new(limits: Limits) -> Self {
        // In the order of `Action::kind`.
        let rates = [
            limits.file_rate,
            limits.env_rate,
            limits.request_rate,
            limits.run_rate,
            limits.kv_rate,
        ];
        Quota {
            buckets: rates.map(|rate| rate.map(Bucket::new)),
            #[cfg(feature = "http")]
            requests: Places::new(limits.max_requests),
            programs: Places::new(limits.max_programs),
            limits,
        }
    }
}
