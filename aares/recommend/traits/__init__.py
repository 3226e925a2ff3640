"""What a listener knows of a song beside its sound: one recording, kind, era, language."""
