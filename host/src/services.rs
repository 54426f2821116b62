//! The host table as one plugin sees it.

use keyway::Result;
use keyway::abi::pass::Json;
use keyway::host::{Environment, HostServices};

use crate::log::LogBridge;

pub(crate) struct Services {
    pub(crate) environment: Environment,
    pub(crate) log: LogBridge,
}

impl HostServices for Services {
    fn environment(&self) -> Result<Json<Environment>> {
        Ok(Json(self.environment.clone()))
    }

    fn log_callsite(&self, callsite: &[u8]) -> Result<u64> {
        self.log.log_callsite(callsite)
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

    fn span_record(&self, span: u64, callsite: u64, values: &[u8]) -> Result<()> {
        self.log.span_record(span, callsite, values)
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

    fn span_clone(&self, span: u64) -> Result<()> {
        self.log.span_clone(span)
    }

    fn span_drop(&self, span: u64) -> Result<()> {
        self.log.span_drop(span)
    }

    fn log_panic(&self, message: &str, place: &str, thread: &str) -> Result<()> {
        self.log.log_panic(message, place, thread)
    }
}
