use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keyway::ErrorKind;

use super::super::tests::{Asked, parts};
use super::super::{AuditOutcome, Limits, Mediator};
use super::*;

/// `sh` by name; a program by its path; a directory where they may run.
const ASKED: Asked = Asked {
    subprocess: &["sh", "./tool", "no-such-program"],
    read: &["work"],
    network: &[],
    write: &[],
    env: &[],
};

struct Setting {
    home: tempfile::TempDir,
}

impl Setting {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(home.path().join("work/inner")).expect("a directory");
        Setting { home }
    }

    fn with(&self, change: impl FnOnce(&mut Limits)) -> Mediator {
        let mut limits = Limits {
            run_rate: None,
            ..Limits::default()
        };
        change(&mut limits);
        let builder = ASKED.builder(self.home.path()).limits(limits);
        builder.build().expect("the base is absolute")
    }

    fn mediator(&self) -> Mediator {
        self.with(|_| {})
    }

    fn at(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    /// A pipe with a name, by which a test sees whether somebody still has it open for writing.
    fn pipe(&self) -> PathBuf {
        let path = self.at("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo starts").success());
        path
    }
}

fn sh(script: &str) -> RunRequest {
    RunRequest::new("sh").args(["-c", script])
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it is text")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

/// Two processes that have the pipe open and would stay for ever; the first one writes a line when both
/// run.
fn stays(pipe: &Path) -> RunRequest {
    sh("exec 3>\"$1\"; sleep 100000 & echo ready >&3; sleep 100000")
        .args(["sh", pipe.to_str().expect("text")])
}

/// Reads the line, and answers the pipe.
fn until_ready(pipe: &Path) -> File {
    let mut pipe = File::open(pipe).expect("a pipe");
    let mut line = [0; 6];
    pipe.read_exact(&mut line).expect("both run");
    assert_eq!(&line, b"ready\n");
    pipe
}

/// Returns when nobody has the pipe open for writing any more.
fn until_nobody_writes(mut pipe: File) {
    let mut rest = Vec::new();
    pipe.read_to_end(&mut rest).expect("it ends");
    assert!(rest.is_empty());
}

#[test]
fn a_program_gets_its_input_and_arguments_and_answers_what_it_wrote() {
    let mediator = Setting::new().mediator();
    let request = sh("cat; echo \"$1|$2\"; echo oops >&2; exit 3").args(["sh", "a b", "$(id)"]);
    let output = mediator.run(request.stdin("in\n")).expect("it is granted");
    assert_eq!(text(&output.stdout), "in\na b|$(id)\n");
    assert_eq!(text(&output.stderr), "oops\n");
    assert_eq!((output.code, output.signal), (Some(3), None));
    assert!(!output.is_success());
    let killed = mediator.run(sh("kill -9 $$")).expect("it is granted");
    assert_eq!((killed.code, killed.signal), (None, Some(9)));
}

#[test]
fn a_future_answers_the_same() {
    let mediator = Setting::new().mediator();
    let running = mediator.start(sh("echo hello")).expect("it is granted");
    let output = block_on(running).expect("it ends");
    assert_eq!(text(&output.stdout), "hello\n");
    assert!(output.is_success());
    let records = mediator.audit().take();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].target, "sh with 2 arguments");
    assert_eq!(records[0].outcome, AuditOutcome::Done);
}

#[test]
fn large_inputs_and_outputs_do_not_wait_for_each_other() {
    let mediator = Setting::new().mediator();
    let large = vec![b'x'; 1 << 20];
    let output = mediator
        .run(sh("tee /dev/stderr").stdin(large.clone()))
        .expect("it ends");
    assert!(output.stdout == large && output.stderr == large);
    // It reads nothing of it.
    let output = mediator.run(sh("exit 0").stdin(large)).expect("it ends");
    assert!(output.is_success());
}

