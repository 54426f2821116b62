//! Voice handlers are listed with what they speak.

use keyway::Bytes;
use keyway::voice::{AudioFormat, VoiceHandler, VoiceHandlerHandle};
use keyway_tests::plugin;

#[test]
fn a_voice_is_found_by_what_it_speaks() {
    let host = keyway_tests::host();
    host.block_on(async {
        host.load(plugin("every-kind")).await.expect("it loads");
        let format = AudioFormat::mono("pcm-s16le", 16_000);
        let voices = host.voice_handlers();
        let voice = voices.iter().find(|voice| voice.formats.contains(&format));
        let voice = voice.expect("one of them speaks that");
        assert_eq!((&*voice.name, &*voice.plugin), ("louder", "every-kind"));

        let voice: VoiceHandlerHandle = host.capability(&voice.name).expect("it is offered");
        let mut says = voice
            .open("a", keyway::Json(format))
            .await
            .expect("it opens");
        voice
            .hear("a", Bytes::from_static(&[1, 0]))
            .await
            .expect("it hears");
        let said = says.next().await.expect("it says something");
        assert_eq!(said.expect("and nothing fails"), &[2, 0][..]);
    });
}
