use std::fs;

use semver::Version;
use tempfile::TempDir;

use super::*;
use crate::inspect::hash_bytes;

fn home() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn manifest() -> Manifest {
    let text =
        r#"{ "plugin": { "id": "suspect", "version": "1.2.3", "min_host_version": "1.0.0" } }"#;
    Manifest::from_embedded(text).expect("a manifest").0
}

fn begin(journal: &Arc<Journal>, content: &str) -> Result<Guard, HostError> {
    journal.begin(
        hash_bytes(content.as_bytes()),
        &manifest(),
        Path::new("/plugins/s.so"),
        Occasion::Load,
    )
}

/// The journal that a process leaves behind when it dies now.
fn die(home: &Path) {
    let journals = home.join("journal");
    let of_living = fs::read_dir(&journals).expect("there is one");
    for (number, journal) in of_living.enumerate() {
        // The copy has what the file has, and nobody holds its lock.
        let journal = journal.expect("an entry").path();
        fs::copy(journal, journals.join(format!("dead-{number}.jsonl"))).expect("a copy");
    }
}

fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).map(|entries| {
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    });
    let mut names: Vec<String> = names.unwrap_or_default();
    names.sort();
    names
}

/// The phases of what is in quarantine.
fn phases(journal: &Journal) -> Vec<Phase> {
    journal
        .quarantined()
        .iter()
        .map(|found| found.phase)
        .collect()
}

#[test]
fn what_a_process_died_of_is_refused_until_it_is_released() {
    let home = home();
    let before = SystemTime::now();
    let dying = Journal::open(Some(home.path()));
    let guard = begin(&dying, "bad").expect("nothing is known of it");
    guard.phase(Phase::Activate);
    die(home.path());
    drop((guard, dying));

    let journal = Journal::open(Some(home.path()));
    let error = begin(&journal, "bad").expect_err("a process died of it");
    assert_eq!(error.kind(), HostErrorKind::Quarantined);
    let hash = hash_bytes(b"bad");
    let quarantined = journal.quarantined();
    let [found] = &*quarantined else {
        panic!("there is one: {quarantined:?}")
    };
    assert_eq!(
        error.to_string(),
        format!(
            "quarantined: on {} a process died while it loaded this very build, in phase \
             activate; hint: mend it and build it anew, since another build is another plugin; to \
             load this one again, release {hash}",
            when::utc(found.at)
        )
    );
    assert_eq!(
        (found.hash, &*found.plugin, found.version.to_string()),
        (hash, "suspect", "1.2.3".to_owned())
    );
    assert_eq!(found.path, Path::new("/plugins/s.so"));
    assert_eq!(found.phase, Phase::Activate);
    // The file has milliseconds.
    assert!(found.at + std::time::Duration::from_millis(1) >= before);

    drop(begin(&journal, "another build").expect("another content is another plugin"));
    assert!(journal.release(&hash).expect("it is writable"));
    drop(begin(&journal, "bad").expect("it is released"));
    assert!(!journal.release(&hash).expect("it is writable"));
    assert_eq!(files(&home.path().join("quarantine")), [""; 0]);
}

#[test]
fn another_place_of_the_same_build_is_told() {
    let home = home();
    let dying = Journal::open(Some(home.path()));
    let _guard = begin(&dying, "bad").expect("nothing is known of it");
    die(home.path());
    let journal = Journal::open(Some(home.path()));
    let error = journal
        .begin(
            hash_bytes(b"bad"),
            &manifest(),
            Path::new("/elsewhere/s.so"),
            Occasion::Load,
        )
        .expect_err("a process died of it");
    let text = error.to_string();
    assert!(
        text.contains("this very build from /plugins/s.so, in phase open"),
        "{text}"
    );
}

#[test]
fn of_each_load_the_last_phase_counts_and_what_has_ended_does_not() {
    let home = home();
    let dying = Journal::open(Some(home.path()));
    let over = begin(&dying, "over").expect("it begins");
    let one = begin(&dying, "one").expect("it begins");
    let two = begin(&dying, "two").expect("it begins");
    one.phase(Phase::Construct);
    two.mark().phase(Phase::Prepare);
    drop(over);
    one.phase(Phase::State);
    die(home.path());
    let journal = Journal::open(Some(home.path()));
    let mut found = phases(&journal);
    found.sort_by_key(|phase| phase.as_str());
    assert_eq!(found, [Phase::Prepare, Phase::State]);
}

