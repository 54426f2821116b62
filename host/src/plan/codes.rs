//! What planning an activation finds.

use crate::finding::Code;

pub(crate) static ACTIVATION_BLOCKED: Code = Code::error(
    "activation-blocked",
    "A plugin that would be started for this cannot start, so what was asked for is served without it, \
     or not at all.",
    "Correct what is found about that plugin; the message has the first of it.",
);

pub(crate) static NOTHING_TO_ACTIVATE: Code = Code::warning(
    "nothing-to-activate",
    "No plugin that is enabled declares what was asked for, and none asks to be started for it.",
    "Check the name. Install or enable a plugin that declares it under [plugin.capabilities].",
);

pub(crate) static NO_LISTENER: Code = Code::note(
    "no-listener",
    "No plugin that is enabled listens to the topic of an event. That is in order where nobody needs to.",
    "If a plugin should, check the topic, and the `event:` hints under [plugin.activation] of that plugin.",
);

pub(crate) static ALL: &[&Code] = &[&ACTIVATION_BLOCKED, &NOTHING_TO_ACTIVATE, &NO_LISTENER];
