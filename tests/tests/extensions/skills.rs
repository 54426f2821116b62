//! Skills, of plugins with code and of those that are nothing but files.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use keyway::skill::{Skill, SkillHandle};
use keyway::{ErrorKind, Scope};
use keyway_host::{Call, Decision, EventKind, Host, HostErrorKind};
use keyway_tests::plugin;
use serde_json::json;

use crate::scene::{Scene, start, wait_for};

const REVIEW: &str = "---\n\
    description: How to review a change.\n\
    tools: [diff]\n\
    resources: [docs/style.md]\n\
    user-invocable: true\n\
    ---\n\
    Read it *all*.\n";

const FILES: &str = "skills = [\"skills/review.md\", \"greet/SKILL.md\"]\n\
    resources = [\"docs/style.md\", \"docs/other.md\"]\n";

/// Writes a plugin without code; answers its directory.
fn write(scene: &Scene, id: &str, content: &str, more: &str) -> PathBuf {
    let directory = scene.path("plugins").join(id);
    let manifest = format!(
        "[plugin]\nid = \"{id}\"\nversion = \"1.0.0\"\nmin_host_version = \"1.0.0\"\n{more}\n\
         [plugin.content]\n{content}"
    );
    for (file, text) in [
        ("plugin.toml", &*manifest),
        ("skills/review.md", REVIEW),
        ("greet/SKILL.md", "Say hello.\n"),
        ("docs/style.md", "Be brief.\n"),
        ("docs/other.md", "Not for the review.\n"),
    ] {
        let path = directory.join(file);
        std::fs::create_dir_all(path.parent().expect("a directory above")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    directory
}

fn names(host: &Host) -> Vec<String> {
    let skills = host.skills().into_iter();
    skills
        .map(|skill| format!("{} of {}", skill.name, skill.plugin))
        .collect()
}

#[test]
fn a_plugin_that_is_nothing_but_files_offers_skills_like_any_other() {
    let scene = Scene::new();
    write(&scene, "reviews", FILES, "");
    let host = scene.builder().build().expect("a host");
    let mut events = host.events();
    let report = host.block_on(host.start_all()).expect("the host lives");
    assert!(report.is_ok(), "{report}");
    wait_for(&host, &mut events, |kind| {
        matches!(kind, EventKind::Loaded { .. }).then_some(())
    });
    assert_eq!(names(&host), ["greet of reviews", "review of reviews"]);
    let skills = host.skills();
    assert_eq!(skills[1].description, "How to review a change.");
    assert!(skills[1].user_invocable && !skills[0].user_invocable);
    let offered = host.capabilities();
    assert!(
        offered
            .iter()
            .all(|one| one.id == "keyway.skill" && one.plugin == "reviews")
    );

    host.block_on(async {
        let review = host.skill("review").await.expect("it is offered");
        let spec = review.spec().expect("it says");
        assert_eq!(spec.instructions, "Read it *all*.\n");
        assert_eq!(
            (&*spec.tools, &*spec.resources),
            (&["diff".to_owned()][..], &["docs/style.md".to_owned()][..])
        );
        let style = review.resource("docs/style.md").await.expect("it has it");
        assert_eq!(style, &b"Be brief.\n"[..]);
        for other in [
            "docs/other.md",
            "../reviews/docs/style.md",
            "plugin.toml",
            "",
        ] {
            let error = review.resource(other).await.expect_err("it is not its own");
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        // By a typed handle it is the same.
        let handle: SkillHandle = host.capability("greet").expect("it is offered");
        assert_eq!(
            handle.spec().expect("it says").0.instructions,
            "Say hello.\n"
        );

        host.stop_all().await.expect("the host lives");
        assert!(host.skills().is_empty());
        let error = review.spec().expect_err("nobody serves it");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        host.start_all().await.expect("the host lives");
        review.spec().expect("it serves again");
    });
}

#[test]
fn edited_files_are_read_when_their_plugin_is_restarted() {
    let scene = Scene::new();
    let directory = write(&scene, "reviews", FILES, "");
    let host = scene.started();
    let spec = || {
        let skill = host.block_on(host.skill("greet")).expect("it is offered");
        skill.spec().expect("it says").instructions
    };
    std::fs::write(directory.join("greet/SKILL.md"), "Say good day.\n").expect("a file");
    assert_eq!(spec(), "Say hello.\n", "what was read when it started");
    host.block_on(host.restart("reviews")).expect("it is known");
    assert_eq!(spec(), "Say good day.\n");
}

#[test]
fn a_plugin_whose_files_do_not_read_is_not_started_and_says_which_it_is() {
    let too_long = "x".repeat(300 * 1024);
    let unlisted = "---\nresources: docs/gone.md\n---\n";
    for (text, says) in [
        (
            "---\ndescription: x\n",
            "reading skill `greet` failed: greet/SKILL.md does not read: line 1: the front matter \
             has no end; expected a line `---` after it",
        ),
        (&*too_long, "SKILL.md is larger than 262144 bytes"),
        (
            unlisted,
            "skill `greet` has the resource `docs/gone.md`, which is not among the plugin's files",
        ),
    ] {
        let scene = Scene::new();
        let directory = write(&scene, "reviews", FILES, "");
        std::fs::write(directory.join("greet/SKILL.md"), text).expect("a file");
        let host = scene.builder().build().expect("a host");
        let report = host.block_on(host.start_all()).expect("the host lives");
        let (_, error) = report.failed.iter().next().expect("it does not start");
        assert_eq!(error.kind(), HostErrorKind::Prepare);
        let told = error.to_string();
        assert!(told.contains(says), "{told}");
        assert!(told.contains("'reviews' v1.0.0"), "{told}");
        assert!(host.skills().is_empty());
    }
}

#[test]
fn no_link_leads_out_of_the_plugin_s_directory() {
    let scene = Scene::new();
    let directory = write(&scene, "reviews", FILES, "");
    // Inside of the root, so that nobody else objects to it.
    std::fs::write(scene.path("plugins/secret"), "secret").expect("a file");
    let style = directory.join("docs/style.md");
    let link = |to: &str| {
        std::fs::remove_file(&style).expect("it is there");
        symlink(to, &style).expect("a link");
    };
    let host = scene.started();
    let read = || {
        let read = async {
            host.skill("review")
                .await
                .expect("it is offered")
                .resource("docs/style.md")
                .await
        };
        host.block_on(read)
    };
    link("other.md");
    assert_eq!(
        read().expect("it stays inside"),
        &b"Not for the review.\n"[..]
    );
    for outside in ["../../secret", "/etc/hostname"] {
        link(outside);
        let error = read().expect_err("it leads out");
        let found = (error.kind(), error.error_code());
        assert_eq!(found, (ErrorKind::Denied, "leads-outside"), "{error}");
    }
    link("../docs");
    let error = read().expect_err("it is no file");
    assert_eq!(error.error_code(), "not-a-file");

    // The same holds for the instructions, when they are read.
    let greet = directory.join("greet/SKILL.md");
    std::fs::remove_file(&greet).expect("it is there");
    symlink("../../secret", &greet).expect("a link");
    std::fs::remove_file(&style).expect("it is there");
    std::fs::write(&style, "").expect("a file");
    let host = scene.builder().build().expect("a host");
    let report = host.block_on(host.start_all()).expect("the host lives");
    let error = report.failed.values().next().expect("it does not start");
    assert!(error.to_string().contains("leads out of"), "{error}");
}

#[test]
fn a_resource_that_is_too_large_is_refused() {
    let scene = Scene::new();
    let directory = write(&scene, "reviews", FILES, "");
    let style = std::fs::File::create(directory.join("docs/style.md")).expect("a file");
    style.set_len((16 << 20) + 1).expect("a hole takes no room");
    let host = scene.started();
    let read = async {
        host.skill("review")
            .await
            .expect("it is offered")
            .resource("docs/style.md")
            .await
    };
    let error = host.block_on(read).expect_err("it is too large");
    assert_eq!(error.error_code(), "size-limit");
}

#[test]
fn two_plugins_cannot_offer_the_same_skill_and_a_policy_decides_about_all() {
    let scene = Scene::new();
    write(&scene, "one", FILES, "");
    let review = "skills = [\"skills/review.md\"]\nresources = [\"docs/style.md\"]\n";
    write(
        &scene,
        "two",
        review,
        "[plugin.dependencies]\none = \"*\"\n",
    );
    let policy = |call: &Call| match &*call.capability {
        "keyway.skill" if &*call.name == "greet" => Decision::Deny {
            reason: "nobody is to be greeted".to_owned(),
        },
        _ => Decision::Allow,
    };
    let host = scene.builder().policy(policy).build().expect("a host");
    let report = host.block_on(host.start_all()).expect("the host lives");
    assert_eq!(report.done.len(), 1, "{report}");
    let error = &report.failed["two"];
    assert_eq!(error.kind(), HostErrorKind::Registration);
    assert!(
        error.message().contains("offers keyway.skill/1 `review`"),
        "{error}"
    );
    assert_eq!(names(&host), ["greet of one", "review of one"]);
    let greet = host.block_on(host.skill("greet")).expect("it is offered");
    let error = greet.spec().expect_err("the policy is asked");
    assert_eq!(error.error_code(), "denied-by-policy");
}

#[test]
fn a_lazy_plugin_without_code_is_started_when_its_skill_is_asked_for() {
    let scene = Scene::new();
    let lazy = "[plugin.activation]\nstartup = false\n";
    write(&scene, "reviews", FILES, lazy);
    let host = start(scene.builder());
    assert!(host.skills().is_empty());
    let skill = host
        .block_on(host.skill("review"))
        .expect("it starts for that");
    skill.spec().expect("it serves");
    let record = host.record("reviews").expect("it is there");
    assert!(record.runtime.is_active());
    let error = host
        .block_on(host.skill("reviev"))
        .expect_err("there is none");
    assert_eq!(error.kind(), HostErrorKind::NotFound);
}

#[test]
fn a_person_asks_for_a_skill_as_for_a_command() {
    let scene = Scene::new();
    write(&scene, "reviews", FILES, "");
    let host = scene.started();
    let commands = host.commands();
    let list = commands.list();
    let listed: Vec<(&str, bool)> = list.iter().map(|one| (&*one.name, one.skill)).collect();
    assert_eq!(listed, [("help", false), ("review", true)]);
    let help = commands.help_of("review").expect("it is there");
    assert_eq!(
        help,
        "/review\nHow to review a change.\nFrom plugin 'reviews'\n"
    );
    let output = host.block_on(commands.run("/review the last one", Scope::new()));
    let output = output.expect("it answers");
    assert_eq!(output.text.as_deref(), Some("Read it *all*.\n"));
    let data = json!({
        "skill": "review",
        "tools": ["diff"],
        "resources": ["docs/style.md"],
        "text": "the last one",
        "arguments": ["the", "last", "one"],
    });
    assert_eq!(output.data, Some(data));
}

#[test]
fn skills_of_plugins_with_code_are_listed_with_the_others() {
    let scene = Scene::new();
    write(&scene, "reviews", "skills = [\"skills/note.md\"]\n", "");
    std::fs::write(scene.path("plugins/reviews/skills/note.md"), "Note.\n").expect("a file");
    let host = scene.started();
    host.block_on(async {
        host.load(plugin("every-kind")).await.expect("it loads");
        assert_eq!(
            names(&host),
            [
                "greet of every-kind",
                "note of reviews",
                "review of every-kind"
            ]
        );
        let greet = host.skill("greet").await.expect("it is offered");
        let card = greet.resource("card.txt").await.expect("it has it");
        assert_eq!(card, &b"Good day"[..]);
    });
}