#[test]
fn of_versions_that_take_turns_the_one_whose_code_runs_is_to_blame() {
    let home = home();
    let dying = Journal::open(Some(home.path()));
    let (old, new) = (hash_bytes(b"old"), hash_bytes(b"new"));
    let path = Path::new("/plugins/s.so");
    // Where a process died now: of what, and in which phase.
    let blamed = || {
        die(home.path());
        let journal = Journal::open(Some(home.path()));
        let found = journal.quarantined();
        for one in &found {
            assert!(journal.release(&one.hash).expect("it is writable"));
        }
        let blamed = found.iter().map(|one| (one.hash, one.phase));
        blamed.collect::<Vec<_>>()
    };
    let (from, by) = (Version::new(1, 2, 2), Version::new(1, 2, 3));
    let guard = dying
        .begin(new, &manifest(), path, Occasion::Reload { from })
        .expect("nothing is known of it");
    guard.phase(Phase::Prepare);
    assert_eq!(blamed(), [(new, Phase::Prepare)]);
    guard.rest();
    assert_eq!(blamed(), []);
    let replaced = Occasion::Replaced { by };
    let noted = dying.note(old, &manifest(), path, replaced, Phase::Export);
    guard.rest();
    assert_eq!(blamed(), [(old, Phase::Export)]);
    drop(noted);
    assert_eq!(blamed(), []);
    guard.phase(Phase::State);
    assert_eq!(blamed(), [(new, Phase::State)]);
    let other = begin(&dying, "other").expect("it begins");
    guard.rest();
    assert_eq!(blamed(), [(hash_bytes(b"other"), Phase::Open)]);
    guard.phase(Phase::Activate);
    drop(other);
    assert_eq!(blamed(), [(new, Phase::Activate)]);
    drop(guard);
    assert_eq!(blamed(), []);
}

#[test]
fn a_version_that_serves_is_noted_even_if_it_is_in_quarantine() {
    let home = home();
    let serving = Journal::open(Some(home.path()));
    let elsewhere = Journal::open(Some(home.path()));
    let guard = begin(&elsewhere, "both").expect("nothing is known of it");
    die(home.path());
    drop(guard);
    assert_eq!(phases(&serving), [Phase::Open]);
    begin(&serving, "both").expect_err("a process died of it");
    let (hash, path) = (hash_bytes(b"both"), Path::new("/plugins/s.so"));
    let _noted = serving.note(hash, &manifest(), path, Occasion::Restart, Phase::Activate);
    die(home.path());
    assert_eq!(
        phases(&serving),
        [Phase::Activate],
        "the later death counts"
    );
}

#[test]
fn what_a_process_was_about_is_kept_and_told() {
    let (from, by) = (Version::new(1, 2, 2), Version::new(1, 3, 0));
    for (occasion, told) in [
        (Occasion::Load, "it loaded this very build"),
        (
            Occasion::Reload { from },
            "a reload replaced v1.2.2 by this very build",
        ),
        (
            Occasion::Replaced { by },
            "a reload replaced this very build by v1.3.0",
        ),
        (
            Occasion::Restart,
            "it started this very build again in the place of one that had failed",
        ),
    ] {
        let home = home();
        let dying = Journal::open(Some(home.path()));
        let (hash, path) = (hash_bytes(b"bad"), Path::new("/plugins/s.so"));
        let _guard = dying
            .begin(hash, &manifest(), path, occasion.clone())
            .expect("nothing is known of it");
        die(home.path());
        let journal = Journal::open(Some(home.path()));
        assert_eq!(journal.quarantined()[0].occasion, occasion);
        let error = begin(&journal, "bad").expect_err("a process died of it");
        let expected = format!("a process died while {told}, in phase open");
        assert!(error.message().ends_with(&expected), "{error}");
    }
}

