//! The cycle of `keyway dev`: an edit, a build, a reload, the calls.
//!
//! One thread does all of it and prints all of it. Whatever else happens meanwhile reaches it as a
//! [`Happening`]; while cargo runs and has the terminal, those that would print wait.

mod calls;
mod reloads;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use keyway_host::{Event, PluginStatus, ReloadOptions};
use serde_json::Value;

use super::round::{Answer, Round};
use super::show::show_loaded;
use super::watch::SourceWatch;
use super::{Call, no_thread};
use crate::args::Dev;
use crate::cargo::{Build, PluginCrate};
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::interrupt::Interrupt;
use crate::logging::{self, Pause};
use crate::session::{Session, refused, tell_panics};
use crate::subject::{plugin_crate, shorten};
use crate::terminal::Terminal;

/// What the cycle reacts to.
#[derive(Debug)]
pub(super) enum Happening {
    /// Somebody asked for the end.
    Interrupted,
    /// These sources have changed; none if it is not known which.
    Edited(Vec<PathBuf>),
    /// Cargo has ended.
    Built(Outcome<PathBuf>),
    /// The host tells.
    Host(Event),
    /// A tool was called.
    Answered(Answer),
    /// The plugin has panicked.
    Panicked,
}

pub(super) struct Cycle<'a> {
    command: &'a Dev,
    calls: &'a [Call],
    session: &'a Session,
    terminal: &'a Terminal,
    plugin: PluginCrate,
    inbox: Receiver<Happening>,
    outbox: Sender<Happening>,
    /// What has happened while cargo ran, and is still to be told.
    waiting: VecDeque<Happening>,
    watch: Option<SourceWatch>,
    /// The cargo that runs. It ends before what was logged meanwhile is printed.
    build: Option<(Build, Pause)>,
    /// What has changed since the last build was started.
    edited: Option<Vec<PathBuf>>,
    serving: Option<Serving>,
    /// Whether the host is trying a new version.
    reloading: bool,
    /// What is watched, still to be told once the first calls are answered.
    introduction: Option<String>,
    round: Option<Round>,
    rounds: u64,
    /// What came of each call the last time.
    answers: Vec<Option<Result<Value, String>>>,
}

/// The plugin that is loaded.
struct Serving {
    status: PluginStatus,
    /// The file that it comes from.
    library: PathBuf,
    /// Whether it was told what panics lead to, while it is on probation.
    warned: bool,
}

impl<'a> Cycle<'a> {
    pub(super) fn new(
        command: &'a Dev,
        calls: &'a [Call],
        plugin: PluginCrate,
        session: &'a Session,
        terminal: &'a Terminal,
    ) -> Self {
        let (outbox, inbox) = channel();
        Cycle {
            command,
            calls,
            session,
            terminal,
            plugin,
            inbox,
            outbox,
            waiting: VecDeque::new(),
            watch: None,
            build: None,
            edited: None,
            serving: None,
            reloading: false,
            introduction: None,
            round: None,
            rounds: 0,
            answers: vec![None; calls.len()],
        }
    }

    /// Begins with a build, or with a library that is there, and goes on until it is interrupted.
    pub(super) fn run(mut self, interrupt: &Interrupt, library: Option<PathBuf>) -> Outcome {
        let outbox = self.outbox.clone();
        interrupt.then(move || drop(outbox.send(Happening::Interrupted)));
        let outbox = self.outbox.clone();
        logging::on_panic(move || drop(outbox.send(Happening::Panicked)));
        self.listen_to_host()?;
        match library {
            Some(library) => {
                self.introduction = Some(library.display().to_string());
                self.load(library)?;
            }
            None => {
                let outbox = self.outbox.clone();
                let report = move |changed| drop(outbox.send(Happening::Edited(changed)));
                self.watch = Some(SourceWatch::start(&self.plugin.sources, report)?);
                self.warn_of_polling();
                let package = &self.plugin.package;
                let others = match self.plugin.sources.crates() - 1 {
                    0 => String::new(),
                    1 => " and 1 crate that it uses".to_owned(),
                    more => format!(" and {more} crates that it uses"),
                };
                self.introduction = Some(format!("the sources of {package}{others}"));
                self.start_build()?;
            }
        }
        loop {
            let is_idle = self.build.is_none() && self.round.is_none();
            if is_idle
                && self.serving.is_some()
                && let Some(watched) = self.introduction.take()
            {
                self.terminal
                    .status("Watching", format_args!("{watched}; Ctrl-C ends"));
            }
            match self.next() {
                Happening::Interrupted => break,
                Happening::Edited(changed) => self.note_edit(changed),
                Happening::Built(built) => self.built(built)?,
                Happening::Host(event) => self.hear(event)?,
                Happening::Answered(answer) => self.answered(answer)?,
                Happening::Panicked => self.panicked(),
            }
            if self.build.is_none() && self.waiting.is_empty() && self.edited.is_some() {
                self.rebuild();
            }
        }
        if self.build.take().is_some() {
            self.terminal.clear_progress();
        }
        // It was asked to go on until it is told to end: see the exit codes.
        match self.serving {
            Some(_) => Ok(()),
            None => Err(Ending::Interrupted),
        }
    }

