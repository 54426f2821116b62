//! The `keyway` command: begins, inspects, calls, develops, validates and installs plugins.
//!
//! Everything about plugins is done by `keyway-host` and `keyway-install`; what is here reads the command line, starts
//! cargo, and prints. Results go to stdout and everything else to stderr, so what is piped is only
//! ever data. How a run ends is one number of [`exit`].

mod approve;
mod args;
mod call;
mod cargo;
mod completions;
mod config;
mod dev;
mod doctor;
mod edit;
mod enable;
mod ending;
mod exit;
mod failure;
mod inspect;
mod install;
mod installation;
mod interrupt;
mod list;
mod logging;
mod man;
mod new;
mod outdated;
mod package;
mod permissions;
mod pin;
mod publish;
mod release;
mod rollback;
mod run;
mod session;
mod subject;
mod terminal;
mod test;
mod transaction;
mod uninstall;
mod update;
mod validate;
mod wrap;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use terminal::Terminal;

fn main() -> ExitCode {
    let args = Args::parse();
    if matches!(args.command, Command::RunCheck) {
        // It prints in a way of its own, and has its own subscriber.
        return keyway_validate::child();
    }
    let terminal = Terminal::new(&args);
    logging::start(&args);
    let outcome = match &args.command {
        Command::Inspect(command) => inspect::run(command, &terminal),
        Command::Call(command) => call::run(command, &terminal),
        Command::New(command) => new::run(command, &terminal),
        Command::Dev(command) => dev::run(command, &terminal),
        Command::Test(command) => test::run(command, &terminal),
        Command::Validate(command) => validate::run(command, &terminal),
        Command::Release(command) => release::run(command, &terminal),
        Command::RunCheck => Ok(()),
        Command::Install(command) => install::run(command, &terminal),
        Command::Uninstall(command) => uninstall::run(command, &terminal),
        Command::Update(command) => update::run(command, &terminal),
        Command::Rollback(command) => rollback::run(command, &terminal),
        Command::Pin(command) => pin::run(&command.plugins, true, &command.place, &terminal),
        Command::Unpin(command) => pin::run(&command.plugins, false, &command.place, &terminal),
        Command::Package(command) => package::run(command, &terminal),
        Command::Enable(command) => enable::enable(command, &terminal),
        Command::Disable(command) => enable::disable(command, &terminal),
        Command::Doctor(command) => doctor::run(command, &terminal),
        Command::Config(command) => config::run(command, &terminal),
        Command::Permissions(command) => permissions::run(command, &terminal),
        Command::Run(command) => run::run(command, &terminal),
        Command::Completions(command) => completions::run(command, &terminal),
        Command::Man(command) => man::run(command, &terminal),
        Command::List(command) => list::run(command, &terminal),
        Command::Publish(command) => publish::run(command, &terminal),
        Command::Outdated(command) => outdated::run(command, &terminal),
    };
    let code = match outcome {
        Ok(()) => exit::SUCCESS,
        Err(ending) => ending.report(&terminal),
    };
    ExitCode::from(code)
}