#[test]
fn a_load_that_is_over_stays_over_whatever_its_threads_still_say() {
    let home = home();
    let dying = Journal::open(Some(home.path()));
    let guard = begin(&dying, "slow").expect("it begins");
    let mark = guard.mark();
    drop(guard);
    mark.phase(Phase::Activate);
    die(home.path());
    assert_eq!(phases(&Journal::open(Some(home.path()))), []);
}

#[test]
fn hosts_that_live_are_not_taken_for_dead_even_in_the_same_process() {
    let home = home();
    let one = Journal::open(Some(home.path()));
    let guard = begin(&one, "slow").expect("it begins");
    let two = Journal::open(Some(home.path()));
    assert_eq!(phases(&two), []);
    drop(begin(&two, "slow").expect("nobody died of it"));
    drop(guard);
    assert_eq!(files(&home.path().join("journal")).len(), 2);
    drop((one, two));
    assert_eq!(
        files(&home.path().join("journal")),
        [""; 0],
        "they ended in order"
    );
}

#[test]
fn a_journal_is_empty_when_nothing_is_being_loaded() {
    let home = home();
    let journal = Journal::open(Some(home.path()));
    for _ in 0..3 {
        let guard = begin(&journal, "good").expect("it begins");
        guard.phase(Phase::Prepare);
    }
    let [name] = &*files(&home.path().join("journal")) else {
        panic!("there is one")
    };
    let path = home.path().join("journal").join(name);
    assert_eq!(fs::read(&path).expect("it is there"), b"");
    let _guard = begin(&journal, "good").expect("it begins");
    let text = fs::read_to_string(&path).expect("it is there");
    assert!(text.starts_with('{') && text.ends_with("}\n"), "{text:?}");
}

#[test]
fn a_process_that_left_without_dropping_its_host_leaves_no_trace() {
    let home = home();
    let journals = home.path().join("journal");
    fs::create_dir(&journals).expect("a directory");
    fs::write(journals.join("1-abc.jsonl"), "").expect("a file");
    drop(Journal::open(Some(home.path())));
    assert_eq!(files(&journals), [""; 0]);
}

#[test]
fn a_line_that_was_cut_short_leaves_the_one_before_it() {
    let home = home();
    let dying = Journal::open(Some(home.path()));
    let guard = begin(&dying, "bad").expect("it begins");
    guard.phase(Phase::Construct);
    let own = files(&home.path().join("journal")).remove(0);
    let path = home.path().join("journal").join(own);
    let whole = fs::read(&path).expect("it is there");
    let first = whole
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a line")
        + 1;
    for (len, expected) in [
        (0, None),
        (first - 1, None),
        (first, Some(Phase::Open)),
        (whole.len() - 1, Some(Phase::Open)),
        (whole.len(), Some(Phase::Construct)),
    ] {
        let (open, unreadable) = record::read_journal(&whole[..len]);
        assert!(unreadable.is_none(), "{unreadable:?}");
        assert_eq!(open.first().map(|found| found.phase), expected, "{len}");
    }
}

#[test]
fn what_does_not_read_is_set_aside_and_the_rest_holds() {
    let home = home();
    let dying = Journal::open(Some(home.path()));
    let _guard = begin(&dying, "bad").expect("it begins");
    let journals = home.path().join("journal");
    die(home.path());
    let dead = journals.join("dead-0.jsonl");
    let mut text = fs::read(&dead).expect("it is there");
    text.extend(b"\xFF\xFE no JSON\n{}\n");
    fs::write(&dead, text).expect("a file");
    fs::write(journals.join("newer.jsonl"), "{\"schema_version\":2}\n").expect("a file");
    fs::create_dir(journals.join("directory.jsonl")).expect("a directory");
    fs::write(journals.join("notes.txt"), "mine").expect("a file");
    let huge = fs::File::create(journals.join("huge.jsonl")).expect("a file");
    huge.set_len(1 << 40).expect("it has holes");
    drop(huge);

    let journal = Journal::open(Some(home.path()));
    assert_eq!(phases(&journal), [Phase::Open]);
    let living = |name: &String| name.starts_with(&format!("{}-", std::process::id()));
    let mut left = files(&journals);
    left.retain(|name| !living(name));
    assert_eq!(
        left,
        [
            "dead-0.jsonl.unreadable",
            "directory.jsonl.unreadable",
            "huge.jsonl.unreadable",
            "newer.jsonl",
            "notes.txt"
        ]
    );
}

