//! The double of a host's services: everything is in memory, and what is not there is not granted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use keyway_manifest::Permissions;

use super::audit::{AuditRecord, Service};
use crate::abi::pass::Json;
use crate::error::{ErrorKind, PluginError, Result};
use crate::host::wire::{ProgramEnd, ProgramStart, RequestHead, ResponseHead};
use crate::host::{Environment, HostServices};

/// How many keys one answer lists: few, so that a test with some keys asks more than once.
const KEYS_LISTED: usize = 8;

/// What there is, and what was asked of it.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) files: BTreeMap<String, Bytes>,
    pub(super) writable: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) responses: BTreeMap<String, (u16, Bytes)>,
    pub(super) programs: BTreeMap<String, (i32, Bytes)>,
    pub(super) keys: BTreeMap<String, Bytes>,
    /// What the manifest of the plugin asks for; none where there is no plugin.
    pub(super) asks_for: Option<Permissions>,
    pub(super) audit: Vec<AuditRecord>,
}

impl World {
    /// Why the manifest does not let the plugin have something, whatever the test grants.
    fn unasked(&self, service: Service, target: &str) -> Option<&'static str> {
        let asks = self.asks_for.as_ref()?;
        match service {
            Service::ReadFile if asks.filesystem.read.is_none() => Some("filesystem.read"),
            Service::WriteFile if asks.filesystem.write.is_none() => Some("filesystem.write"),
            Service::Env if !asks.env.iter().any(|name| name == target) => Some("env"),
            Service::Request if asks.network.is_none() => Some("network"),
            Service::Program if asks.subprocess.is_none() => Some("subprocess"),
            _ => None,
        }
    }

    /// Lets the plugin have something if the test grants it and its manifest asks for it.
    fn require(&self, service: Service, target: &str, granted: bool) -> Result<()> {
        let code = match service {
            Service::ReadFile => "read-not-granted",
            Service::WriteFile => "write-not-granted",
            Service::Env => "env-not-granted",
            Service::Request => "network-not-granted",
            Service::Program => "subprocess-not-granted",
            Service::Store | Service::Text => return Ok(()),
        };
        let message = match self.unasked(service, target) {
            Some(key) => format!(
                "`{target}` is not granted: {key} under [plugin.permissions] in plugin.toml does not \
                 ask for it"
            ),
            None if !granted => format!("`{target}` is not granted: the test does not give it"),
            None => return Ok(()),
        };
        Err(PluginError::of(ErrorKind::Denied, message).code(code))
    }

    fn may_write(&self, path: &str) -> bool {
        let below = |place: &String| {
            let rest = path.strip_prefix(place.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !path.split('/').any(|part| part == "..") && self.writable.iter().any(below)
    }

    fn read_file(&self, path: &str) -> Result<Bytes> {
        let found = self.files.get(path);
        let granted = found.is_some() || self.may_write(path);
        self.require(Service::ReadFile, path, granted)?;
        found.cloned().ok_or_else(|| {
            let message = format!("cannot read `{path}`: the test has no such file");
            PluginError::not_found(message).code("file-failed")
        })
    }

    fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.require(Service::WriteFile, path, self.may_write(path))?;
        self.files
            .insert(path.to_owned(), Bytes::copy_from_slice(bytes));
        Ok(())
    }
}

pub(super) struct Services {
    pub(super) environment: Environment,
    pub(super) world: Arc<Mutex<World>>,
}

pub(super) fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Services {
    /// Does what was asked, and writes it down.
    fn answer<T>(
        &self,
        service: Service,
        target: impl Into<String>,
        work: impl FnOnce(&mut World) -> Result<T>,
    ) -> Result<T> {
        let mut world = lock(&self.world);
        let answer = work(&mut world);
        let refused = answer.as_ref().err();
        world.audit.push(AuditRecord {
            service,
            target: target.into(),
            refused: refused.map(|error| error.error_code().to_owned()),
        });
        answer
    }
}

