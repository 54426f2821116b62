//! `keyway call --installed`: a tool by its name alone; what it needs is started, and nothing else.

use expect_test::expect;
use keyway_tests::many::Part;
use serde_json::json;

use crate::site::Site;

#[test]
fn a_tool_is_called_by_its_name_and_starts_only_what_it_needs() {
    let site = Site::new();
    let log = site.path("log");
    let log = log.to_string_lossy();
    let part = |id: &str| Part::new(id).config("log", &log);
    site.install("geo", &part("geo"));
    site.install("maps", &part("maps").needs("geo", json!("^1")));
    site.install("other", &part("other"));
    site.keyway("call --installed maps").check(&expect![[r#"
        exit 0
        --- stdout
        {"got":{},"name":"maps"}
    "#]]);
    let started = std::fs::read_to_string(&*log).expect("they write there");
    assert!(
        started.contains("geo") && started.contains("maps"),
        "{started}"
    );
    assert!(!started.contains("other"), "{started}");
}

#[test]
fn what_stands_against_a_tool_is_told() {
    let site = Site::new();
    site.install("geo", &Part::new("geo"));
    site.install("maps", &Part::new("maps").needs("geo", json!("^1")));
    site.keyway("call --installed mpas").check(&expect![[r#"
        exit 5
        --- stderr
        error: no plugin offers tool `mpas`
        hint: there are these names: geo, maps
    "#]]);
    site.keyway("call --installed map").check(&expect![[r#"
        exit 5
        --- stderr
        error: no plugin offers tool `map`
        hint: 'maps' has 'maps'; is that what is meant?
    "#]]);
    site.succeed("disable geo --force");
    site.keyway("call --installed maps").check(&expect![[r#"
        exit 9
        --- stderr
        error: tool `maps` is that of plugin 'maps', which is blocked: needs 'geo' ^1, which is missing
        hint: install 'geo', or enable it if it is disabled
    "#]]);
    site.keyway("call --installed geo --json").check(&expect![[r#"
        exit 9
        --- stderr
        {"error":{"code":"unavailable-tool","exit_code":9,"hint":"keyway enable geo","message":"tool `geo` is that of plugin 'geo', which is disabled: `plugin.geo.enabled` is false in the host's file"},"schema_version":1}
    "#]]);
    site.keyway("call --installed geo {} more")
        .check(&expect![[r#"
        exit 2
        --- stderr
        error: the argument '--installed' cannot be used with '[JSON|-]'

        Usage: keyway call [OPTIONS] <FILE|DIR> <TOOL> [JSON|-]
               keyway call [OPTIONS] --installed <TOOL> [JSON|-]

        For more information, try '--help'.
    "#]]);
    site.keyway("call geo").check(&expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          <TOOL>

        Usage: keyway call [OPTIONS] <FILE|DIR> <TOOL> [JSON|-]
               keyway call [OPTIONS] --installed <TOOL> [JSON|-]

        For more information, try '--help'.
    "#]]);
}
