//! `cargo generate` for the tests, without being asked anything: `generate TEMPLATE PARENT NAME KEY=VALUE...`
//! makes `PARENT/NAME`. A placeholder that is not given takes its default.

use std::path::PathBuf;

use cargo_generate::{GenerateArgs, TemplatePath, Vcs, generate};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().unwrap_or_else(|| panic!("no {what}"));
    let template = next("template");
    let parent = PathBuf::from(next("directory"));
    let name = next("name");
    // The user's own settings have no say.
    let settings = parent.join("cargo-generate-settings.toml");
    std::fs::write(&settings, "").expect("a file");
    let generated = generate(GenerateArgs {
        template_path: TemplatePath {
            path: Some(template),
            ..TemplatePath::default()
        },
        config: Some(settings),
        destination: Some(parent),
        name: Some(name),
        define: arguments.collect(),
        silent: true,
        vcs: Some(Vcs::None),
        // The template has to be in order as it is.
        no_fmt: true,
        ..GenerateArgs::default()
    });
    if let Err(error) = generated {
        eprintln!("{error:?}");
        std::process::exit(1);
    }
}
