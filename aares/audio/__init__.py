"""Sound: :mod:`.decoding` reads files, :mod:`.features` measures what songs are compared by.

:mod:`.distortions` does to sound what the world does.
"""

from aares.audio.decoding import COURSE_RATE_HZ, load_audio
from aares.errors import AudioError

__all__ = ["COURSE_RATE_HZ", "AudioError", "load_audio"]
