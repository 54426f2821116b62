//! Single questions to a grant, and answers that say why.

use std::net::IpAddr;
use std::path::Path;

use super::address::{self, AddressKind};
use super::place::normal;
use super::{Destination, Grant, Program, codes, env};
use crate::finding::Code;

/// One thing that a plugin may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ask<'a> {
    /// To send a request there.
    Request(&'a Destination),
    /// To read a file. The path is absolute; `.` and `..` are taken out of it as they are written.
    Read(&'a Path),
    /// To write a file; the path as for reading.
    Write(&'a Path),
    /// To know an environment variable.
    Env(&'a str),
    /// To start a program.
    Run(&'a Program),
}

/// How far one is from being allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// The grant has it.
    Granted,
    /// The grant does not have it, and somebody could approve one that does.
    NeedsApproval,
    /// No grant allows it.
    Never,
}

/// The answer to an [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// Whether it is allowed, or could be.
    pub level: Level,
    /// Why not, for programs; none if it is allowed.
    pub code: Option<&'static Code>,
    /// Why not, and what would have to be granted; none if it is allowed.
    pub reason: Option<String>,
}

impl Decision {
    /// Whether it is allowed now.
    pub fn is_allowed(&self) -> bool {
        self.level == Level::Granted
    }

    const GRANTED: Decision = Decision {
        level: Level::Granted,
        code: None,
        reason: None,
    };

    fn refused(level: Level, code: &'static Code, reason: String) -> Self {
        Decision {
            level,
            code: Some(code),
            reason: Some(reason),
        }
    }
}

impl Grant {
    /// Whether this grant allows it.
    ///
    /// That a request may be sent to a host does not say to which addresses; see
    /// [`decide_address`](Self::decide_address).
    pub fn decide(&self, ask: Ask<'_>) -> Decision {
        let (allowed, code, what, entry, key) = match ask {
            Ask::Request(to) => (
                self.network.any(|peer| peer.matches(to)),
                &codes::NETWORK_NOT_GRANTED,
                format!(
                    "a request to {}://{} is not granted",
                    to.scheme(),
                    to.pattern()
                ),
                to.pattern(),
                "network",
            ),
            Ask::Read(path) => {
                let path = normal(path);
                (
                    self.read.any(|root| root.contains(&path)),
                    &codes::READ_NOT_GRANTED,
                    format!("reading {} is not granted", path.display()),
                    path.display().to_string(),
                    "filesystem.read",
                )
            }
            Ask::Write(path) => {
                let path = normal(path);
                (
                    self.write.any(|root| root.contains(&path)),
                    &codes::WRITE_NOT_GRANTED,
                    format!("writing {} is not granted", path.display()),
                    path.display().to_string(),
                    "filesystem.write",
                )
            }
            Ask::Env(name) if env::is_denied(name) => {
                let reason = format!(
                    "the environment variable {name:?} is given to no plugin; if it is a key that \
                     the plugin needs, declare a setting of type secret with `env`"
                );
                return Decision::refused(Level::Never, &codes::ENV_NEVER, reason);
            }
            Ask::Env(name) => (
                self.env.any(|own| own.as_str() == name),
                &codes::ENV_NOT_GRANTED,
                format!("the environment variable {name:?} is not granted"),
                name.to_owned(),
                "env",
            ),
            Ask::Run(program) => (
                self.subprocess.any(|own| own == program),
                &codes::SUBPROCESS_NOT_GRANTED,
                format!("starting {program} is not granted"),
                program.to_string(),
                "subprocess",
            ),
        };
        if allowed {
            return Decision::GRANTED;
        }
        let reason = format!("{what}; add {entry:?} to {key} under [plugin.permissions]");
        Decision::refused(Level::NeedsApproval, code, reason)
    }

    /// Whether a request to `host`, which this grant allows, may be sent to an address that the host
    /// has.
    ///
    /// Public addresses: yes. Addresses of this machine and of private and link-local networks: only if
    /// an entry names the very address, or says `localhost` and the address is a loopback one; a
    /// name, a `*.` pattern or `network = true` do not reach them. Multicast, unspecified, reserved
    /// and cloud metadata addresses: never.
    pub fn decide_address(&self, host: &str, address: IpAddr, port: u16) -> Decision {
        let address = address::canonical(address);
        let what = |kind| format!("{host} leads to {address}, {kind}");
        match address::kind(address) {
            AddressKind::Public => Decision::GRANTED,
            AddressKind::Inner(kind) => {
                let entries = self.network.entries();
                if entries.iter().any(|peer| peer.names_address(address, port)) {
                    return Decision::GRANTED;
                }
                let entry = match address {
                    IpAddr::V4(address) => format!("{address}:{port}"),
                    IpAddr::V6(address) => format!("[{address}]:{port}"),
                };
                let reason = format!(
                    "{}; add {entry:?} to network under [plugin.permissions] if it is meant",
                    what(kind)
                );
                Decision::refused(Level::NeedsApproval, &codes::ADDRESS_REFUSED, reason)
            }
            AddressKind::Never(kind) => {
                let reason = format!("{}, which no plugin reaches", what(kind));
                Decision::refused(Level::Never, &codes::ADDRESS_REFUSED, reason)
            }
        }
    }
}
