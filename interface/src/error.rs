//! The one error type that crosses the boundary between host and plugin.
//!
//! A call into a plugin can always fail: the plugin may refuse, panic, be too busy, or be gone.
//! All of these arrive as a [`PluginError`] whose [`ErrorKind`] tells them apart.

use std::fmt;

/// What a call into a plugin returns.
pub type Result<T, E = PluginError> = std::result::Result<T, E>;

/// The class of a [`PluginError`].
///
/// The set is open: a newer peer may send a kind that this build does not know, which reads as
/// [`ErrorKind::Failed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The plugin's own code reported a failure.
    Failed,
    /// The caller passed something that the callee does not accept.
    InvalidInput,
    /// What was asked for does not exist.
    NotFound,
    /// Policy or permissions forbid the call.
    Denied,
    /// The plugin panicked; the panic was contained, [`PluginError::location`] says where.
    Panicked,
    /// The deadline of the call passed; the call was cancelled.
    DeadlineExceeded,
    /// The call was cancelled by its caller or by the end of the plugin.
    Cancelled,
    /// A limit on concurrent calls or queued work was reached. Retryable.
    Busy,
    /// No plugin serves this capability at the moment.
    Unavailable,
    /// The peer was built before this operation existed, and it has no default.
    Unsupported,
    /// Data crossed the boundary that the receiver could not read.
    Malformed,
    /// The callee has nothing to say to this, and leaves it to whoever else may have: the next
    /// provider, or the application itself. Nothing went wrong. A peer that was built before this
    /// kind existed reads it as [`ErrorKind::Failed`], with the code `declined` all the same.
    Declined,
}

impl ErrorKind {
    const ALL: [(ErrorKind, u32, &'static str); 12] = [
        (ErrorKind::Failed, 0, "failed"),
        (ErrorKind::InvalidInput, 1, "invalid-input"),
        (ErrorKind::NotFound, 2, "not-found"),
        (ErrorKind::Denied, 3, "denied"),
        (ErrorKind::Panicked, 4, "panicked"),
        (ErrorKind::DeadlineExceeded, 5, "deadline-exceeded"),
        (ErrorKind::Cancelled, 6, "cancelled"),
        (ErrorKind::Busy, 7, "busy"),
        (ErrorKind::Unavailable, 8, "unavailable"),
        (ErrorKind::Unsupported, 9, "unsupported"),
        (ErrorKind::Malformed, 10, "malformed"),
        (ErrorKind::Declined, 11, "declined"),
    ];

    /// The kind's stable kebab-case name, which is also the default error code.
    pub fn name(self) -> &'static str {
        Self::ALL[self.to_abi() as usize].2
    }

    pub(crate) fn to_abi(self) -> u32 {
        Self::ALL
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or(0, |(_, number, _)| *number)
    }

    pub(crate) fn from_abi(number: u32) -> Self {
        Self::ALL
            .get(number as usize)
            .map_or(ErrorKind::Failed, |(kind, ..)| *kind)
    }

    fn retryable_by_default(self) -> bool {
        matches!(
            self,
            ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::DeadlineExceeded
        )
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An error of a plugin or of a call into one.
///
/// It has a kind, a code for programs, a message for people, a hint whether trying again can
/// help, and the messages of its causes from the outermost in. It is one pointer wide, so a
/// `Result` that carries it stays small on the path where nothing fails.
///
/// ```
/// use keyway::{ErrorKind, PluginError};
///
/// let error = PluginError::new("the index is being rebuilt").code("index-busy").retryable(true);
/// assert_eq!(error.to_string(), "the index is being rebuilt");
/// assert_eq!(error.kind(), ErrorKind::Failed);
/// assert!(error.is_retryable());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PluginError {
    body: Box<Body>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) kind: ErrorKind,
    pub(crate) retryable: bool,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) location: Option<String>,
    pub(crate) causes: Vec<String>,
}

impl PluginError {
    /// A failure of the plugin's own with a message for people.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Failed, message)
    }

    /// An error of a given kind. Its code is the kind's name, and whether it is retryable follows
    /// from the kind: busy, unavailable and deadline-exceeded are.
    #[cold]
    pub fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::from_body(Body {
            kind,
            retryable: kind.retryable_by_default(),
            code: kind.name().to_owned(),
            message: message.into(),
            location: None,
            causes: Vec::new(),
        })
    }

    /// An [`ErrorKind::InvalidInput`] error.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::InvalidInput, message)
    }

    /// An [`ErrorKind::NotFound`] error.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::NotFound, message)
    }

    /// An [`ErrorKind::Declined`] error: somebody else may have the answer. Not retryable, since
    /// the same callee would decline again.
    pub fn declined(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Declined, message)
    }

    /// Wraps a foreign error: its message becomes the message, its sources become the causes.
    pub fn from_error(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut wrapped = Self::new(error.to_string());
        wrapped.push_sources(error.source());
        wrapped
    }

    /// Replaces the code, the stable identifier that programs match on.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.body.code = code.into();
        self
    }

    /// Says whether trying the same call again can succeed.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.body.retryable = retryable;
        self
    }

    /// Puts a new message in front; the old message becomes the first cause.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        let previous = std::mem::replace(&mut self.body.message, message.into());
        self.body.causes.insert(0, previous);
        self
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, cause: &(dyn std::error::Error + 'static)) -> Self {
        self.push_sources(Some(cause));
        self
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.body.kind
    }

    /// Whether the callee left the call to somebody else: see [`ErrorKind::Declined`].
    pub fn is_declined(&self) -> bool {
        self.kind() == ErrorKind::Declined
    }

    /// The stable identifier for programs.
    pub fn error_code(&self) -> &str {
        &self.body.code
    }

    /// The message for people, without its causes.
    pub fn message(&self) -> &str {
        &self.body.message
    }

    /// Whether trying the same call again can succeed.
    pub fn is_retryable(&self) -> bool {
        self.body.retryable
    }

    /// The source position of a contained panic, as `file:line:column`.
    pub fn location(&self) -> Option<&str> {
        self.body.location.as_deref()
    }

    /// The messages of the causes, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.body.causes
    }

    /// The same error with other words: each of its texts for people as `with` answers it. A host takes
    /// out what nobody may see.
    #[doc(hidden)]
    #[must_use]
    pub fn with_texts(mut self, with: impl Fn(&str) -> String) -> Self {
        let Body {
            kind: _,
            retryable: _,
            code: _,
            message,
            location,
            causes,
        } = &mut *self.body;
        for text in [message].into_iter().chain(location).chain(causes) {
            *text = with(text);
        }
        self
    }

    pub(crate) fn from_body(body: Body) -> Self {
        PluginError {
            body: Box::new(body),
        }
    }

    pub(crate) fn into_body(self) -> Body {
        *self.body
    }

    pub(crate) fn panicked(message: String, location: Option<String>) -> Self {
        let mut error = Self::of(ErrorKind::Panicked, message);
        error.body.location = location;
        error
    }

    fn push_sources(&mut self, mut source: Option<&(dyn std::error::Error + 'static)>) {
        while let Some(error) = source {
            self.body.causes.push(error.to_string());
            source = error.source();
        }
    }
}

