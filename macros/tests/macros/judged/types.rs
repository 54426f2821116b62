//! Types that only the compiler knows: each mistake is one error, at the type.

use std::io;

use keyway::{Json, Result, capability};

pub struct Report {
    pub title: String,
}

#[capability(id = "acme.argument", version = 1)]
pub trait Argument: Send + Sync {
    fn one(&self, report: Report) -> Result<()>;
}

#[capability(id = "acme.async-argument", version = 1)]
pub trait AsyncArgument: Send + Sync {
    async fn one(&self, text: &str, reports: Vec<Report>) -> Result<()>;
}

#[capability(id = "acme.slice", version = 1)]
pub trait Slice: Send + Sync {
    async fn one(&self, reports: &[Report]) -> Result<()>;
}

#[capability(id = "acme.answer", version = 1)]
pub trait Answer: Send + Sync {
    async fn one(&self) -> Result<Report>;
    fn two(&self) -> Result<Report> {
        Err(keyway::PluginError::new("no report"))
    }
}

#[capability(id = "acme.json", version = 1)]
pub trait NoJson: Send + Sync {
    async fn one(&self, report: Json<Report>) -> Result<()>;
}

mod alias {
    use std::io::Result;

    #[keyway::capability(id = "acme.alias", version = 1)]
    pub trait Alias: Send + Sync {
        fn one(&self, number: u8) -> Result<u8>;
        async fn two(&self) -> Result<u8> {
            Ok(1)
        }
    }
}

pub type Answered<T> = std::result::Result<T, io::Error>;

#[capability(id = "acme.named", version = 1)]
pub trait Named: Send + Sync {
    fn one(&self) -> Answered<u8>;
}

fn main() {}