    /// What is to be done next; what would print waits while cargo does.
    fn next(&mut self) -> Happening {
        if self.build.is_none()
            && let Some(happening) = self.waiting.pop_front()
        {
            return happening;
        }
        loop {
            // It cannot fail: this holds a sender too.
            let happening = self.inbox.recv().unwrap_or(Happening::Interrupted);
            let prints = match happening {
                Happening::Interrupted | Happening::Edited(_) | Happening::Built(_) => false,
                Happening::Host(_) | Happening::Answered(_) | Happening::Panicked => true,
            };
            if !(prints && self.build.is_some()) {
                return happening;
            }
            self.waiting.push_back(happening);
        }
    }

    fn listen_to_host(&self) -> Outcome {
        let mut events = self.session.host.events();
        let outbox = self.outbox.clone();
        let listen = move || {
            while let Some(event) = events.next_blocking() {
                if outbox.send(Happening::Host(event)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("keyway-events".to_owned());
        let started = thread.spawn(listen);
        Ok(started.map(drop).map_err(|error| no_thread(&error))?)
    }

    fn note_edit(&mut self, changed: Vec<PathBuf>) {
        match &mut self.edited {
            // Of several edits it is enough to tell of the first.
            Some(edited) => edited.extend(changed),
            None => self.edited = Some(changed),
        }
    }

    /// Builds after an edit. What goes wrong is told, and the next edit is another chance.
    fn rebuild(&mut self) {
        let changed = self.edited.take().unwrap_or_default();
        self.terminal.status_in_a_line("Changed", &list(&changed));
        if let Err(ending) = self.follow(&changed).and_then(|()| self.start_build()) {
            self.tell(ending);
            self.tell_goes_on("the crate was not built");
        }
    }

    /// Sees to it that the right directories are watched.
    fn follow(&mut self, changed: &[PathBuf]) -> Outcome {
        if changed.is_empty() || changed.iter().any(|path| path.ends_with("Cargo.toml")) {
            self.plugin = plugin_crate(&self.command.dir)?;
        }
        if let Some(watch) = &mut self.watch {
            watch.follow(&self.plugin.sources, changed)?;
        }
        self.warn_of_polling();
        Ok(())
    }

    fn warn_of_polling(&mut self) {
        let why = self.watch.as_mut().and_then(SourceWatch::take_polling);
        if let Some(why) = why {
            self.terminal
                .warning(&format!("sources are looked at once a second: {why}"));
        }
    }

    fn start_build(&mut self) -> Outcome {
        let outbox = self.outbox.clone();
        let pause = Pause::begin();
        let build = Build::start(
            &self.plugin,
            self.command.release,
            self.terminal,
            // Without a receiver the cycle has ended.
            move |built| drop(outbox.send(Happening::Built(built))),
        )?;
        self.build = Some((build, pause));
        Ok(())
    }

    fn built(&mut self, built: Outcome<PathBuf>) -> Outcome {
        self.build = None;
        let library = match built {
            Ok(library) => shorten(&library),
            // It was the build of what has changed again meanwhile.
            Err(_) if self.edited.is_some() => return Ok(()),
            Err(Ending::Failed(failure)) => {
                // Cargo has said all that there is to say.
                self.tell_goes_on(failure.message());
                return Ok(());
            }
            Err(ending) => return Err(ending),
        };
        match &self.serving {
            None => self.load(library)?,
            // The host does not watch a file that it knows nothing of.
            Some(serving) if serving.library != library => {
                let options = ReloadOptions::new().path(&library);
                let host = &self.session.host;
                let reload = host.reload_with(&serving.status.name, options);
                if let Err(error) = host.block_on(reload) {
                    self.terminal.failure(&refused(&error));
                } else if let Some(serving) = &mut self.serving {
                    serving.library = library;
                }
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Loads the plugin for the first time.
    fn load(&mut self, library: PathBuf) -> Outcome {
        let loaded = self.session.load(&library, self.command.settings.to_map());
        let status = match loaded {
            Ok(status) => status,
            // An edit may mend all but what is wrong here.
            Err(Ending::Failed(failure)) if failure.exit() != exit::HOST => {
                if self.watch.is_none() {
                    return Err(Ending::Failed(failure));
                }
                self.terminal.failure(&failure);
                tell_panics(&failure.whole(), self.terminal);
                self.tell_goes_on("the plugin was not loaded");
                return Ok(());
            }
            Err(ending) => return Err(ending),
        };
        show_loaded(&status, &library, self.session, self.terminal);
        self.serving = Some(Serving {
            status,
            library,
            warned: false,
        });
        self.start_round()
    }

    fn tell(&self, ending: Ending) {
        if let Ending::Failed(failure) = ending {
            self.terminal.failure(&failure);
        }
    }

    /// Tells what serves on although something failed.
    fn tell_goes_on(&self, why: &str) {
        match &self.serving {
            Some(Serving { status, .. }) => self.terminal.status(
                "Keeping",
                format_args!("{} v{}: {why}", status.name, status.version),
            ),
            None => self
                .terminal
                .status("Waiting", format_args!("for an edit: {why}")),
        }
    }
}

/// Paths for a line: the first that is there, and how many more there are.
fn list(paths: &[PathBuf]) -> String {
    // Editors and tools rename temporary files, which are gone by now.
    let here: Vec<&PathBuf> = paths.iter().filter(|path| path.is_file()).collect();
    let (first, number) = match (here.first(), paths.first()) {
        (Some(first), _) => (first.as_path(), here.len()),
        (None, Some(first)) => (first.as_path(), paths.len()),
        (None, None) => (Path::new("files"), 1),
    };
    let first = shorten(first);
    match number - 1 {
        0 => first.display().to_string(),
        more => format!("{} and {more} more", first.display()),
    }
}
