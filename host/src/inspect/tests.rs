mod fixture;
mod hostile;
mod notes;
mod real;
mod synthetic;
