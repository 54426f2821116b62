//! `keyway config`: values with their origins, and changes that are checked before they are written.

use expect_test::expect;
use keyway_tests::many::Part;
use serde_json::json;

use crate::site::Site;

fn weather() -> Site {
    let site = Site::new();
    let config = json!({
        "key": { "type": "secret", "env": "WEATHER_KEY" },
        "lang": { "type": "enum", "values": ["de", "en"], "default": "en" },
        "name": { "type": "string", "default": "weather" },
        "places": { "type": "array", "items": "string", "default": ["here"] },
        "size": { "type": "integer", "min": 1, "max": 9, "default": 3 },
    });
    site.install("weather", &Part::new("weather").with("config", config));
    site
}

#[test]
fn values_are_shown_with_their_origins_and_secrets_are_not() {
    let site = weather();
    site.settings("[plugin.weather.config]\nsize = 4\nlang = \"${LANGUAGE_OF:-de}\"\nlost = 1\n");
    let show = |arguments: &str| site.keyway(arguments).env("WEATHER_KEY", "hush");
    show("config show").check(&expect![[r#"
        exit 0
        --- stdout
        [plugin.weather.config]
        key = "[redacted]"
        lang = "${LANGUAGE_OF}"
        lost = "[redacted]"
        name = "weather"
        places = ["here"]
        size = 4
        --- stderr
        warning: its manifest declares no setting `lost` ([DIR]/config/keyway/keyway.toml:4:8), whose value is passed on unchecked
    "#]]);
    show("config show weather --origin").check(&expect![[r#"
        exit 0
        --- stdout
        [plugin.weather.config]
        key = "[redacted]"  # environment variable WEATHER_KEY
        lang = "${LANGUAGE_OF}"  # [DIR]/config/keyway/keyway.toml:3:8
        lost = "[redacted]"  # [DIR]/config/keyway/keyway.toml:4:8
        name = "weather"  # default
        places = ["here"]  # default
        size = 4  # [DIR]/config/keyway/keyway.toml:2:8
        --- stderr
        warning: its manifest declares no setting `lost` ([DIR]/config/keyway/keyway.toml:4:8), whose value is passed on unchecked
    "#]]);
    show("config show --json").check(&expect![[r#"
        exit 0
        --- stdout
        {"schema_version":1,"plugins":[{"id":"weather","settings":[{"name":"key","value":"[redacted]","origin":"environment variable WEATHER_KEY","secret":true},{"name":"lang","value":"${LANGUAGE_OF}","origin":"[DIR]/config/keyway/keyway.toml:3:8","secret":true},{"name":"lost","value":"[redacted]","origin":"[DIR]/config/keyway/keyway.toml:4:8","secret":true},{"name":"name","value":"weather","origin":"default","secret":false},{"name":"places","value":["here"],"origin":"default","secret":false},{"name":"size","value":4,"origin":"[DIR]/config/keyway/keyway.toml:2:8","secret":false}],"warnings":["its manifest declares no setting `lost` ([DIR]/config/keyway/keyway.toml:4:8), whose value is passed on unchecked"]}]}
    "#]]);
}

#[test]
fn a_value_is_checked_and_then_written() {
    let site = weather();
    site.settings("# Mine.\n[plugin.weather.config]\nsize = 4 # enough\n");
    site.keyway("config set weather.size 10")
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: `weather.size` does not fit: expected a whole number from 1 to 9, found the number 10
            hint: keyway config schema weather shows what fits
        "#]]);
    site.keyway("config set weather.size ten")
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: setting `size` of plugin 'weather' is of type integer: found `ten`
        "#]]);
    site.keyway("config set weather.lang fr")
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: `weather.lang` does not fit: expected one of "de", "en", found the string "fr"
            hint: keyway config schema weather shows what fits
        "#]]);
    site.keyway("config set weather.sise 5").check(&expect![[r#"
            exit 2
            --- stderr
            error: plugin 'weather' declares no setting `sise`
            hint: did you mean weather.size?
        "#]]);
    site.keyway("config set wether.size 5").check(&expect![[r#"
            exit 5
            --- stderr
            error: there is no plugin 'wether'
            hint: did you mean weather?
        "#]]);
    site.keyway("config set size 5").check(&expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'size' for '<NAME.KEY>': expected NAME.KEY, found `size`

        For more information, try '--help'.
    "#]]);
    assert_eq!(
        site.written(),
        "# Mine.\n[plugin.weather.config]\nsize = 4 # enough\n"
    );
    site.keyway("config set weather.size 5 --dry-run")
        .check(&expect![[r#"
            exit 0
            --- stdout
            set      weather.size
            --- stderr
            note: nothing was changed, since this is a dry run
        "#]]);
    site.keyway("config set weather.size 5").check(&expect![[r#"
            exit 0
            --- stdout
            set      weather.size
        "#]]);
    site.keyway("config set weather.size 5 --json")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"schema_version":1,"dry_run":false,"changed":false,"settings":"[DIR]/config/keyway/keyway.toml","action":"keep","plugin":"weather","key":"size"}
        "#]]);
    site.succeed("config set weather.lang de");
    site.succeed("config set weather.name 12");
    site.keyway("config set weather.places")
        .arg(r#"["a", "b"]"#)
        .check(&expect![[r#"
            exit 0
            --- stdout
            set      weather.places
        "#]]);
    expect![[r##"
        # Mine.
        [plugin.weather.config]
        size = 5 # enough
        lang = "de"
        name = "12"
        places = ["a", "b"]
    "##]]
    .assert_eq(&site.written());
    site.keyway("config show weather").check(&expect![[r#"
        exit 0
        --- stdout
        [plugin.weather.config]
        lang = "de"
        name = "12"
        places = ["a","b"]
        size = 5
    "#]]);
}

#[test]
fn a_secret_in_plain_text_is_warned_of_and_a_variable_is_not() {
    let site = weather();
    site.keyway("config set weather.key ${KEY_OF_MINE}")
        .check(&expect![[r#"
            exit 0
            --- stdout
            set      weather.key
            --- stderr
            warning: `weather.key` needs the environment variable KEY_OF_MINE, which is not set here
        "#]]);
    site.keyway("config set weather.key hush")
        .check(&expect![[r#"
            exit 0
            --- stdout
            set      weather.key
            --- stderr
            warning: the secret weather.key will stand in the settings file as plain text; `${VARIABLE}` keeps it in the environment
        "#]]);
    site.keyway("config show --origin").check(&expect![[r#"
        exit 0
        --- stdout
        [plugin.weather.config]
        key = "[redacted]"  # [DIR]/config/keyway/keyway.toml:2:7
        lang = "en"  # default
        name = "weather"  # default
        places = ["here"]  # default
        size = 3  # default
    "#]]);
}

#[test]
fn a_value_that_is_removed_leaves_no_empty_tables() {
    let site = weather();
    site.settings("# Mine.\n\n[plugin.weather.config]\nsize = 4\n");
    site.keyway("config unset weather.size --json")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"schema_version":1,"dry_run":false,"changed":true,"settings":"[DIR]/config/keyway/keyway.toml","action":"unset","plugin":"weather","key":"size"}
        "#]]);
    site.keyway("config unset weather.size").check(&expect![[r#"
            exit 0
            --- stdout
            keep     weather.size  as it is already
        "#]]);
    assert!(!site.written().contains("weather"), "{}", site.written());
}

#[test]
fn the_schema_of_a_plugin_is_json_schema() {
    weather()
        .keyway("config schema weather")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"key":{"type":"string","writeOnly":true,"x-env":"WEATHER_KEY","x-reload":"restart"},"lang":{"default":"en","enum":["de","en"],"type":"string","x-reload":"restart"},"name":{"default":"weather","type":"string","x-reload":"restart"},"places":{"default":["here"],"items":{"type":"string"},"type":"array","x-reload":"restart"},"size":{"default":3,"maximum":9,"minimum":1,"type":"integer","x-reload":"restart"}},"title":"Settings of weather 1.0.0","type":"object"}
        "#]]);
}

#[test]
fn what_is_missing_is_told_by_plugin() {
    let site = weather();
    let config = json!({ "key": { "type": "secret", "required": true } });
    site.install("needy", &Part::new("needy").with("config", config));
    site.keyway("config show").check(&expect![[r#"
        exit 2
        --- stdout
        [plugin.weather.config]
        lang = "en"
        name = "weather"
        places = ["here"]
        size = 3
        --- stderr
        error: plugin needy: setting `key`: required, expected a secret string, found no value
        hint: keyway config set needy.KEY VALUE
    "#]]);
}
