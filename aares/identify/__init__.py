"""Which recording is this? Exercise 5 beyond the assignment, for catalogues of any size.

Used by notebook 04. :class:`Index` is all that most need; :mod:`.peaks` and :mod:`.pairs` make
fingerprints, :mod:`.search` asks for one, :mod:`.vote` finds candidates, :mod:`.evidence` weighs
them, :mod:`.answer` accepts one or none, :mod:`.timeline` goes through long recordings,
:mod:`.storage` is the file.
"""

from aares.errors import IndexFileError
from aares.identify.answer import Answer, Candidate
from aares.identify.catalogue import Recording, Settings
from aares.identify.entries import Played
from aares.identify.index import Index
from aares.identify.query import Query, make_query
from aares.identify.timeline import make_timeline, trace_blocks

__all__ = [
    "Answer",
    "Candidate",
    "Index",
    "IndexFileError",
    "Played",
    "Query",
    "Recording",
    "Settings",
    "make_query",
    "make_timeline",
    "trace_blocks",
]
