//! What the trait may be.

use keyway::{Result, capability};

#[capability(id = "acme.bounds", version = 1)]
pub trait NoBounds {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.half", version = 1)]
pub trait OnlySend: Send {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.more", version = 1)]
pub trait MoreBounds: Send + Sync + Clone {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.generic", version = 1)]
pub trait Generic<T: Clone>: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.clause", version = 1)]
pub trait Clause: Send + Sync
where
    Self: Sized,
{
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.unsafe", version = 1)]
pub unsafe trait Unsafe: Send + Sync {
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.items", version = 1)]
pub trait Items: Send + Sync {
    type Output;
    const LIMIT: usize;
    fn one(&self) -> Result<()>;
}

#[capability(id = "acme.order", version = 1)]
pub trait Order: Send + Sync {
    fn one(&self) -> Result<()>;
    fn two(&self) -> Result<()> {
        Ok(())
    }
    fn three(&self) -> Result<()>;
}

#[capability(id = "acme.struct", version = 1)]
pub struct NoTrait;

fn main() {}
