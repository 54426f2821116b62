//! The host table as one plugin sees it.

use std::sync::Arc;
use std::time::Duration;

use keyway::abi::pass::Json;
use keyway::host::wire::{ProgramEnd, ProgramStart, RequestHead, ResponseHead};
use keyway::host::{Environment, HostServices};
use keyway::{Bytes, Result};

use crate::log::LogBridge;
#[cfg(feature = "kv")]
use crate::mediate::KEYS_LISTED;
#[cfg(not(all(feature = "http", feature = "kv")))]
use crate::mediate::built_without;
use crate::mediate::session::Session;
#[cfg(feature = "http")]
use crate::mediate::{HttpRequest, HttpResponse};
use crate::mediate::{RunOutput, RunRequest};
use crate::texts::Texts;

pub(crate) struct Services {
    pub(crate) environment: Environment,
    /// Shared with the generation, which closes it: a plugin may keep this object for ever.
    pub(crate) log: Arc<LogBridge>,
    /// Likewise.
    pub(crate) session: Arc<Session>,
    pub(crate) texts: Arc<Texts>,
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

    fn take_ticket(&self) -> Result<u64> {
        self.session.take_ticket()
    }

    fn cancel(&self, ticket: u64) -> Result<()> {
        self.session.cancel(ticket);
        Ok(())
    }

    fn read_file(&self, path: &str) -> Result<Bytes> {
        self.session.mediator()?.read_file(path).map(Bytes::from)
    }

    fn write_file(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.session.mediator()?.write_file(path, bytes)
    }

    fn read_env(&self, name: &str) -> Result<Option<String>> {
        self.session.mediator()?.env(name)
    }

    #[cfg(feature = "http")]
    fn send_request(
        &self,
        ticket: u64,
        request: Json<RequestHead>,
        body: &[u8],
    ) -> Result<(Json<ResponseHead>, Bytes)> {
        let RequestHead {
            method,
            url,
            headers,
            has_body,
            timeout_ms,
        } = request.0;
        let mut request = HttpRequest::new(method, url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if has_body {
            request = request.body(body);
        }
        if let Some(timeout) = timeout_ms {
            request = request.timeout(Duration::from_millis(timeout));
        }
        let HttpResponse {
            status,
            headers,
            body,
            url,
        } = self.session.request(ticket, request)?;
        let head = ResponseHead {
            status,
            headers,
            url,
        };
        Ok((Json(head), Bytes::from(body)))
    }

    #[cfg(not(feature = "http"))]
    fn send_request(
        &self,
        _ticket: u64,
        _request: Json<RequestHead>,
        _body: &[u8],
    ) -> Result<(Json<ResponseHead>, Bytes)> {
        Err(built_without("http"))
    }

    fn run_program(
        &self,
        ticket: u64,
        start: Json<ProgramStart>,
        input: &[u8],
    ) -> Result<(Json<ProgramEnd>, Bytes, Bytes)> {
        let ProgramStart {
            program,
            args,
            env,
            dir,
            timeout_ms,
        } = start.0;
        let mut request = RunRequest::new(program).args(args).stdin(input);
        for (name, value) in env {
            request = request.env(name, value);
        }
        if let Some(dir) = dir {
            request = request.dir(dir);
        }
        if let Some(timeout) = timeout_ms {
            request = request.timeout(Duration::from_millis(timeout));
        }
        let RunOutput {
            code,
            signal,
            stdout,
            stderr,
        } = self.session.run(ticket, request)?;
        let end = ProgramEnd { code, signal };
        Ok((Json(end), Bytes::from(stdout), Bytes::from(stderr)))
    }

    #[cfg(feature = "kv")]
    fn kv_get(&self, key: &str) -> Result<Option<Bytes>> {
        let value = self.session.mediator()?.kv_get(key)?;
        Ok(value.map(Bytes::from))
    }

    #[cfg(feature = "kv")]
    fn kv_put(&self, key: &str, value: &[u8]) -> Result<()> {
        self.session.mediator()?.kv_set(key, value)
    }

    #[cfg(feature = "kv")]
    fn kv_delete(&self, key: &str) -> Result<bool> {
        self.session.mediator()?.kv_delete(key)
    }

    #[cfg(feature = "kv")]
    fn kv_keys(&self, prefix: &str, after: Option<String>) -> Result<(Vec<String>, bool)> {
        let keys = self.session.mediator()?.kv_keys(prefix, after.as_deref())?;
        // As many as are listed at a time; the next answer may be empty.
        let more = keys.len() == KEYS_LISTED;
        Ok((keys, more))
    }

    #[cfg(not(feature = "kv"))]
    fn kv_get(&self, _key: &str) -> Result<Option<Bytes>> {
        Err(built_without("kv"))
    }

    #[cfg(not(feature = "kv"))]
    fn kv_put(&self, _key: &str, _value: &[u8]) -> Result<()> {
        Err(built_without("kv"))
    }

    #[cfg(not(feature = "kv"))]
    fn kv_delete(&self, _key: &str) -> Result<bool> {
        Err(built_without("kv"))
    }

    #[cfg(not(feature = "kv"))]
    fn kv_keys(&self, _prefix: &str, _after: Option<String>) -> Result<(Vec<String>, bool)> {
        Err(built_without("kv"))
    }

    fn named_text(&self, name: &str) -> Result<Option<String>> {
        Ok(self.texts.get(name))
    }

    fn text_names(&self) -> Result<Vec<String>> {
        Ok(self.texts.names())
    }

    #[cfg(feature = "unstable-next-minor")]
    fn appended(&self) -> Result<String> {
        let name = &self.environment.host_name;
        Ok(format!("the own method of host {name}"))
    }
}
