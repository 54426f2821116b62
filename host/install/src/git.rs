//! Git repositories, by the `git` of the system: it knows the user's keys and proxies.
//!
//! Each repository has a mirror in the cache, which is fetched into, and one checkout, which is made anew for
//! each build: nothing that an earlier build has left there is taken for a source.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use keyway_host::inspect::hash_bytes;
use std::fs;

use crate::disk;
use crate::error::{InstallError, Result};
use crate::guard::Guard;
use crate::home::Home;
use crate::source::Reference;

/// A repository in the cache, which nobody else uses meanwhile.
#[derive(Debug)]
pub(crate) struct Repository {
    url: String,
    mirror: PathBuf,
    checkout: PathBuf,
    target: PathBuf,
    offline: bool,
    _guard: Guard,
}

impl Repository {
    /// Gets a repository, or what has come since; offline it has to be there.
    pub(crate) fn open(home: &Home, url: &str, offline: bool) -> Result<Self> {
        let name = directory_name(url);
        let cache = home.cache().join("git");
        let guard = Guard::exclusive(&cache.join(format!("{name}.guard")), url, &mut |_| {})?;
        let below = |what: &str| home.cache().join(what).join(&name);
        let repository = Repository {
            url: url.to_owned(),
            mirror: cache.join(&name),
            checkout: below("checkouts"),
            target: below("targets"),
            offline,
            _guard: guard,
        };
        match (repository.mirror.is_dir(), offline) {
            (true, true) => {}
            (true, false) => repository.fetch()?,
            (false, false) => repository.mirror()?,
            (false, true) => {
                return Err(InstallError::not_found(
                    "offline",
                    format!("{url} is not in the cache, and without a network it cannot be got"),
                )
                .hint("leave --offline out once"));
            }
        }
        Ok(repository)
    }

    /// The first time. A mirror that was cut short never gets its name.
    fn mirror(&self) -> Result<()> {
        let parent = self.mirror.parent().unwrap_or(Path::new("."));
        let made = tempfile::Builder::new()
            .prefix(".cloning-")
            .tempdir_in(parent)
            .map_err(|error| InstallError::io("make a directory", parent, error))?;
        let new = made.path().join("mirror");
        run(git(parent)
            .args(["clone", "--quiet", "--mirror", "--"])
            .arg(&self.url)
            .arg(&new))
        .map_err(|fault| self.failed("clone", fault))?;
        fs::rename(&new, &self.mirror)
            .map_err(|error| InstallError::io("make the directory", &self.mirror, error))
    }

    fn fetch(&self) -> Result<()> {
        run(git(&self.mirror).args(["fetch", "--quiet", "--prune", "--force", "origin"]))
            .map(drop)
            .map_err(|fault| self.failed("fetch from", fault))
    }

