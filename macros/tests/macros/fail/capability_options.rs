//! The options of `#[capability]`.

use keyway::{Result, capability};

#[capability(version = 1)]
pub trait NoId: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.no-version")]
pub trait NoVersion: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "nodots", version = 1)]
pub trait NoDots: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "Acme.Upper", version = 1)]
pub trait Upper: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.zero", version = 0)]
pub trait Zero: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.unknown", major = 1)]
pub trait UnknownOption: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.twice", id = "acme.twice", version = 1)]
pub trait Twice: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.text-version", version = "1")]
pub trait TextVersion: Send + Sync {
    fn one(&self) -> Result<()>;
}

// What uses a trait with mistakes adds no errors.
struct Implementation;

impl Zero for Implementation {
    fn one(&self) -> Result<()> {
        Ok(())
    }
}

fn hold(handle: &ZeroHandle) -> ZeroHandle {
    handle.clone()
}

fn main() {}
