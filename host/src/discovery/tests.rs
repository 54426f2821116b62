//! Real directories, with libraries in them that are crafted: they have what an inspection reads,
//! and nothing else. The exact texts are those of Linux.

mod gates;
mod kinds;
mod random;
mod rescans;
mod roots;
mod scale;
mod scene;
mod watched;
