//! The ways in which a run ends early.

use std::io;

use keyway_install::InstallError;

use crate::exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// What a step of a command answers.
pub(crate) type Outcome<T = ()> = Result<T, Ending>;

/// Why a run ends before its end.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Something went wrong, and is still to be told.
    Failed(Box<Failure>),
    /// Whoever read the output has closed it, which is their right: `keyway inspect .. | head`.
    ReaderGone,
    /// What went wrong was told, or is the result and was printed as that; this is the exit code.
    Told(u8),
    /// Ctrl-C, or a signal that asks to end.
    Interrupted,
}

impl Ending {
    /// Tells on stderr what there is to tell; answers the exit code.
    pub(crate) fn report(self, terminal: &Terminal) -> u8 {
        match self {
            Ending::Failed(failure) => {
                terminal.failure(&failure);
                failure.exit()
            }
            Ending::ReaderGone => exit::SUCCESS,
            Ending::Told(code) => code,
            Ending::Interrupted => exit::INTERRUPTED,
        }
    }

    /// The result could not be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Ending::ReaderGone;
        }
        Failure::new(
            exit::HOST,
            "output",
            format!("cannot write the result: {error}"),
        )
        .into()
    }
}

impl From<InstallError> for Ending {
    fn from(error: InstallError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Ending::Failed(Box::new(failure))
    }
}
