//! Reading a registry, wherever it is: what its index says of a plugin, and the archives, which are compared with
//! their hashes before anybody gets them.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use keyway_host::inspect::{ContentHash, hash_bytes, hash_file};
use keyway_host::manifest::PluginId;

use super::index::{self, Archived, Index, ROOT, Release};
use super::text;
use super::web::{Answer, Patience, Tell, Web};
use super::{Place, Registry};
use crate::disk;
use crate::error::{InstallError, InstallErrorKind, Result};
use crate::guard::Guard;
use crate::home::Home;
use crate::limits::MAX_INDEX_BYTES;

/// Reads one registry.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    registry: &'a Registry,
    cache: &'a Path,
    offline: bool,
    tell: &'a Tell,
    patience: Patience,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        registry: &'a Registry,
        home: &'a Home,
        offline: bool,
        tell: &'a Tell,
    ) -> Self {
        Reader {
            registry,
            cache: home.cache(),
            offline,
            tell,
            patience: Patience::default(),
        }
    }

    /// What the index says of a plugin; none if the registry does not have it.
    ///
    /// # Errors
    ///
    /// `index`, `network`, `offline`, and `no-registry` where there is none at all.
    pub(crate) fn index(&self, name: &PluginId) -> Result<Option<Index>> {
        match self.text(&index::path_of(name))? {
            Some(text) => text::read(name, &text).map(Some),
            None => self.check_root().map(|()| None),
        }
    }

    /// That there is a registry at all.
    fn check_root(&self) -> Result<()> {
        let registry = self.registry;
        let Some(text) = self.text(ROOT)? else {
            let message = format!("there is no registry at {registry}: it has no {ROOT}");
            return Err(InstallError::not_found("no-registry", message)
                .hint("a registry is made by: keyway publish PLUGIN --to DIR"));
        };
        text::check_root(&text).map_err(|fault| {
            InstallError::unfit(
                "index",
                format!("the registry at {registry} cannot be used: {fault}"),
            )
        })
    }

    /// A file of the registry, as text.
    fn text(&self, path: &str) -> Result<Option<String>> {
        match &self.registry.0 {
            Place::Directory(dir) => read_text(&dir.join(path)),
            Place::Web(root) => self.web_text(&format!("{root}/{path}"), path),
        }
    }

    /// A text of a web server, or the copy of it in the cache, if that is still the same.
    fn web_text(&self, url: &str, path: &str) -> Result<Option<String>> {
        let of_registry = hash_bytes(self.registry.to_string().as_bytes());
        let kept = self
            .cache
            .join("index")
            .join(hex(&of_registry, 16))
            .join(path);
        let cached = Cached::read(&kept);
        if self.offline {
            return match cached {
                Some(cached) => Ok(Some(cached.text)),
                None => Err(offline(url)),
            };
        }
        let web = Web::new(self.registry.is_secure(), self.patience);
        let etag = cached.as_ref().and_then(|cached| cached.etag.as_deref());
        match web.text(url, etag)? {
            Answer::New { text, etag } => {
                let fresh = Cached { etag, text };
                fresh.write(&kept)?;
                Ok(Some(fresh.text))
            }
            Answer::Same => Ok(cached.map(|cached| cached.text)),
            Answer::Missing => {
                // That it is still there is of no use; that it cannot be removed no reason to fail.
                let _ = fs::remove_file(&kept);
                Ok(None)
            }
        }
    }

    /// The archive of a release, as a file whose content has the hash of the index.
    ///
    /// # Errors
    ///
    /// `hash-mismatch`, `size-mismatch`, `archive-missing`, `network`, `offline`.
    pub(crate) fn archive(&self, release: &Release, archived: &Archived) -> Result<PathBuf> {
        let label = format!("'{}' v{}", release.name, release.version);
        let root = match &self.registry.0 {
            Place::Directory(dir) => {
                let path = dir.join(&archived.path);
                return match fs::metadata(&path) {
                    Ok(metadata) if metadata.len() == archived.size => Ok(path),
                    Ok(metadata) => Err(InstallError::unfit(
                        "size-mismatch",
                        format!(
                            "the archive has the wrong size: expected {} bytes, found {}",
                            archived.size,
                            metadata.len()
                        ),
                    )
                    .at(&path)),
                    Err(error) => Err(InstallError::io("read the archive", &path, error)),
                }
                .map_err(|error| error.of_plugin(label));
            }
            Place::Web(root) => root,
        };
        let archives = self.archives();
        let guard = archives.join(".guard");
        let what = format!("{} {}", release.name, release.version);
        // One at a time, since two would write the same file.
        let _guard = Guard::exclusive(&guard, &format!("download of {what}"), &mut |_| {})?;
        if let Some(path) = self.cached(&archived.hash)? {
            return Ok(path);
        }
        // Letters that mean something else in some URLs than in paths.
        let url = format!("{root}/{}", archived.path.replace('+', "%2B"));
        if self.offline {
            return Err(offline(&url).of_plugin(label));
        }
        self.download(&url, &what, archived)
            .map_err(|error| error.of_plugin(label))
    }

    fn download(&self, url: &str, what: &str, archived: &Archived) -> Result<PathBuf> {
        let path = self.archive_path(&archived.hash);
        let part = path.with_extension("part");
        let web = Web::new(self.registry.is_secure(), self.patience);
        let unwritable = |error| InstallError::io("write the download", &part, error);
        let mut is_second = false;
        loop {
            let mut options = File::options();
            let file = options.read(true).write(true).create(true).truncate(false);
            let mut file = file.open(&part).map_err(unwritable)?;
            let was_joined = web.download(url, &mut file, what, archived.size, self.tell)?;
            drop(file);
            let found = hash_file(&part)?;
            if found == archived.hash {
                fs::rename(&part, &path).map_err(unwritable)?;
                return Ok(path);
            }
            fs::remove_file(&part).map_err(unwritable)?;
            if is_second || !was_joined {
                let message = format!(
                    "{url} is not what the index says: expected {}, found {found}",
                    archived.hash
                );
                return Err(InstallError::unfit("hash-mismatch", message)
                    .hint("nothing of it was looked at; tell whoever keeps the registry"));
            }
            is_second = true;
            // Its two parts may have been of two files: once more, from the start.
        }
    }

    /// An archive that was downloaded before, by its hash; what is not that any more is removed.
    pub(crate) fn cached(&self, hash: &ContentHash) -> Result<Option<PathBuf>> {
        let path = self.archive_path(hash);
        if !path.is_file() {
            return Ok(None);
        }
        if hash_file(&path)? == *hash {
            return Ok(Some(path));
        }
        fs::remove_file(&path)
            .map_err(|error| InstallError::io("remove the file", &path, error))?;
        Ok(None)
    }

    fn archives(&self) -> PathBuf {
        self.cache.join("archives")
    }

    fn archive_path(&self, hash: &ContentHash) -> PathBuf {
        self.archives().join(format!("{}.tar.gz", hex(hash, 64)))
    }
}

