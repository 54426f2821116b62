//! Types that never cross as an argument, each with what to write instead.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyway::{Result, Stream, capability};

#[capability(id = "acme.arguments", version = 1)]
pub trait Arguments: Send + Sync {
    fn map(&self, map: HashMap<String, u8>) -> Result<()>;
    fn nested(&self, maps: Vec<Option<HashMap<String, Vec<u8>>>>) -> Result<()>;
    fn borrowed_string(&self, text: &String) -> Result<()>;
    fn changed_string(&self, text: &mut String) -> Result<()>;
    fn changed_str(&self, text: &mut str) -> Result<()>;
    fn borrowed_vec(&self, bytes: &Vec<u8>) -> Result<()>;
    fn changed_vec(&self, bytes: &mut Vec<u8>) -> Result<()>;
    fn borrowed_number(&self, number: &u64) -> Result<()>;
    fn changed_number(&self, number: &mut u64) -> Result<()>;
    fn borrowed_struct(&self, path: &Config) -> Result<()>;
    fn letter(&self, letter: char) -> Result<()>;
    fn wide(&self, number: i128) -> Result<()>;
    fn array(&self, bytes: [u8; 32]) -> Result<()>;
    fn path(&self, path: &Path) -> Result<()>;
    fn path_buf(&self, path: PathBuf) -> Result<()>;
    fn shared(&self, text: Arc<String>) -> Result<()>;
    fn object(&self, text: Box<dyn Send>) -> Result<()>;
    fn some(&self, text: impl Into<String>) -> Result<()>;
    fn callback(&self, callback: fn(u8) -> u8) -> Result<()>;
    fn pointer(&self, pointer: *const u8) -> Result<()>;
    fn texts(&self, texts: &[&str]) -> Result<()>;
    fn maybe(&self, text: Option<&str>) -> Result<()>;
    fn four(&self, many: (u8, u8, u8, u8)) -> Result<()>;
    fn stream(&self, rows: Stream<u8>) -> Result<()>;
    async fn streams(&self, rows: (u8, Option<keyway::Stream<u8>>)) -> Result<()>;
    // Two mistakes in one method are two errors.
    fn two(&self, letter: char, path: PathBuf) -> Result<char>;
}

pub struct Config;

fn main() {}
