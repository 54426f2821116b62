//! `keyway permissions`: who has granted what, and taking it back.

use expect_test::expect;
use keyway_tests::many::Part;
use serde_json::json;

use crate::site::Site;

fn asking() -> Part {
    let permissions = json!({ "network": ["api.example.com:443"], "env": ["HOME_TOWN"] });
    Part::new("weather").with("permissions", permissions)
}

#[test]
fn what_was_agreed_to_is_shown_with_who_did() {
    let site = Site::new();
    site.keyway("permissions").check(&expect![[r#"
        exit 0
        --- stdout
        no plugin asks for anything
        --- stderr
        note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
    "#]]);
    site.install("weather", &asking());
    site.plugin(
        "roots/maps",
        &Part::new("maps").with(
            "permissions",
            json!({ "env": ["A", "B"], "filesystem": { "read": ["./tiles", "/srv/maps"] } }),
        ),
    );
    site.settings(
        "[[host.roots]]\norigin = \"workspace\"\npath = \"[DIR]/roots\"\n\n\
         [plugin.maps.permissions]\nenv = [\"A\"]\n",
    );
    site.keyway("permissions").check(&expect![[r#"
        exit 0
        --- stdout
        weather 1.0.0
          granted  connect to api.example.com:443  (when it was installed)
          granted  read the environment variable HOME_TOWN  (when it was installed)
        maps 1.0.0
          new      read /srv/maps
          new      read ./tiles
          granted  read the environment variable A  (by the settings file)
          new      read the environment variable B
        --- stderr
        note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
    "#]]);
    site.keyway("permissions maps --json").check(&expect![[r#"
        exit 0
        --- stdout
        {"schema_version":1,"plugins":[{"id":"maps","version":"1.0.0","permissions":[{"permission":"read /srv/maps","granted":false,"by":null},{"permission":"read ./tiles","granted":false,"by":null},{"permission":"read the environment variable A","granted":true,"by":"settings"},{"permission":"read the environment variable B","granted":false,"by":null}]}],"notice":"native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox"}
    "#]]);
    site.keyway("permissions wether").check(&expect![[r#"
        exit 5
        --- stderr
        error: there is no plugin 'wether'
        hint: did you mean weather?
    "#]]);
}

#[test]
fn an_installation_says_what_a_native_plugin_is_before_it_asks() {
    let site = Site::new();
    site.plugin("weather", &asking());
    site.keyway("install ./weather").check(&expect![[r#"
        exit 9
        --- stdout
        install  weather 1.0.0  from directory+[DIR]/weather
                 + connect to api.example.com:443
                 + read the environment variable HOME_TOWN
        --- stderr
        note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
        error: weather asks for permissions, and there is nobody to ask
        hint: --yes agrees to what --dry-run lists
    "#]]);
}

#[test]
fn what_is_taken_back_keeps_the_plugin_from_starting_until_it_is_granted_again() {
    let site = Site::new();
    site.install("weather", &asking());
    site.keyway("doctor --start").check(&expect![[r#"
        exit 0
        --- stdout
        everything is in order: 1 plugin
    "#]]);
    site.keyway("permissions revoke weather --dry-run")
        .check(&expect![[r#"
            exit 0
            --- stdout
            revoke   weather 1.0.0
                     - connect to api.example.com:443
                     - read the environment variable HOME_TOWN
            --- stderr
            note: nothing was changed, since this is a dry run
        "#]]);
    site.keyway("permissions revoke weather")
        .check(&expect![[r#"
            exit 0
            --- stdout
            revoke   weather 1.0.0
                     - connect to api.example.com:443
                     - read the environment variable HOME_TOWN
            --- stderr
                 Revoked weather 1.0.0
            note: what runs keeps what it has until it ends
        "#]]);
    site.keyway("permissions weather").check(&expect![[r#"
        exit 0
        --- stdout
        weather 1.0.0
          new      connect to api.example.com:443
          new      read the environment variable HOME_TOWN
        --- stderr
        note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
    "#]]);
    site.keyway("doctor --start").check(&expect![[r#"
        exit 1
        --- stdout
        error    permission-denied  weather
                 asks to: connect to api.example.com:443, read the environment variable
                 HOME_TOWN; refused: the allow list does not have: connect to
                 api.example.com:443, read the environment variable HOME_TOWN
                 hint: approve it, if you trust the plugin with that

        1 plugin: 1 error
    "#]]);
    site.keyway("permissions grant weather")
        .check(&expect![[r#"
            exit 9
            --- stdout
            grant    weather 1.0.0
                     + connect to api.example.com:443
                     + read the environment variable HOME_TOWN
            --- stderr
            note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
            error: weather asks for permissions, and there is nobody to ask
            hint: --yes agrees to what --dry-run lists
        "#]]);
    site.keyway("permissions grant weather --yes --json")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"schema_version":1,"dry_run":false,"changed":true,"steps":[{"action":"grant","plugin":"weather","from":"1.0.0","to":"1.0.0","source":"directory+[DIR]/weather","digest":"[HASH]","permissions":{"added":["connect to api.example.com:443","read the environment variable HOME_TOWN"],"removed":[]}}],"conflicts":[],"failures":[]}
            --- stderr
                 Granted weather 1.0.0
        "#]]);
    site.keyway("doctor --start").check(&expect![[r#"
        exit 0
        --- stdout
        everything is in order: 1 plugin
    "#]]);
    site.keyway("permissions revoke weather --json")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"schema_version":1,"dry_run":false,"changed":true,"steps":[{"action":"revoke","plugin":"weather","from":"1.0.0","to":"1.0.0","source":"directory+[DIR]/weather","digest":"[HASH]","permissions":{"added":[],"removed":["connect to api.example.com:443","read the environment variable HOME_TOWN"]}}],"conflicts":[],"failures":[]}
            --- stderr
                 Revoked weather 1.0.0
            note: what runs keeps what it has until it ends
        "#]]);
    site.keyway("permissions revoke weather")
        .check(&expect![[r#"
            exit 0
            --- stdout
            keep     weather 1.0.0  nothing was granted
            --- stderr
            note: what runs keeps what it has until it ends
        "#]]);
}

#[test]
fn a_link_is_granted_by_its_content() {
    let site = Site::new();
    site.plugin("weather", &asking());
    site.succeed("install --yes --link ./weather");
    site.keyway("permissions").check(&expect![[r#"
        exit 0
        --- stdout
        weather 1.0.0
          new      connect to api.example.com:443
          new      read the environment variable HOME_TOWN
        --- stderr
        note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
    "#]]);
    site.succeed("permissions grant weather --yes");
    site.keyway("permissions").check(&expect![[r#"
        exit 0
        --- stdout
        weather 1.0.0
          granted  connect to api.example.com:443  (approved)
          granted  read the environment variable HOME_TOWN  (approved)
        --- stderr
        note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
    "#]]);
    site.succeed("doctor --start");
}
