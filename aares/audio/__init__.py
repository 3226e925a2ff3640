"""Sound: :mod:`.decoding` reads files, :mod:`.distortions` does to it what the world does."""

from aares.audio.decoding import COURSE_RATE_HZ, load_audio
from aares.errors import AudioError

__all__ = ["COURSE_RATE_HZ", "AudioError", "load_audio"]
