//! What cargo really does.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::scene::Scene;

/// Runs the cargo that built this test, away from its settings.
fn build(project: &Path) {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet", "--target-dir", "target"])
        .current_dir(project)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn write(project: &Path, file: &str, content: &str) {
    let path = project.join(file);
    fs::create_dir_all(path.parent().expect("its directory")).expect("a directory");
    fs::write(path, content).expect("a file");
}

#[test]
fn each_build_of_a_workspace_is_reported_when_it_is_complete() {
    let mut scene = Scene::new();
    let project = scene.path("project");
    write(
        &project,
        "Cargo.toml",
        "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"2\"\n",
    );
    let library = |name: &str| {
        let affixes = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        format!("project/target/debug/{}{name}{}", affixes.0, affixes.1)
    };
    for name in ["one", "two"] {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\n"
        );
        write(&project, &format!("{name}/Cargo.toml"), &manifest);
        scene.add(&library(name));
    }
    for answer in [1, 2, 3] {
        for name in ["one", "two"] {
            let code =
                format!("#[no_mangle]\npub extern \"C\" fn answer() -> u32 {{ {answer} }}\n");
            write(&project, &format!("{name}/src/lib.rs"), &code);
        }
        build(&project);
        // One set if the second is linked while the first settles, otherwise two.
        let mut names = scene.settled();
        if names.len() == 1 {
            names.extend(scene.settled());
        }
        names.sort();
        assert_eq!(names, [library("one"), library("two")]);
        scene.synchronize();
    }
    // Nothing to do, nothing to report.
    build(&project);
    scene.synchronize();
    fs::remove_dir_all(project.join("target")).expect("to be deleted");
    assert_eq!(scene.missing(), library("one"));
    assert_eq!(scene.missing(), library("two"));
    build(&project);
    let mut names = scene.settled();
    if names.len() == 1 {
        names.extend(scene.settled());
    }
    names.sort();
    assert_eq!(names, [library("one"), library("two")]);
}
