//! Plugins from git repositories: real ones, with a real git and a real cargo.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;
use keyway_host::inspect::inspect_bytes;
use keyway_host::keyway::abi::note;
use keyway_tests::binary::note_range;
use keyway_tests::edited::EditedPlugin;
use keyway_tests::many::Part;
use keyway_tests::workspace;

use crate::crates::write;
use crate::run::Run;
use crate::site::Site;

/// A repository in the directory of a test.
struct Repository(PathBuf);

impl Repository {
    fn new(dir: PathBuf) -> Self {
        std::fs::create_dir_all(&dir).expect("a directory");
        let repository = Repository(dir);
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(&self.0)
            .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}\n{errors}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Commits a version of the plugin `noted`; answers the commit.
    ///
    /// It is a crate that depends on nothing and has a plugin's note, so that it builds in no time. To be
    /// installed a plugin needs no more: nothing of it runs.
    fn commit(&self, version: &str) -> String {
        let library = Part::new("noted").version(version).library();
        let inspection = inspect_bytes(&library).expect("a library");
        let facts = inspection.require_note().expect("a plugin");
        let note = &library[note_range(&library)];
        std::fs::create_dir_all(self.0.join("src")).expect("a directory");
        std::fs::write(self.0.join("note"), note).expect("a file");
        let source = format!(
            "#[repr(C, align(4))]\npub struct Note([u8; {len}]);\n\n#[used]\n\
             #[unsafe(link_section = {section:?})]\n\
             pub static NOTE: Note = Note(*include_bytes!(\"../note\"));\n\n\
             #[unsafe(no_mangle)]\npub static {symbol}: u8 = 0;\n",
            len = note.len(),
            section = note::SECTION_ELF,
            symbol = facts.symbol,
        );
        write(&self.0, "src/lib.rs", &source);
        write(
            &self.0,
            "Cargo.toml",
            "[package]\nname = \"noted\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n",
        );
        write(
            &self.0,
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"noted\"\nversion = \"0.1.0\"\n",
        );
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--message", version]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// `keyway` with a target directory of the site's own.
fn keyway(site: &Site, arguments: &str) -> Run {
    site.keyway(arguments)
        .args("--quiet")
        .env("CARGO_TARGET_DIR", site.path("target"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
}

#[test]
fn a_repository_is_built_and_its_commit_is_in_the_lockfile() {
    let site = Site::new();
    let repository = Repository::new(site.path("noted"));
    let first = repository.commit("1.0.0");
    keyway(&site, "install git+./noted").check(&expect![[r#"
        exit 0
        --- stdout
        install  noted 1.0.0  from git+[DIR]/noted at [COMMIT]
    "#]]);
    let lock = site.lock();
    let noted = lock.get("noted").expect("it is installed");
    assert_eq!(noted.revision.as_deref(), Some(&*first));
    keyway(&site, "update").check(&expect![[r#"
        exit 0
        --- stdout
        keep     noted 1.0.0
    "#]]);
    repository.commit("1.1.0");
    keyway(&site, "update --dry-run").check(&expect![[r#"
        exit 0
        --- stdout
        update   noted 1.0.0 -> 1.1.0  from git+[DIR]/noted at [COMMIT]
    "#]]);
    keyway(&site, "update").check(&expect![[r#"
        exit 0
        --- stdout
        update   noted 1.0.0 -> 1.1.0  from git+[DIR]/noted at [COMMIT]
    "#]]);
    assert_eq!(site.installed(), ["noted 1.1.0"]);
    // What the lockfile says is got again at its commit, whatever came since, and without a network.
    repository.commit("1.2.0");
    std::fs::remove_dir_all(site.package("noted")).expect("it is there");
    keyway(&site, "install --frozen").check(&expect![[r#"
        exit 0
        --- stdout
        restore  noted 1.1.0  from git+[DIR]/noted at [COMMIT]
    "#]]);
    assert_eq!(site.installed(), ["noted 1.1.0"]);
    site.check_consistency();
}

#[test]
fn branches_tags_and_commits_are_taken_as_they_are_named() {
    let site = Site::new();
    let repository = Repository::new(site.path("noted"));
    let first = repository.commit("1.0.0");
    repository.git(&["tag", "v1"]);
    repository.git(&["switch", "--quiet", "--create", "next"]);
    repository.commit("2.0.0-next");
    repository.git(&["switch", "--quiet", "main"]);
    repository.commit("1.1.0");
    let installs = |arguments: &str, version: &str| {
        let output = keyway(&site, &format!("install {arguments}")).output();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments}\n{errors}");
        assert_eq!(
            site.installed(),
            [format!("noted {version}")],
            "{arguments}"
        );
    };
    installs("./noted --branch next", "2.0.0-next");
    installs("./noted --tag v1", "1.0.0");
    installs("git+./noted", "1.1.0");
    installs(&format!("git+./noted --rev {}", &first[..10]), "1.0.0");
    installs("git+./noted?branch=main", "1.1.0");
    // Both are still where they were.
    keyway(&site, "update --offline").check(&expect![[r#"
        exit 0
        --- stdout
        keep     noted 1.1.0
    "#]]);
    let missing = ["--branch nxt", "--tag v9", "--rev abcdef", "--rev main"];
    let [branch, tag, rev, name] =
        missing.map(|one| keyway(&site, &format!("install ./noted {one}")));
    branch.check(&expect![[r#"
        exit 5
        --- stderr
        error: [DIR]/noted has no branch "nxt"
        hint: there are: main, next
    "#]]);
    tag.check(&expect![[r#"
        exit 5
        --- stderr
        error: [DIR]/noted has no tag "v9"
        hint: there are: v1
    "#]]);
    rev.check(&expect![[r#"
        exit 5
        --- stderr
        error: [DIR]/noted has no commit "abcdef"
    "#]]);
    name.check(&expect![[r#"
        exit 2
        --- stderr
        error: expected the hash of a commit, found "main"
    "#]]);
}

#[test]
fn what_git_and_cargo_cannot_do_is_told() {
    let site = Site::new();
    keyway(&site, "install git+./nowhere").check(&expect![[r#"
        exit 4
        --- stderr
        error: git cannot clone [DIR]/nowhere: repository '[DIR]/nowhere' does not exist
          the whole is shown with -v
    "#]]);
    keyway(&site, "install git+./nowhere --offline").check(&expect![[r#"
        exit 5
        --- stderr
        error: [DIR]/nowhere is not in the cache, and without a network it cannot be got
        hint: leave --offline out once
    "#]]);
    let repository = Repository::new(site.path("noted"));
    repository.commit("1.0.0");
    write(&repository.0, "src/lib.rs", "this is not Rust");
    repository.git(&["commit", "--quiet", "--all", "--message", "broken"]);
    let output = keyway(&site, "install git+./noted").args("").output();
    assert_eq!(output.status.code(), Some(4));
    repository.commit("1.0.0");
    repository.git(&["rm", "--quiet", "Cargo.lock"]);
    repository.git(&["commit", "--quiet", "--message", "without a lock"]);
    keyway(&site, "install git+./noted").check(&expect![[r#"
        exit 4
        --- stderr
        error: cargo could not build package `noted`
          the whole is shown with -v
        hint: a plugin that is built from its source has its Cargo.lock beside Cargo.toml, so that everybody builds the same
    "#]]);
    assert!(site.installed().is_empty());
}

#[test]
fn hooks_of_a_repository_do_not_run() {
    let site = Site::new();
    let repository = Repository::new(site.path("noted"));
    repository.commit("1.0.0");
    let template = site.path("template/hooks");
    std::fs::create_dir_all(&template).expect("a directory");
    let hook = template.join("post-checkout");
    std::fs::write(
        &hook,
        format!("#!/bin/sh\ntouch {}\n", site.path("ran").display()),
    )
    .expect("a file");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, executable).expect("it can be run");
    let output = keyway(&site, "install git+./noted")
        .env("GIT_TEMPLATE_DIR", site.path("template"))
        .output();
    assert!(output.status.success());
    assert!(!site.path("ran").exists());
}

#[test]
fn a_real_plugin_is_built_from_its_repository_and_called() {
    let site = Site::new();
    let plugin = EditedPlugin::new(env!("CARGO_TARGET_TMPDIR"), "from-git");
    plugin.edit("1.0.0", "Ok(format!(\"Hello, {name}!\"))");
    // With the versions of the workspace, as far as it needs them: `--locked` wants exactly those.
    let metadata = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--offline"])
        .current_dir(plugin.dir())
        .output()
        .expect("cargo starts");
    assert!(metadata.status.success());
    let repository = Repository::new(site.path("from-git"));
    copy(plugin.dir(), &repository.0);
    repository.git(&["add", "."]);
    repository.git(&["commit", "--quiet", "--message", "1.0.0"]);
    assert!(
        workspace().join("interface").is_dir(),
        "it depends on that by its path"
    );
    let output = site
        .keyway("install git+./from-git --offline --quiet")
        .env("CARGO_TARGET_DIR", plugin.target())
        // An optimized build of all that it depends on takes minutes, and shows nothing more.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output();
    assert_eq!(output.status.code(), Some(5), "offline it cannot be cloned");
    let output = site
        .keyway("install git+./from-git --quiet")
        .env("CARGO_TARGET_DIR", plugin.target())
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let library = site.package("from-git").join("libfrom_git.so");
    site.keyway("call")
        .arg(&library)
        .arg("greet")
        .arg(r#"{"name":"Ada"}"#)
        .check(&expect![[r#"
            exit 0
            --- stdout
            "Hello, Ada!"
        "#]]);
}

fn copy(from: &Path, to: &Path) {
    for name in ["Cargo.toml", "Cargo.lock", "src/lib.rs", "src/v1.0.0.toml"] {
        let target = to.join(name);
        std::fs::create_dir_all(target.parent().expect("a directory")).expect("a directory");
        std::fs::copy(from.join(name), target).expect("a copy");
    }
}
