//! Paths among the arguments of tools.

use std::os::unix::fs::symlink;

use keyway::ErrorKind;
use keyway_host::{Call, Decision};
use keyway_tests::scripted::Scripted;
use serde_json::{Value, json};

use crate::scene::{Scene, start};

#[test]
fn a_tool_gets_absolute_paths_inside_of_its_directory_and_is_not_called_with_others() {
    let scene = Scene::new();
    let script = json!({ "reads": ["from"], "writes": ["to"] });
    scene.add(Scripted::new("mover").offers("tool", "move", script));
    let work = scene.path("desk");
    std::fs::create_dir(&work).expect("a directory");
    symlink("/", work.join("root")).expect("a link");
    let policy = |call: &Call| {
        let seen = call
            .arguments
            .as_deref()
            .map(|arguments| arguments["to"].clone());
        match seen.as_ref().and_then(Value::as_str) {
            Some(path) if path.ends_with("/desk/secret") => Decision::Deny {
                reason: "it is secret".to_owned(),
            },
            _ => Decision::Allow,
        }
    };
    let host = start(scene.builder().work_dir(&work).policy(policy));
    let tool = host.tool("move").expect("it is offered");
    let call = |arguments: Value| host.block_on(tool.call(arguments));

    let given = json!({ "from": "a/../b", "to": ["c"], "text": "../d" });
    let got = call(given).expect("it is called");
    let at = |path: &str| work.join(path);
    assert_eq!(
        got,
        json!({ "from": at("b"), "to": [at("c")], "text": "../d" })
    );

    scene.log();
    for path in ["../plugins", "/etc/passwd", "root/etc/passwd"] {
        let error = call(json!({ "to": path })).expect_err("it is elsewhere");
        let found = (error.kind(), error.error_code());
        assert_eq!(found, (ErrorKind::Denied, "path-escapes"), "{error}");
    }
    let error = call(json!({ "from": 7 })).expect_err("it is no path");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = call(json!({ "to": "x/../secret" })).expect_err("nobody may write that");
    assert_eq!(
        error.error_code(),
        "denied-by-policy",
        "the policy sees the same path"
    );
    assert!(scene.log().is_empty(), "the tool was not called");

    let elsewhere = tool.with_work_dir(scene.path("plugins"));
    let got = host.block_on(elsewhere.call(json!({ "to": "x" })));
    let got = got.expect("it is called");
    assert_eq!(got, json!({ "to": scene.path("plugins/x") }));
}

#[test]
fn without_a_directory_of_its_own_a_tool_s_paths_begin_where_the_process_is() {
    let host = keyway_tests::host();
    let scene = Scene::new();
    scene.add(Scripted::new("mover").offers("tool", "move", json!({ "writes": ["to"] })));
    host.block_on(async {
        let library = scene.path("plugins/libmover.so");
        host.load(library).await.expect("it loads");
        let tool = host.tool("move").expect("it is offered");
        let got = tool.call(json!({ "to": "x" })).await.expect("it is called");
        let here = std::env::current_dir().expect("it is somewhere");
        assert_eq!(got, json!({ "to": here.join("x") }));
    });
}