    /// The commit that is meant, as its whole hash.
    pub(crate) fn resolve(&self, reference: &Reference) -> Result<String> {
        let (what, name) = match reference {
            Reference::Default => return self.main_branch(),
            Reference::Branch(name) => ("branch", format!("refs/heads/{name}")),
            Reference::Tag(name) => ("tag", format!("refs/tags/{name}")),
            Reference::Rev(rev) if rev.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                ("commit", rev.clone())
            }
            Reference::Rev(rev) => {
                let message = format!("expected the hash of a commit, found {rev:?}");
                return Err(InstallError::usage("git-reference", message));
            }
        };
        self.parse(&name).ok_or_else(|| {
            let wanted = match reference {
                Reference::Default => "",
                Reference::Branch(name) | Reference::Tag(name) | Reference::Rev(name) => name,
            };
            let error = InstallError::not_found(
                "git-reference",
                format!("{} has no {what} {wanted:?}", self.url),
            );
            match self.names(what) {
                Some(names) => error.hint(format!("there are: {names}")),
                None => error,
            }
        })
    }

    /// The newest commit of the main branch. The mirror knows the one of the day on which it was made.
    fn main_branch(&self) -> Result<String> {
        let unborn =
            || InstallError::not_found("git-reference", format!("{} has no commits", self.url));
        if self.offline {
            return self.parse("HEAD").ok_or_else(unborn);
        }
        let said = run(git(&self.mirror).args(["ls-remote", "--quiet", "--", &self.url, "HEAD"]))
            .map_err(|fault| self.failed("ask", fault))?;
        let commit = said.split_whitespace().next().ok_or_else(unborn)?;
        self.parse(commit).ok_or_else(unborn)
    }

    fn parse(&self, name: &str) -> Option<String> {
        let wanted = format!("{name}^{{commit}}");
        let said = run(git(&self.mirror).args(["rev-parse", "--verify", "--quiet", &wanted]));
        said.ok().map(|said| said.trim().to_owned())
    }

    /// Some names of what there is instead.
    fn names(&self, what: &str) -> Option<String> {
        const SHOWN: usize = 8;
        let below = match what {
            "branch" => "refs/heads",
            "tag" => "refs/tags",
            _ => return None,
        };
        let said =
            run(git(&self.mirror).args(["for-each-ref", "--format=%(refname:lstrip=2)", below]));
        let said = said.ok()?;
        let names: Vec<&str> = said.lines().collect();
        let mut shown = names[..names.len().min(SHOWN)].join(", ");
        if names.len() > SHOWN {
            let _ = write!(shown, " and {} more", names.len() - SHOWN);
        }
        (!names.is_empty()).then_some(shown)
    }

    /// The files of a commit, in a directory that stays the same from commit to commit.
    pub(crate) fn checkout(&self, commit: &str) -> Result<&Path> {
        let dir = &self.checkout;
        let failed = |error: io::Error| InstallError::io("make the checkout", dir, error);
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let parent = dir.parent().unwrap_or(Path::new("."));
        disk::create_dir(parent)?;
        let cloned = run(git(parent)
            .args(["clone", "--quiet", "--local", "--no-checkout", "--"])
            .arg(&self.mirror)
            .arg(dir));
        cloned
            .and_then(|_| run(git(dir).args(["checkout", "--quiet", "--detach", commit])))
            .map_err(|fault| self.failed("check out", fault))?;
        Ok(dir)
    }

    /// Where cargo builds it.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    fn failed(&self, doing: &str, fault: Fault) -> InstallError {
        match fault {
            Fault::NotStarted(error) => {
                InstallError::build("git", format!("cannot run git: {error}"))
                    .hint("install git, which is what fetches repositories")
            }
            Fault::Said(said) => {
                let lines: Vec<&str> = said.lines().map(str::trim).collect();
                let fatal = lines.iter().find_map(|line| line.strip_prefix("fatal: "));
                let why = fatal.or(lines.last().copied()).unwrap_or("it said nothing");
                InstallError::build("git", format!("git cannot {doing} {}: {why}", self.url))
                    .details(said.clone())
            }
        }
    }
}

#[derive(Debug)]
enum Fault {
    NotStarted(io::Error),
    Said(String),
}

/// Runs git; answers what it writes to stdout.
fn run(command: &mut Command) -> Result<String, Fault> {
    let output = command.output().map_err(Fault::NotStarted)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Fault::Said(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}

/// What a git that runs this process, as in a hook, says of its own repository.
const LEAKING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Git in a directory: it asks nobody anything, runs no hooks, and starts no programs that a URL names.
fn git(dir: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(dir)
        .args(["-c", "core.hooksPath=/dev/null"])
        .args(["-c", "protocol.ext.allow=never"])
        .args(["-c", "advice.detachedHead=false"])
        .env("GIT_TERMINAL_PROMPT", "0")
        // Its messages are shown in the middle of ours.
        .env("LC_ALL", "C")
        .stdin(std::process::Stdio::null());
    for name in LEAKING {
        git.env_remove(name);
    }
    git
}

/// The name of a repository's directories: readable, and no other's.
fn directory_name(url: &str) -> String {
    let last = url
        .trim_end_matches('/')
        .rsplit(['/', ':'])
        .next()
        .unwrap_or_default();
    let last = last.strip_suffix(".git").unwrap_or(last);
    let readable: String = last
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(40)
        .collect();
    let hash = hash_bytes(url.as_bytes()).to_string();
    let hash = hash.strip_prefix("blake3:").unwrap_or(&hash);
    format!("{readable}-{}", &hash[..16])
}

#[cfg(test)]
mod tests {
    use super::directory_name;

    #[test]
    fn two_repositories_of_one_name_have_directories_of_their_own() {
        let one = directory_name("https://example.org/acme/weather.git");
        let other = directory_name("git@example.org:other/weather.git");
        assert!(one.starts_with("weather-") && other.starts_with("weather-"));
        assert_ne!(one, other);
        assert!(directory_name("https://example.org/../..").starts_with('-'));
    }
}
