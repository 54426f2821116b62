//! What the fuzz targets run: the functions of the workspace's own tests, included by path, since this
//! workspace depends on as little as it can.

#[path = "../../src/any_input.rs"]
pub mod any_input;
