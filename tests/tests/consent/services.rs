//! Each service: what is granted works, what is not is refused with its code, and both are written down.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use keyway_tests::host_builder;
use serde_json::{Value, json};

use crate::scene::{Home, Scene, entry, name, record, script};

#[test]
fn files_are_read_and_written_where_that_is_granted_and_nowhere_else() {
    let home = Home::new();
    home.file("data/words.txt", "key way");
    home.file("secret.txt", "hidden");
    std::os::unix::fs::symlink("../secret.txt", home.at("data/out")).expect("a link");
    let asked = json!({ "filesystem": { "read": ["data"], "write": ["./out"] } });
    let granted = "filesystem = { read = [\"data\"], write = [\"out\"] }";
    let scene = Scene::granted(home, asked, granted);

    let words = scene.ask("read", name("data/words.txt"));
    assert_eq!(words.expect("it is granted"), "key way");
    scene
        .ask("write", entry("out/deep/new.txt", "written"))
        .expect("it is granted");
    let written = scene.home.at("out/deep/new.txt");
    assert_eq!(std::fs::read_to_string(written).expect("a file"), "written");

    let refused = |tool, path: &str| scene.refused(tool, entry(path, ""));
    let read = |path: &str| scene.refused("read", name(path));
    assert_eq!(read("secret.txt"), "read-not-granted");
    assert_eq!(read("data/../secret.txt"), "read-not-granted");
    assert_eq!(read("out/deep/new.txt"), "read-not-granted");
    assert_eq!(read("data/out"), "leads-outside");
    assert_eq!(read("data/none.txt"), "file-failed");
    assert_eq!(refused("write", "data/words.txt"), "write-not-granted");
    assert_eq!(refused("write", "out/../secret.txt"), "write-not-granted");

    let written_down = scene.audit();
    assert_eq!(written_down.len(), 9);
    assert_eq!(
        written_down[0],
        record("read-file", "data/words.txt", "done")
    );
    assert_eq!(
        written_down[3],
        record("read-file", "data/../secret.txt", "read-not-granted")
    );
    assert_eq!(
        written_down[5],
        record("read-file", "data/out", "leads-outside")
    );
    scene.end();
}

#[test]
fn variables_are_read_by_their_names_and_some_are_for_no_plugin() {
    let asked = json!({ "env": ["PATH", "KEYWAY_TESTS_NOT_SET", "LD_PRELOAD"] });
    let granted = "env = [\"PATH\", \"KEYWAY_TESTS_NOT_SET\", \"LD_PRELOAD\"]";
    let scene = Scene::granted(Home::new(), asked, granted);

    let path = std::env::var("PATH").expect("tests have one");
    let variable = |of: &str| scene.ask("variable", name(of));
    assert_eq!(variable("PATH").expect("it is granted"), path);
    assert_eq!(scene.refused("variable", name("HOME")), "env-not-granted");
    // Also where somebody grants it, and whether it is set or not.
    for never in ["LD_PRELOAD", "KEYWAY_TESTS_NOT_SET"] {
        assert_eq!(scene.refused("variable", name(never)), "env-never-granted");
    }
    assert_eq!(
        scene.audit(),
        [
            record("read-env", "PATH", "done"),
            record("read-env", "HOME", "env-not-granted"),
            record("read-env", "LD_PRELOAD", "env-never-granted"),
            record("read-env", "KEYWAY_TESTS_NOT_SET", "env-never-granted"),
        ]
    );
    scene.end();
}

/// Answers one request on the way to the machine itself; answers what it was asked.
fn server() -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("the same connection"));
        let mut asked = String::new();
        while !asked.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut asked).expect("a line"), 0);
        }
        let mut body = [0; 5];
        reader.read_exact(&mut body).expect("the body");
        stream
            .write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade")
            .expect("the answer");
        asked + &String::from_utf8_lossy(&body)
    });
    (port, thread)
}

