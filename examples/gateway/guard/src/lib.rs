//! The gateway's own extension point: all that it and its plugins have in common.

use keyway::{Json, Result};

/// A request on its way through the guards.
#[keyway::data]
#[derive(Clone, Debug)]
pub struct Request {
    /// What the client shows.
    pub token: String,
    /// Whose token it is, once a guard has found that out.
    pub account: Option<String>,
}

/// Who looks at requests before they are answered.
#[keyway::capability(id = "gateway.guard", version = 1)]
pub trait Guard: Send + Sync {
    /// Lets a request through, with more in it than before if need be. An error keeps it out, and its
    /// message goes to the client.
    fn admit(&self, request: Json<Request>) -> Result<Json<Request>>;

    /// Guards are asked by rising rank.
    fn rank(&self) -> Result<u32>;
}
