//! Reload in place: what a plugin's new file comes to, and that the version that serves is not
//! disturbed by any of it.

mod exclusive;
mod in_flight;
mod outcomes;
mod probation;
mod races;
mod scene;
mod sets;
mod state;
mod watching;