#[test]
fn a_file_in_quarantine_that_does_not_read_refuses_nothing() {
    let home = home();
    let journal = Journal::open(Some(home.path()));
    let quarantine = home.path().join("quarantine");
    fs::create_dir(&quarantine).expect("a directory");
    let hash = hash_bytes(b"good").to_string();
    let name = format!("{}.json", hash.trim_start_matches("blake3:"));
    for content in ["", "{", "{\"schema_version\":1}", "[]"] {
        fs::write(quarantine.join(&name), content).expect("a file");
        drop(begin(&journal, "good").expect("nothing is known of it"));
        assert_eq!(
            files(&quarantine),
            [format!("{name}.unreadable")],
            "{content}"
        );
    }
    // Of another version, which can read it.
    fs::write(quarantine.join(&name), "{\"schema_version\":2}").expect("a file");
    drop(begin(&journal, "good").expect("nothing is known of it"));
    assert!(quarantine.join(&name).exists());
    assert_eq!(phases(&journal), []);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_followed_and_not_waited_for() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let home = home();
    drop(Journal::open(Some(home.path())));
    let journals = home.path().join("journal");
    let mode = fs::metadata(&journals)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    let mine = home.path().join("mine");
    fs::write(&mine, "mine").expect("a file");
    symlink(&mine, journals.join("link.jsonl")).expect("a link");
    let made = std::process::Command::new("mkfifo")
        .arg(journals.join("pipe.jsonl"))
        .status();
    assert!(made.expect("mkfifo starts").success());
    let journal = Journal::open(Some(home.path()));
    drop(begin(&journal, "good").expect("it begins"));
    assert_eq!(fs::read(&mine).expect("it is there"), b"mine");
    let mut left = files(&journals);
    left.retain(|name| name.ends_with(".unreadable"));
    assert_eq!(left, ["link.jsonl.unreadable", "pipe.jsonl.unreadable"]);
}

#[test]
fn a_directory_that_cannot_be_used_guards_nothing_and_stops_nothing() {
    let home = home();
    let file = home.path().join("file");
    fs::write(&file, "no directory").expect("a file");
    let journal = Journal::open(Some(&file.join("state")));
    let guard = begin(&journal, "good").expect("it begins");
    guard.phase(Phase::Activate);
    drop(guard);
    assert_eq!(phases(&journal), []);
    let none = Journal::open(None);
    drop(begin(&none, "good").expect("it begins"));
    assert!(
        !none
            .release(&hash_bytes(b"good"))
            .expect("there is nothing")
    );
}

#[test]
fn what_is_in_quarantine_is_refused_where_nothing_can_be_written() {
    let home = home();
    let dying = Journal::open(Some(home.path()));
    let guard = begin(&dying, "bad").expect("it begins");
    die(home.path());
    drop(Journal::open(Some(home.path())));
    // Even root cannot make a journal where the directory for them is none.
    drop((guard, dying));
    fs::remove_dir_all(home.path().join("journal")).expect("it is there");
    fs::write(home.path().join("journal"), "").expect("a file");
    let journal = Journal::open(Some(home.path()));
    begin(&journal, "bad").expect_err("a process died of it");
    drop(begin(&journal, "good").expect("it begins"));
}

#[test]
fn hosts_that_start_at_once_lose_no_crash() {
    let home = home();
    let dying = Journal::open(Some(home.path()));
    let _guards: Vec<Guard> = (0..8)
        .map(|number| begin(&dying, &number.to_string()).expect("it begins"))
        .collect();
    die(home.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    drop(Journal::open(Some(home.path())));
                }
            });
        }
    });
    assert_eq!(Journal::open(Some(home.path())).quarantined().len(), 8);
}
