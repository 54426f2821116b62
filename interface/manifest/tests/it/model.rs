//! What a valid manifest says, in both syntaxes.

use std::time::Duration;

use crate::base::BASE_TOML;
use keyway_manifest::{
    Access, BUILT_IN, ConfigType, ConfigValue, Isolation, ItemType, Manifest, PluginId, Reload,
    ReloadMode, ReloadPolicy, StatePolicy, ThreadLocals, Trigger, TriggerKind, capability_id,
    capability_named, is_capability_id, kind_key,
};
use semver::{Version, VersionReq};

const FULL: &str = include_str!("model/full.toml");
const FULL_JSON: &str = include_str!("model/full.json");

#[track_caller]
fn read(lines: &str) -> Manifest {
    let text = format!("{BASE_TOML}{lines}");
    Manifest::from_toml(&text, "plugin.toml").unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn full() -> Manifest {
    Manifest::from_toml(FULL, "plugin.toml").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_part_of_the_model_is_read() {
    let manifest = full();
    assert_eq!(manifest.id.as_str(), "text-filter");
    assert_eq!(manifest.version, Version::new(0, 1, 0));
    assert_eq!(
        manifest.description.as_deref(),
        Some("Finds secrets.\n\tReplaces them.\n")
    );
    assert_eq!(manifest.authors, ["A <a@b>", "Бо"]);
    assert_eq!(
        manifest.license.as_deref(),
        Some("MIT or whatever you like")
    );
    assert_eq!(
        manifest.homepage.as_deref(),
        Some("https://example.com/filter")
    );
    assert_eq!(manifest.min_host_version, Version::new(0, 1, 0));
    assert_eq!(manifest.max_host_version, Some(Version::new(2, 0, 0)));
    assert_eq!(manifest.isolation, Isolation::Process);

    let declared: Vec<_> = manifest.capabilities.declared().collect();
    assert_eq!(
        declared,
        [
            ("acme.image-filter", "blur"),
            ("keyway.command", "status"),
            ("keyway.command", "reset"),
            ("keyway.pipeline-stage", "redact"),
            ("keyway.tool", "redact"),
            ("keyway.tool", "count"),
        ]
    );

    let status = &manifest.commands["status"];
    assert_eq!(
        (status.description.as_deref(), status.usage.as_deref()),
        (Some("Says what was redacted."), Some("[--all] NAME"))
    );
    assert_eq!(status.aliases, ["s", "st"]);
    assert!(!manifest.commands.contains_key("reset"));

    let needed: Vec<_> = manifest
        .requires
        .iter()
        .map(|(id, needed)| {
            (
                id.as_str(),
                needed.major,
                needed.name.as_deref(),
                needed.optional,
            )
        })
        .collect();
    assert_eq!(
        needed,
        [
            ("acme.image-filter", 2, None, false),
            ("acme.scanner", 1, None, false),
            ("keyway.memory-backend", 1, Some("notes"), true),
        ]
    );

    let geocoding = &manifest.dependencies["geocoding"];
    assert_eq!(
        geocoding.requirement,
        VersionReq::parse(">=1.0, <2").unwrap()
    );
    assert!(!geocoding.optional);
    assert!(manifest.dependencies["weather"].optional);

    assert!(!manifest.activation.startup);
    let triggers: Vec<_> = manifest
        .activation
        .on
        .iter()
        .map(|trigger| (trigger.kind, trigger.name.as_str()))
        .collect();
    assert_eq!(
        triggers,
        [
            (TriggerKind::Command, "status"),
            (TriggerKind::Event, "message.*"),
            (TriggerKind::Capability, "acme.image-filter"),
        ]
    );
    assert_eq!(manifest.content, None);

    let permissions = &manifest.permissions;
    assert_eq!(
        permissions.network.patterns(),
        ["api.example.com:443", "https://*.example.org/v1/*"]
    );
    assert_eq!(permissions.filesystem.read.patterns(), ["./data"]);
    assert_eq!(permissions.filesystem.write, Access::None);
    assert_eq!(permissions.env, ["API_KEY"]);
    assert_eq!(permissions.subprocess.patterns(), ["git"]);

    let key = &manifest.config["api_key"];
    assert_eq!(
        (&key.ty, key.required, &key.default),
        (&ConfigType::Secret, true, &None)
    );
    assert_eq!(key.env.as_deref(), Some("WEATHER_API_KEY"));
    assert_eq!(key.reload, ReloadPolicy::Restart);
    let limit = &manifest.config["limit"];
    assert_eq!(
        limit.ty,
        ConfigType::Integer {
            min: Some(1),
            max: Some(255)
        }
    );
    assert_eq!(limit.default, Some(ConfigValue::Integer(16)));
    assert_eq!(limit.reload, ReloadPolicy::Hot);
    let rate = &manifest.config["rate"];
    assert_eq!(
        rate.ty,
        ConfigType::Number {
            min: Some(0.0),
            max: None
        }
    );
    assert_eq!(rate.default, Some(ConfigValue::Number(1.0)));
    let kinds = &manifest.config["kinds"];
    assert_eq!(
        kinds.ty,
        ConfigType::Array {
            items: ItemType::String
        }
    );
    let values = ["mail", "phone"].map(|kind| ConfigValue::String(kind.to_owned()));
    assert_eq!(kinds.default, Some(ConfigValue::Array(values.to_vec())));
    let mode = &manifest.config["mode"];
    assert_eq!(
        mode.ty,
        ConfigType::Enum {
            values: vec!["fast".into(), "thorough".into()]
        }
    );
    assert_eq!(mode.default, Some(ConfigValue::String("fast".into())));

    let resources = &manifest.resources;
    assert_eq!(resources.max_memory_bytes(), Some(64 << 20));
    assert_eq!(resources.max_cpu(), Some(Duration::from_secs(10)));
    assert_eq!(resources.call_deadline(), Some(Duration::from_millis(1500)));
    assert_eq!(resources.max_concurrency, Some(4));
    assert_eq!(resources.max_payload_bytes, Some(1_048_576));
    assert_eq!(resources.log_events_per_second, Some(100));

    let reload = &manifest.reload;
    assert_eq!(reload.mode, ReloadMode::Exclusive);
    assert_eq!(reload.state, StatePolicy::Prefer);
    assert_eq!(reload.max_state_bytes, 1_000_000);
    assert_eq!(reload.thread_locals, ThreadLocals::Retain);
}

#[test]
fn the_canonical_json_is_fixed_to_the_byte() {
    assert_eq!(format!("{}\n", full().to_json()), FULL_JSON);
}

#[cfg(feature = "json")]
#[test]
fn the_canonical_json_reads_back_to_the_same_manifest() {
    assert_eq!(
        Manifest::from_json(FULL_JSON, "plugin.json").unwrap(),
        full()
    );
    assert_eq!(
        Manifest::from_embedded(FULL_JSON).unwrap(),
        (full(), vec![])
    );
}

#[test]
fn what_is_left_out_is_empty_or_the_default() {
    let manifest = read("");
    assert_eq!(manifest.isolation, Isolation::Native);
    assert!(manifest.capabilities.is_empty() && manifest.permissions.is_empty());
    assert!(manifest.dependencies.is_empty() && manifest.config.is_empty());
    assert!(manifest.commands.is_empty() && manifest.requires.is_empty());
    assert!(manifest.activation.startup && manifest.activation.on.is_empty());
    assert_eq!(manifest.content, None);
    let reload = manifest.reload;
    assert_eq!(reload, Reload::default());
    assert_eq!(
        (reload.mode, reload.state, reload.thread_locals),
        (
            ReloadMode::Snapshot,
            StatePolicy::Require,
            ThreadLocals::Run
        )
    );
    assert_eq!(reload.max_state_bytes, 67_108_864);
    assert_eq!(
        manifest.to_json(),
        r#"{"plugin":{"id":"demo","version":"1.0.0","min_host_version":"1.0.0"}}"#
    );
}

#[test]
fn nothing_written_out_is_the_same_as_nothing_written() {
    let written = "authors = []\nisolation = \"native\"\n[plugin.capabilities]\ntools = []\n\
        [plugin.permissions]\nnetwork = false\nfilesystem = { read = [] }\nenv = []\n\
        [plugin.config]\n[plugin.dependencies]\n[plugin.resources]\n\
        [plugin.commands]\n[plugin.requires]\n[plugin.activation]\nstartup = true\non = []\n\
        [plugin.reload]\nmode = \"snapshot\"\nmax_state_bytes = 67_108_864\n";
    assert_eq!(read(written), read(""));
    assert_eq!(
        read("[plugin.permissions]\nfilesystem = false\nsubprocess = []\n"),
        read("")
    );
}

#[test]
fn aliases_mean_the_same_as_the_names_they_stand_for() {
    let aliased = read(
        "name = \"demo\"\nauthor = \"A\"\n[plugin.permissions]\nenv_vars = [\"A\"]\nshell = true\n",
    );
    let plain = read("authors = [\"A\"]\n[plugin.permissions]\nenv = [\"A\"]\nsubprocess = true\n");
    assert_eq!(aliased, plain);

    let only_name = BASE_TOML.replace("id = ", "name = ");
    assert_eq!(
        Manifest::from_toml(&only_name, "plugin.toml").unwrap(),
        read("")
    );
}

#[test]
fn filesystem_access_is_granted_per_direction() {
    let everything = read("[plugin.permissions]\nfilesystem = true\n")
        .permissions
        .filesystem;
    assert!(everything.read.is_all() && everything.write.is_all());
    let mixed = "[plugin.permissions]\nfilesystem = { read = true, write = [\"./out\"] }\n";
    let mixed = read(mixed).permissions.filesystem;
    assert!(mixed.read.is_all());
    assert_eq!(mixed.write, Access::Only(vec!["./out".into()]));
}

#[test]
fn the_bound_on_the_host_may_be_a_single_version() {
    let manifest = read("max_host_version = \"1.0.0\"\n");
    assert_eq!(manifest.max_host_version, Some(manifest.min_host_version));
}

#[test]
fn built_in_kinds_map_to_capability_ids_and_back() {
    for (key, id) in BUILT_IN {
        assert_eq!(capability_id(key), Some(id));
        assert_eq!(kind_key(id), Some(key));
        assert!(is_capability_id(id), "{id}");
        let manifest = read(&format!("[plugin.capabilities]\n{key} = [\"x\"]\n"));
        assert!(manifest.capabilities.declares(id, "x"));
        assert!(!manifest.capabilities.declares(id, "y"));
        assert!(!manifest.capabilities.declares(key, "x"));
    }
    assert_eq!((capability_id("tool"), kind_key("tools")), (None, None));
}

#[test]
fn a_kind_is_meant_by_its_key_the_singular_of_that_the_end_of_its_id_or_its_id() {
    for word in [
        "memory_backends",
        "memory_backend",
        "memory-backend",
        "keyway.memory-backend",
    ] {
        assert_eq!(
            capability_named(word),
            Some("keyway.memory-backend"),
            "{word}"
        );
    }
    assert_eq!(
        capability_named("acme.image-filter"),
        Some("acme.image-filter")
    );
    assert_eq!(
        (capability_named("tol"), capability_named("")),
        (None, None)
    );
}

#[test]
fn capability_ids_are_dotted_and_lower_case() {
    for id in ["acme.image-filter", "com.acme.x2", "a.b"] {
        assert!(is_capability_id(id), "{id}");
    }
    let long = format!("a.{}", "b".repeat(127));
    for id in [
        "", "acme", ".", "a.", ".b", "a..b", "A.b", "a.1b", "a.-b", "a.b_c", "a.b/1", &long,
    ] {
        assert!(!is_capability_id(id), "{id}");
    }
}

#[test]
fn a_command_of_which_nothing_is_said_leaves_no_trace() {
    let declared = "[plugin.capabilities]\ncommands = [\"status\"]\n";
    assert_eq!(
        read(&format!(
            "{declared}[plugin.commands.status]\naliases = []\n"
        )),
        read(declared)
    );
}

#[test]
fn a_plugin_without_code_declares_the_skills_of_its_files() {
    let content = "[plugin.content]\n\
        skills = [\"skills/review.md\", \"skills/triage/SKILL.md\", \"SKILL.md\", \"a/b.c.md\", \".md\"]\n\
        resources = [\"docs/guide 1.md\"]\n";
    let manifest = read(content);
    let names = ["review", "triage", "SKILL", "b.c", ".md"];
    assert_eq!(manifest.capabilities.names("keyway.skill"), names);
    let found = manifest.content.as_ref().unwrap();
    assert_eq!(found.resources, ["docs/guide 1.md"]);
    assert_eq!(
        found.named_skills().collect::<Vec<_>>()[..2],
        [
            ("review", "skills/review.md"),
            ("triage", "skills/triage/SKILL.md")
        ]
    );

    let listed = "[plugin.capabilities]\nskills = [\"triage\"]\ntools = []\n";
    assert_eq!(read(&format!("{listed}{content}")), manifest);
    assert_eq!(
        manifest.to_json(),
        r#"{"plugin":{"id":"demo","version":"1.0.0","min_host_version":"1.0.0","capabilities":{"skills":["review","triage","SKILL","b.c",".md"]},"content":{"skills":["skills/review.md","skills/triage/SKILL.md","SKILL.md","a/b.c.md",".md"],"resources":["docs/guide 1.md"]}}}"#
    );
}

#[test]
fn triggers_are_printed_as_they_are_written() {
    for text in [
        "tool:redact",
        "command:status",
        "channel:mail:inbox",
        "provider:local",
        "capability:keyway.tool",
        "event:message.received",
    ] {
        let trigger: Trigger = text.parse().unwrap();
        assert_eq!(trigger.to_string(), text);
        assert_eq!(Trigger::new(trigger.kind, &trigger.name), Ok(trigger));
    }
    let long = format!("tool:{}", "x".repeat(129));
    for (text, message) in [
        ("redact", "is no trigger"),
        ("tools:redact", "has an unknown kind of trigger"),
        ("tool:", "names no tool"),
        ("tool:a b", "names no tool"),
        ("event:a\u{7}", "names no event"),
        (&long, "names no tool"),
        ("capability:tools", "names no capability id"),
    ] {
        let refused = text.parse::<Trigger>().unwrap_err();
        assert_eq!(refused.to_string(), message, "{text}");
    }
}

#[test]
fn plugin_ids_are_compared_and_printed_as_text() {
    let id: PluginId = "a-1".parse().unwrap();
    assert_eq!((id.as_str(), id.to_string().as_str()), ("a-1", "a-1"));
    assert_eq!(PluginId::new(&"a".repeat(64)).unwrap().as_str().len(), 64);
    assert_eq!(
        PluginId::new("a_b").unwrap_err().to_string(),
        "contains '_'"
    );
}
