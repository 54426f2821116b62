//! What a method may be. Every mistake of a trait is told at once.

use keyway::{Result, capability};

#[capability(id = "acme.methods", version = 1)]
pub trait Methods: Send + Sync {
    fn mutable(&mut self) -> Result<()>;
    fn by_value(self) -> Result<()>
    where
        Self: Sized;
    fn boxed(self: Box<Self>) -> Result<()>;
    fn associated(number: u8) -> Result<()>;
    fn nothing() -> Result<()>;
    fn generic<T>(&self, value: T) -> Result<()>;
    fn lifetime<'a>(&'a self, text: &'a str) -> Result<()>;
    unsafe fn danger(&self) -> Result<()>;
    extern "C" fn foreign(&self) -> Result<()>;
    const fn constant(&self) -> Result<()>;
    #[cfg(unix)]
    fn sometimes(&self) -> Result<()>;
    #[cfg_attr(unix, must_use)]
    fn attribute(&self) -> Result<()>;
    fn provide(&self) -> Result<()>;
    fn with_deadline(&self) -> Result<()>;
    fn pattern(&self, (one, two): (u8, u8)) -> Result<()>;
    fn unnamed(&self, _: u8) -> Result<()>;
    fn changeable(&self, mut number: u8) -> Result<()>;
    fn noted(&self, #[cfg(unix)] number: u8) -> Result<()>;
}

fn main() {}
