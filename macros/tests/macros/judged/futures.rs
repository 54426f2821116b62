//! An implementation whose future cannot move between threads.

use std::rc::Rc;

use keyway::{Result, capability, tool};

#[capability(id = "acme.futures", version = 1)]
pub trait Waits: Send + Sync {
    async fn wait(&self, text: &str) -> Result<u64>;
}

struct OneThread;

impl Waits for OneThread {
    async fn wait(&self, text: &str) -> Result<u64> {
        let shared = Rc::new(text.len() as u64);
        std::future::ready(()).await;
        Ok(*shared)
    }
}

/// Waits.
#[tool]
async fn waits() -> Result<u64> {
    let shared = Rc::new(1);
    std::future::ready(()).await;
    Ok(*shared)
}

#[capability(id = "acme.default", version = 1)]
pub trait DefaultWaits: Send + Sync {
    async fn wait(&self) -> Result<u64> {
        let shared = Rc::new(1);
        std::future::ready(()).await;
        Ok(*shared)
    }
}

fn main() {}
