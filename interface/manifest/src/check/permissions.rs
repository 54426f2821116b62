//! The table `[plugin.permissions]`.

use super::field::Field;
use super::keys::Keys;
use super::{list, text};
use crate::diagnostic::report::Report;
use crate::permission::{Fault, peer::PeerText, place};
use crate::tree::{Value, show};
use crate::{Access, Filesystem, Permissions};

pub(super) const KEYS: Keys = Keys {
    listed: &["network", "filesystem", "env", "subprocess"],
    aliases: &["env_vars", "shell"],
    elsewhere: &[],
};

const FILESYSTEM_KEYS: Keys = Keys::plain(&["read", "write"]);

/// Checks what a plugin is to be allowed to reach.
pub fn check(field: &Field<'_>, report: &mut Report) -> Option<Permissions> {
    let table = field.table_with(&KEYS, report)?;
    let network = table
        .get("network")
        .and_then(|field| access(&field, "true, false or an array of hosts", peer, report));
    let filesystem = table
        .get("filesystem")
        .and_then(|field| filesystem(&field, report));
    let env = table
        .get_either("env", "env_vars", report)
        .and_then(|field| list::of(&field, "an array of names", text::env_name, report));
    let subprocess = table
        .get_either("subprocess", "shell", report)
        .and_then(|field| {
            access(
                &field,
                "true, false or an array of programs",
                program,
                report,
            )
        });
    Some(Permissions {
        network: network.unwrap_or_default(),
        filesystem: filesystem.unwrap_or_default(),
        env: env.unwrap_or_default(),
        subprocess: subprocess.unwrap_or_default(),
    })
}

fn filesystem(field: &Field<'_>, report: &mut Report) -> Option<Filesystem> {
    match field.node.value {
        Value::Boolean(everything) => Some(Filesystem {
            read: everything.into(),
            write: everything.into(),
        }),
        Value::Table(_) => {
            let table = field.table_with(&FILESYSTEM_KEYS, report)?;
            let mut paths = |key| {
                table.get(key).and_then(|field| {
                    access(&field, "true, false or an array of paths", root, report)
                })
            };
            let (read, write) = (paths("read"), paths("write"));
            Some(Filesystem {
                read: read.unwrap_or_default(),
                write: write.unwrap_or_default(),
            })
        }
        _ => {
            let table = show::table(report.syntax());
            field.wrong_type(
                &format!("true, false or {table} with `read` and `write`"),
                report,
            );
            None
        }
    }
}

fn access(
    field: &Field<'_>,
    expected: &str,
    pattern: impl Fn(&Field<'_>, &mut Report) -> Option<String>,
    report: &mut Report,
) -> Option<Access> {
    match field.node.value {
        Value::Boolean(everything) => Some(everything.into()),
        _ => list::of(field, expected, pattern, report).map(Access::from),
    }
}

/// A pattern of network peers.
fn peer(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let expected = "a host, host:port or URL, such as \"api.example.com:443\"";
    written(
        field,
        expected,
        |text| PeerText::parse(text).map(drop),
        report,
    )
}

/// A file, or a directory with all that is below it.
fn root(field: &Field<'_>, report: &mut Report) -> Option<String> {
    written(
        field,
        "the path of a file or directory",
        place::root,
        report,
    )
}

/// A program.
fn program(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let expected = "the name or the path of a program";
    written(
        field,
        expected,
        |text| place::program(text).map(drop),
        report,
    )
}

/// A text on one line in which a rule of permissions finds no fault.
fn written(
    field: &Field<'_>,
    expected: &str,
    rule: impl Fn(&str) -> Result<(), Fault>,
    report: &mut Report,
) -> Option<String> {
    let text = text::line(field, report)?;
    let Err(fault) = rule(&text) else {
        return Some(text);
    };
    report.push(
        field
            .problem(fault.what)
            .expected(expected)
            .found(field.found(report))
            .maybe_hint(fault.hint.map(str::to_owned)),
    );
    None
}
