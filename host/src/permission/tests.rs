use std::path::Path;

use keyway_manifest::Permissions;

use super::*;

mod admission;
mod asks;
mod messages;
mod normal;
mod properties;
mod store;

const BASE: &str = if cfg!(windows) { "C:\\srv" } else { "/srv" };

/// A grant of these peers, roots to read, roots to write, variables and programs.
fn grant(lists: [&[&str]; 5]) -> Grant {
    try_grant(lists).expect("it is well-formed")
}

fn try_grant(lists: [&[&str]; 5]) -> Result<Grant, Finding> {
    let [network, read, write, env, subprocess] = lists.map(|list| {
        list.iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    });
    let mut asked = Permissions::default();
    asked.network = network.into();
    asked.filesystem.read = read.into();
    asked.filesystem.write = write.into();
    asked.env = env;
    asked.subprocess = subprocess.into();
    Grant::normalise(&asked, Path::new(BASE))
}

fn network(peers: &[&str]) -> Grant {
    grant([peers, &[], &[], &[], &[]])
}

fn reading(roots: &[&str]) -> Grant {
    grant([&[], roots, &[], &[], &[]])
}

fn everything() -> Grant {
    let mut asked = Permissions::default();
    asked.network = true.into();
    asked.filesystem.read = true.into();
    asked.filesystem.write = true.into();
    asked.subprocess = true.into();
    Grant::normalise(&asked, Path::new(BASE)).expect("it is well-formed")
}
