//! The table `[plugin.permissions]`.

use super::field::Field;
use super::keys::Keys;
use super::{list, network, text};
use crate::diagnostic::report::Report;
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
    let network = table.get("network").and_then(|field| {
        access(
            &field,
            "true, false or an array of hosts",
            network::pattern,
            report,
        )
    });
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
                text::line,
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
                    access(
                        &field,
                        "true, false or an array of paths",
                        text::line,
                        report,
                    )
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
