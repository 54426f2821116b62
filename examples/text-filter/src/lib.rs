//! Text filter.