#[test]
fn requests_go_to_the_peers_that_are_granted_and_to_no_other() {
    let asked = json!({ "network": ["127.0.0.1:*"] });
    let scene = Scene::granted(Home::new(), asked, "network = [\"127.0.0.1:*\"]");
    let (port, server) = server();
    let url = format!("http://127.0.0.1:{port}/things?key=secret");

    let answer = scene.ask("fetch", entry(&url, "hello"));
    assert_eq!(answer.expect("it is granted"), "201: made");
    let sent = server.join().expect("it answered");
    assert!(
        sent.starts_with("POST /things?key=secret HTTP/1.1\r\n"),
        "{sent}"
    );
    assert!(
        sent.to_lowercase().contains("x-asked-by: asks\r\n"),
        "{sent}"
    );
    assert!(sent.ends_with("hello"), "{sent}");

    let elsewhere = format!("http://[::1]:{port}/");
    assert_eq!(
        scene.refused("fetch", entry(&elsewhere, "")),
        "network-not-granted"
    );
    assert_eq!(
        scene.refused("fetch", entry("ftp://127.0.0.1/", "")),
        "bad-request"
    );
    let shown = format!("POST http://127.0.0.1:{port}/things?key=…");
    let written_down = scene.audit();
    assert_eq!(written_down[0], record("request", shown, "done"));
    assert_eq!(written_down[1].2, "network-not-granted");
    scene.end();

    // Every host of the internet is not this machine.
    let scene = Scene::granted(Home::new(), json!({ "network": true }), "network = true");
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(scene.refused("fetch", entry(url, "")), "address-refused");
    scene.end();
}

#[test]
fn programs_are_started_if_they_are_granted() {
    let asked = json!({ "subprocess": ["sh"] });
    let scene = Scene::granted(Home::new(), asked, "subprocess = [\"sh\"]");

    let answer = scene.ask("run", script("printf %s \"$1\"; exit 3", &["a b"]));
    assert_eq!(answer.expect("it is granted"), "Some(3): a b");
    let other = json!({ "program": "ls", "args": [] });
    assert_eq!(scene.refused("run", other), "subprocess-not-granted");
    assert_eq!(
        scene.audit(),
        [
            record("run", "sh with 4 arguments", "done"),
            record("run", "ls", "subprocess-not-granted"),
        ]
    );
    scene.end();
}

#[test]
fn keys_and_values_stay_over_hosts_and_need_a_state_directory() {
    let home = Home::new();
    home.put("1.0.0", &json!({}));
    let state = home.at("state");
    let scene = Scene::with(host_builder().state_dir(&state), home);
    for key in ["a/1", "a/2", "b"] {
        scene.ask("put", entry(key, key)).expect("it is stored");
    }
    let keys = scene.ask("keys", name("a/")).expect("they are listed");
    assert_eq!(keys, json!(["a/1", "a/2"]));
    assert_eq!(
        scene.ask("forget", name("a/1")).expect("it was there"),
        true
    );
    assert_eq!(
        scene.ask("look-up", name("a/1")).expect("it is gone"),
        Value::Null
    );
    assert_eq!(scene.audit().len(), 6);
    // The version that follows has them too, while this one still runs.
    scene.home.put("1.1.0", &json!({}));
    let reload = scene.host.reload("asks");
    let report = scene.host.block_on(reload).expect("it is loaded");
    assert!(report.outcome.is_committed(), "{report:?}");
    assert_eq!(
        scene.ask("look-up", name("a/2")).expect("it is there"),
        "a/2"
    );
    let stop = scene.host.stop("asks");
    scene.host.block_on(stop).expect("it stops");
    assert!(state.join("kv/asks").is_file());

    let Scene { host, home } = scene;
    drop(host);
    let scene = Scene::with(host_builder().state_dir(&state), home);
    assert_eq!(scene.ask("look-up", name("b")).expect("it is there"), "b");
    scene.end();

    let Scene { host, home } = scene;
    drop(host);
    let scene = Scene::with(host_builder(), home);
    let error = scene.ask("look-up", name("b")).expect_err("there is none");
    assert_eq!(error.error_code(), "unsupported-here");
    assert!(error.message().contains("state directory"), "{error}");
    scene.end();
}

#[test]
fn texts_are_read_by_name_and_those_of_the_file_count_first() {
    let home = Home::new();
    home.put("1.0.0", &json!({}));
    home.file("SOUL.md", "You are kind.");
    let file = home.file(
        "keyway.toml",
        "[context]\nsoul = { file = \"SOUL.md\" }\nrules = \"None.\"\n",
    );
    let builder = host_builder()
        .config_file(file)
        .text("soul", "You are stern.")
        .text("name", "Ada");
    let scene = Scene::with(builder, home);
    let text = |of: &str| scene.ask("named-text", name(of)).expect("an answer");
    assert_eq!(text("soul"), "You are kind.");
    assert_eq!(text("rules"), "None.");
    assert_eq!(text("name"), "Ada");
    assert_eq!(text("body"), Value::Null);
    assert!(scene.audit().is_empty(), "texts are for every plugin");
    scene.end();
}
