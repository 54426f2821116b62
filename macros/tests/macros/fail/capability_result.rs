//! What a method may answer.

use keyway::{PluginError, Result, capability};

#[capability(id = "acme.results", version = 1)]
pub trait Results: Send + Sync {
    fn nothing(&self);
    fn number(&self) -> u32;
    fn maybe(&self) -> Option<u32>;
    async fn text(&self) -> String;
    fn io(&self) -> std::io::Result<u32>;
    fn io_error(&self) -> Result<u32, std::io::Error>;
    fn boxed(&self) -> Result<u32, Box<dyn std::error::Error + Send + Sync>>;
    async fn text_error(&self) -> Result<u32, String>;
    fn borrowed(&self) -> Result<&str>;
    fn lists(&self) -> Result<Vec<&'static [u8]>>;
    fn cow(&self) -> Result<std::borrow::Cow<'_, str>>;
    fn letter(&self) -> Result<char, PluginError>;
    fn future(&self) -> impl Future<Output = Result<u32>>;
}

fn main() {}