#[test]
fn nothing_of_the_hosts_environment_is_in_a_program() {
    let mediator = Setting::new().mediator();
    let output = mediator
        .run(sh("env").env("LANG", "C"))
        .expect("it is granted");
    let mut lines: Vec<_> = text(&output.stdout).lines().collect();
    lines.sort_unstable();
    // The shell's own are PWD, and in some shells SHLVL, OLDPWD and _.
    lines.retain(|line| {
        !["PWD=", "SHLVL=", "OLDPWD=", "_="]
            .iter()
            .any(|own| line.starts_with(own))
    });
    assert_eq!(lines, ["LANG=C", "PATH=/usr/local/bin:/usr/bin:/bin"]);
    for name in ["LD_PRELOAD", "PATH", "GITHUB_TOKEN"] {
        let denied = mediator
            .run(sh("env").env(name, "x"))
            .expect_err("it is not for plugins");
        assert_eq!(denied.error_code(), "env-never-granted", "{name}");
    }
}

#[test]
fn a_program_runs_where_the_plugin_may_read() {
    let setting = Setting::new();
    let mediator = setting.mediator();
    std::os::unix::fs::symlink("/", setting.at("work/out")).expect("a link");
    let pwd = |dir: &str| {
        let output = mediator.run(sh("pwd -P").dir(dir));
        output.map(|output| text(&output.stdout).trim_end().to_owned())
    };
    let inner = setting
        .at("work/inner")
        .canonicalize()
        .expect("it is there");
    assert_eq!(pwd("work/inner"), Ok(inner.display().to_string()));
    let code = |dir: &str| pwd(dir).expect_err(dir).error_code().to_owned();
    assert_eq!(code("."), "read-not-granted");
    assert_eq!(code("work/.."), "read-not-granted");
    assert_eq!(code("work/out"), "leads-outside");
    assert_eq!(code("work/none"), "file-failed");
    let output = mediator.run(sh("pwd -P")).expect("it is granted");
    assert_eq!(text(&output.stdout), "/\n");
}

#[test]
fn only_programs_that_are_listed_run() {
    let setting = Setting::new();
    let mediator = setting.mediator();
    let error = |program: &str| mediator.run(RunRequest::new(program)).expect_err(program);
    assert_eq!(
        parts(&error("cat")),
        (
            ErrorKind::Denied,
            "subprocess-not-granted",
            "starting cat is not granted; add \"cat\" to subprocess under [plugin.permissions]"
        )
    );
    assert_eq!(
        error("/bin/sh").error_code(),
        "subprocess-not-granted",
        "it was granted by name"
    );
    assert_eq!(
        parts(&error("no-such-program")),
        (
            ErrorKind::NotFound,
            "program-missing",
            "no-such-program was not found in the host's search path"
        )
    );
    assert_eq!(error("./tool").error_code(), "program-missing");
    assert_eq!(error("").error_code(), "bad-request");
    assert_eq!(error("sh -c x").error_code(), "bad-request");
    let zero = mediator
        .run(RunRequest::new("sh").arg("\0"))
        .expect_err("a zero byte");
    assert_eq!(zero.error_code(), "bad-request");

    let script = setting.at("tool");
    fs::write(&script, "#!/bin/sh\necho tool").expect("a file");
    let not_yet = error("./tool");
    assert_eq!(
        not_yet.error_code(),
        "run-failed",
        "it is not executable: {not_yet}"
    );
}

#[test]
fn a_name_stands_for_what_was_found_when_it_was_granted() {
    use std::os::unix::fs::PermissionsExt;
    let setting = Setting::new();
    let (first, second) = (setting.at("first"), setting.at("second"));
    let put = |dir: &Path, says: &str| {
        fs::create_dir_all(dir).expect("a directory");
        let program = dir.join("sh");
        fs::write(&program, format!("#!/bin/sh\necho {says}")).expect("a file");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    };
    put(&second, "second");
    let builder = ASKED.builder(setting.home.path());
    let mediator = builder
        .search_path(vec![first.clone(), second])
        .build()
        .expect("the base is absolute");
    put(&first, "first");
    let output = mediator.run(RunRequest::new("sh")).expect("it is granted");
    assert_eq!(text(&output.stdout), "second\n");
}

#[test]
fn dropping_the_future_kills_the_whole_group() {
    let setting = Setting::new();
    let pipe = setting.pipe();
    let running = setting
        .mediator()
        .start(stays(&pipe))
        .expect("it is granted");
    let pipe = until_ready(&pipe);
    drop(running);
    until_nobody_writes(pipe);
}

