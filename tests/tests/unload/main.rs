//! A stopped plugin's library is closed and gone, whatever it has left on the threads that called
//! it; and where something still needs it, it stays.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod crowds;
mod ending;
mod kept;
mod keys;
mod locals;
mod scene;