/// The message, of a panic with its place; with `{:#}` also what caused the error, in one line.
impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind() == ErrorKind::Panicked {
            write!(f, "the plugin panicked: ")?;
        }
        f.write_str(self.message())?;
        if let Some(location) = self.location() {
            write!(f, " (at {location})")?;
        }
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginError")
            .field("kind", &self.kind())
            .field("code", &self.error_code())
            .field("message", &self.message())
            .field("retryable", &self.is_retryable())
            .field("location", &self.location())
            .field("causes", &self.causes())
            .finish()
    }
}

impl std::error::Error for PluginError {}

impl From<std::io::Error> for PluginError {
    fn from(error: std::io::Error) -> Self {
        Self::from_error(&error)
    }
}

impl From<serde_json::Error> for PluginError {
    fn from(error: serde_json::Error) -> Self {
        Self::from_error(&error)
    }
}

impl From<std::fmt::Error> for PluginError {
    fn from(error: std::fmt::Error) -> Self {
        Self::from_error(&error)
    }
}

impl From<std::num::ParseIntError> for PluginError {
    fn from(error: std::num::ParseIntError) -> Self {
        Self::from_error(&error)
    }
}

impl From<std::num::ParseFloatError> for PluginError {
    fn from(error: std::num::ParseFloatError) -> Self {
        Self::from_error(&error)
    }
}

impl From<std::string::FromUtf8Error> for PluginError {
    fn from(error: std::string::FromUtf8Error) -> Self {
        Self::from_error(&error)
    }
}

/// `.context("...")` on any `Result`, for `?` with any error type.
pub trait ResultExt<T> {
    /// Turns a foreign error into a [`PluginError`] with this message; the error becomes its
    /// cause.
    ///
    /// # Errors
    ///
    /// The error of `self`, wrapped.
    fn context(self, message: impl Into<String>) -> Result<T>;
}

impl<T, E: std::error::Error + 'static> ResultExt<T> for std::result::Result<T, E> {
    fn context(self, message: impl Into<String>) -> Result<T> {
        self.map_err(|error| {
            let mut error = Some(error);
            // A `PluginError` keeps its kind, code and causes; only the message moves down.
            match (&mut error as &mut dyn std::any::Any).downcast_mut::<Option<PluginError>>() {
                Some(own) => own.take().expect("it was just put there").context(message),
                None => PluginError::new(message)
                    .caused_by(error.as_ref().expect("only the branch above takes it")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_the_boundary_and_unknown_ones_read_as_failed() {
        for (index, (kind, number, _)) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(index, *number as usize, "the table is indexed by number");
            assert_eq!(ErrorKind::from_abi(kind.to_abi()), *kind);
        }
        assert_eq!(ErrorKind::from_abi(9_999), ErrorKind::Failed);
    }

    #[test]
    fn a_declined_call_keeps_its_code_where_its_kind_is_not_known() {
        let declined = PluginError::declined("not mine");
        assert!(declined.is_declined() && !declined.is_retryable());
        assert_eq!(declined.error_code(), "declined");
        // What a peer without the kind makes of its number, it makes of any that it does not know.
        assert_eq!(ErrorKind::Declined.to_abi(), 11);
        assert_eq!(ErrorKind::from_abi(12), ErrorKind::Failed);
    }

    #[test]
    fn context_keeps_the_old_message_as_the_first_cause() {
        let io = std::io::Error::other("disk on fire");
        let error = PluginError::from(io).context("cannot open the index");
        assert_eq!(error.message(), "cannot open the index");
        assert_eq!(error.causes(), ["disk on fire"]);
        assert_eq!(format!("{error:#}"), "cannot open the index: disk on fire");
    }

    #[test]
    fn a_panic_names_its_place() {
        let error = PluginError::panicked("boom".into(), Some("src/lib.rs:3:9".into()));
        assert_eq!(
            error.to_string(),
            "the plugin panicked: boom (at src/lib.rs:3:9)"
        );
    }
}
