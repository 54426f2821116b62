//! The host table as one plugin sees it.

use std::sync::Arc;

use keyway::Result;
use keyway::abi::pass::Json;
use keyway::host::{Environment, HostServices};

use crate::log::LogBridge;

pub(crate) struct Services {
    pub(crate) environment: Environment,
    /// Shared with the generation, which closes it: a plugin may keep this object for ever.
    pub(crate) log: Arc<LogBridge>,
}

impl HostServices for Services {
    fn environment(&self) -> Result<Json<Environment>> {
        Ok(Json(self.environment.clone()))
    }

    fn log_callsite(&self, callsite: &[u8]) -> Result<u64> {
        self.log.log_callsite(callsite)
    }

    fn log_interest(&self, callsite: u64) -> Result<u8> {
        self.log.log_interest(callsite)
    }

    fn log_enabled(&self, callsite: u64) -> Result<bool> {
        self.log.log_enabled(callsite)
    }

    fn log_event(&self, callsite: u64, parent: u64, values: &[u8]) -> Result<()> {
        self.log.log_event(callsite, parent, values)
    }

    fn span_new(&self, callsite: u64, parent: u64, values: &[u8]) -> Result<u64> {
        self.log.span_new(callsite, parent, values)
    }

    fn span_record(&self, span: u64, values: &[u8]) -> Result<()> {
        self.log.span_record(span, values)
    }

    fn span_follows_from(&self, span: u64, follows: u64) -> Result<()> {
        self.log.span_follows_from(span, follows)
    }

    fn span_enter(&self, span: u64) -> Result<()> {
        self.log.span_enter(span)
    }

    fn span_exit(&self, span: u64) -> Result<()> {
        self.log.span_exit(span)
    }

    fn span_clone(&self, span: u64) -> Result<u64> {
        self.log.span_clone(span)
    }

    fn span_drop(&self, span: u64) -> Result<()> {
        self.log.span_drop(span)
    }

    fn span_current(&self) -> Result<(u64, u64)> {
        self.log.span_current()
    }

    fn log_panic(&self, message: &str, place: &str, thread: &str) -> Result<()> {
        self.log.log_panic(message, place, thread)
    }

    #[cfg(feature = "unstable-next-minor")]
    fn appended(&self) -> Result<String> {
        let name = &self.environment.host_name;
        Ok(format!("the own method of host {name}"))
    }
}
