//! Real directories, with libraries in them that are crafted: they have what an inspection reads,
//! and nothing else. The exact texts are those of Linux.

#[cfg(target_os = "linux")]
mod gates;
#[cfg(target_os = "linux")]
mod kinds;
#[cfg(unix)]
mod random;
#[cfg(target_os = "linux")]
mod rescans;
#[cfg(target_os = "linux")]
mod roots;
#[cfg(unix)]
mod scene;
#[cfg(target_os = "linux")]
mod watched;