/// The content of the same version is another one than before.
pub(crate) fn changed(registry: &Registry, expected: &str, found: &ContentHash) -> InstallError {
    let message = format!(
        "{registry} has other content for this version than before: expected {expected}, found {found}"
    );
    InstallError::new(InstallErrorKind::Refused, "registry-changed", message).hint(
        "a version that is published does not change; ask whoever keeps the registry, and uninstall it first \
         if the new content is good",
    )
}

fn offline(url: &str) -> InstallError {
    let message = format!("{url} is not in the cache, and without a network it cannot be got");
    InstallError::not_found("offline", message).hint("leave --offline out once")
}

/// Digits of a hash.
fn hex(hash: &ContentHash, digits: usize) -> String {
    let text = hash.to_string();
    let hex = text.split_once(':').map_or(&*text, |(_, hex)| hex);
    hex.chars().take(digits).collect()
}

/// A text file of a registry; none if it is not there.
pub(super) fn read_text(path: &Path) -> Result<Option<String>> {
    let unreadable = |error| InstallError::io("read the index", path, error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_INDEX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_INDEX_BYTES {
        let message = format!("the index is too large: expected at most {MAX_INDEX_BYTES} bytes");
        return Err(InstallError::unfit("index", message).at(path));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| InstallError::unfit("index", "the index is not UTF-8").at(path))?;
    Ok(Some(text))
}

/// A text of a web server with its tag: the tag in the first line, then the text.
struct Cached {
    etag: Option<String>,
    text: String,
}

impl Cached {
    /// One that cannot be read is none.
    fn read(path: &Path) -> Option<Self> {
        let kept = read_text(path).ok()??;
        let (etag, text) = kept.split_once('\n')?;
        Some(Cached {
            etag: Some(etag.to_owned()).filter(|etag| !etag.is_empty()),
            text: text.to_owned(),
        })
    }

    fn write(&self, path: &Path) -> Result<()> {
        let dir = path.parent().unwrap_or(Path::new("."));
        disk::create_dir(dir)?;
        let etag = self
            .etag
            .as_deref()
            .filter(|etag| !etag.contains(['\n', '\r']));
        let kept = format!("{}\n{}", etag.unwrap_or_default(), self.text);
        disk::replace_shared(path, kept.as_bytes())
    }
}