/// What a test logs goes to the subscriber of the test: a plugin that is linked statically shares it.
impl HostServices for Services {
    fn environment(&self) -> Result<Json<Environment>> {
        Ok(Json(self.environment.clone()))
    }
    fn log_callsite(&self, _: &[u8]) -> Result<u64> {
        Ok(0)
    }
    fn log_interest(&self, _: u64) -> Result<u8> {
        Ok(0)
    }
    fn log_enabled(&self, _: u64) -> Result<bool> {
        Ok(false)
    }
    fn log_event(&self, _: u64, _: u64, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn span_new(&self, _: u64, _: u64, _: &[u8]) -> Result<u64> {
        Ok(0)
    }
    fn span_record(&self, _: u64, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn span_follows_from(&self, _: u64, _: u64) -> Result<()> {
        Ok(())
    }
    fn span_enter(&self, _: u64) -> Result<()> {
        Ok(())
    }
    fn span_exit(&self, _: u64) -> Result<()> {
        Ok(())
    }
    fn span_clone(&self, _: u64) -> Result<u64> {
        Ok(0)
    }
    fn span_drop(&self, _: u64) -> Result<()> {
        Ok(())
    }
    fn span_current(&self) -> Result<(u64, u64)> {
        Ok((0, 0))
    }
    fn log_panic(&self, _: &str, _: &str, _: &str) -> Result<()> {
        Ok(())
    }

    fn take_ticket(&self) -> Result<u64> {
        // Nothing here takes its time, so there is nothing to cancel by it.
        Ok(0)
    }

    fn read_file(&self, path: &str) -> Result<Bytes> {
        self.answer(Service::ReadFile, path, |world| world.read_file(path))
    }

    fn write_file(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.answer(Service::WriteFile, path, |world| {
            world.write_file(path, bytes)
        })
    }

    fn read_env(&self, name: &str) -> Result<Option<String>> {
        self.answer(Service::Env, name, |world| {
            let value = world.env.get(name).cloned();
            world.require(Service::Env, name, value.is_some())?;
            Ok(value)
        })
    }

    fn send_request(
        &self,
        _: u64,
        request: Json<RequestHead>,
        _: &[u8],
    ) -> Result<(Json<ResponseHead>, Bytes)> {
        let RequestHead { method, url, .. } = request.0;
        self.answer(Service::Request, format!("{method} {url}"), |world| {
            let answer = world.responses.get(&url).cloned();
            world.require(Service::Request, &url, answer.is_some())?;
            let (status, body) = answer.unwrap_or_default();
            let head = ResponseHead {
                status,
                url: url.clone(),
                ..ResponseHead::default()
            };
            Ok((Json(head), body))
        })
    }

    fn run_program(
        &self,
        _: u64,
        start: Json<ProgramStart>,
        _: &[u8],
    ) -> Result<(Json<ProgramEnd>, Bytes, Bytes)> {
        let ProgramStart { program, args, .. } = start.0;
        let words: Vec<&str> = [&program]
            .into_iter()
            .chain(&args)
            .map(|word| &**word)
            .collect();
        self.answer(Service::Program, words.join(" "), |world| {
            let end = world.programs.get(&program).cloned();
            world.require(Service::Program, &program, end.is_some())?;
            let (code, stdout) = end.unwrap_or_default();
            let end = ProgramEnd {
                code: Some(code),
                signal: None,
            };
            Ok((Json(end), stdout, Bytes::new()))
        })
    }

    fn kv_get(&self, key: &str) -> Result<Option<Bytes>> {
        self.answer(Service::Store, key, |world| {
            Ok(world.keys.get(key).cloned())
        })
    }

    fn kv_put(&self, key: &str, value: &[u8]) -> Result<()> {
        self.answer(Service::Store, key, |world| {
            world
                .keys
                .insert(key.to_owned(), Bytes::copy_from_slice(value));
            Ok(())
        })
    }

    fn kv_delete(&self, key: &str) -> Result<bool> {
        self.answer(Service::Store, key, |world| {
            Ok(world.keys.remove(key).is_some())
        })
    }

    fn kv_keys(&self, prefix: &str, after: Option<String>) -> Result<(Vec<String>, bool)> {
        self.answer(Service::Store, format!("{prefix}*"), |world| {
            let keys = world.keys.keys();
            let keys = keys.filter(|key| key.starts_with(prefix));
            let keys = keys.filter(|key| after.as_ref().is_none_or(|after| *key > after));
            let keys: Vec<String> = keys.take(KEYS_LISTED).cloned().collect();
            let more = keys.len() == KEYS_LISTED;
            Ok((keys, more))
        })
    }

    fn named_text(&self, name: &str) -> Result<Option<String>> {
        self.answer(Service::Text, name, |world| {
            Ok(world.texts.get(name).cloned())
        })
    }

    fn text_names(&self) -> Result<Vec<String>> {
        Ok(lock(&self.world).texts.keys().cloned().collect())
    }

    #[cfg(feature = "unstable-next-minor")]
    fn appended(&self) -> Result<String> {
        Ok("the own method of a test".to_owned())
    }
}