#[test]
fn the_group_is_killed_when_the_time_is_up() {
    use std::os::unix::fs::OpenOptionsExt;
    let setting = Setting::new();
    let pipe = setting.pipe();
    // Whether or not the program comes as far as opening the pipe, this does not wait for it.
    let mut options = fs::OpenOptions::new();
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("a flag");
    let opened = options.read(true).custom_flags(nonblocking).open(&pipe);
    let mut opened = opened.expect("a pipe");
    let request = stays(&pipe).timeout(Duration::from_millis(300));
    let error = setting.mediator().run(request).expect_err("it stays");
    assert_eq!(
        parts(&error),
        (
            ErrorKind::DeadlineExceeded,
            "time-limit",
            "sh ran longer than 300ms, and was killed"
        )
    );
    rustix::fs::fcntl_setfl(&opened, rustix::fs::OFlags::empty()).expect("it is ours");
    opened
        .read_to_end(&mut Vec::new())
        .expect("nobody has it open");
}

#[test]
fn what_a_program_leaves_behind_ends_with_it() {
    let setting = Setting::new();
    let pipe = setting.pipe();
    let script = sh("exec 3>\"$1\"; sleep 100000 & echo ready >&3")
        .args(["sh", pipe.to_str().expect("text")]);
    let mediator = setting.mediator();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| until_ready(&pipe));
        let output = mediator.run(script).expect("it ends");
        assert!(output.is_success());
        until_nobody_writes(opened.join().expect("it was opened"));
    });
}

/// `setsid` is there on Linux.
#[cfg(target_os = "linux")]
#[test]
fn nobody_waits_for_one_that_has_left_the_group_and_keeps_the_output_open() {
    let setting = Setting::new();
    // It stays until the directory of this test is gone.
    let leaves = "touch \"$1/left\"; while [ -e \"$1\" ]; do sleep 0.05; done";
    let script = "setsid sh -c \"$2\" sh \"$1\" & \
                  while [ ! -e \"$1/left\" ]; do sleep 0.01; done; echo done";
    let home = setting.home.path().to_str().expect("text");
    let output = setting
        .mediator()
        .run(sh(script).args(["sh", home, leaves]));
    assert_eq!(text(&output.expect("it ends").stdout), "done\n");
}

#[test]
fn a_program_that_writes_too_much_is_killed() {
    let mediator = Setting::new().with(|limits| limits.max_output_bytes = 1_000);
    let error = mediator.run(sh("yes")).expect_err("it writes too much");
    assert_eq!(
        parts(&error),
        (
            ErrorKind::Denied,
            "size-limit",
            "sh wrote more than Limits::max_output_bytes, 1000 bytes, and was killed"
        )
    );
    let error = mediator.run(sh("yes >&2")).expect_err("it writes too much");
    assert_eq!(error.error_code(), "size-limit");
}

#[test]
fn an_input_that_is_too_large_is_refused() {
    let mediator = Setting::new().with(|limits| limits.max_input_bytes = 3);
    let error = mediator
        .run(sh("cat").stdin("four"))
        .expect_err("it is too large");
    assert_eq!(
        parts(&error),
        (
            ErrorKind::Denied,
            "size-limit",
            "the input is larger than Limits::max_input_bytes, 3 bytes"
        )
    );
}

#[test]
fn only_so_many_run_at_a_time() {
    let setting = Setting::new();
    let mediator = setting.with(|limits| limits.max_programs = 1);
    let pipe = setting.pipe();
    let running = mediator.start(stays(&pipe)).expect("it is granted");
    let opened = until_ready(&pipe);
    let busy = mediator.run(sh("true")).expect_err("one runs already");
    assert_eq!(
        parts(&busy),
        (
            ErrorKind::Busy,
            "too-many-at-once",
            "1 programs of the plugin run already"
        )
    );
    drop(running);
    until_nobody_writes(opened);
}

#[test]
fn what_is_refused_at_the_start_is_written_down() {
    let mediator = Setting::new().mediator();
    let _ = mediator
        .start(RunRequest::new("cat").arg("secret"))
        .expect_err("it is not granted");
    let records = mediator.audit().take();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].target, "cat with 1 argument");
    let denied = AuditOutcome::Denied {
        code: "subprocess-not-granted".to_owned(),
    };
    assert_eq!(records[0].outcome, denied);
}
