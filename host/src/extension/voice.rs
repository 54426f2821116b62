//! Voice handlers: which there are, and what they speak.

use keyway::voice::{AudioFormat, VoiceHandlerHandle};

use crate::described::Description;
use crate::host::Host;

/// A voice handler. [`Host::capability`] has the handle of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VoiceRecord {
    /// Its name.
    pub name: String,
    /// The plugin that offers it.
    pub plugin: String,
    /// The formats that it hears and speaks, best first.
    pub formats: Vec<AudioFormat>,
}

impl Host {
    /// The voice handlers of all plugins that run, by name.
    ///
    /// ```
    /// # use keyway_host::{Host, HostError};
    /// # use keyway_host::keyway::voice::{AudioFormat, VoiceHandlerHandle};
    /// # fn example(host: &Host) -> Result<(), HostError> {
    /// let format = AudioFormat::mono("pcm-s16le", 16_000);
    /// let voices = host.voice_handlers();
    /// if let Some(voice) = voices.iter().find(|voice| voice.formats.contains(&format)) {
    ///     let voice: VoiceHandlerHandle = host.capability(&voice.name)?;
    /// #   let _ = voice;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn voice_handlers(&self) -> Vec<VoiceRecord> {
        let members = self.registry().members::<VoiceHandlerHandle>();
        let voices = members.into_iter().filter_map(|member| {
            let Description::Voice(formats) = member.description else {
                return None;
            };
            Some(VoiceRecord {
                name: member.name,
                plugin: member.plugin.to_string(),
                formats: formats.to_vec(),
            })
        });
        voices.collect()
    }
}
