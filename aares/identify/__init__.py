"""Which recording is this? Exercise 5 beyond the assignment, for catalogues of any size.

Used by notebook 04. :class:`Index` is all that most need; :mod:`.peaks` and :mod:`.pairs` make
fingerprints, :mod:`.search` asks for one, :mod:`.vote` finds candidates, :mod:`.evidence` weighs
them, :mod:`.answer` accepts one or none, :mod:`.timeline` goes through long recordings.
:mod:`.store` is the folder of an index, :mod:`.storage` its files, :mod:`.compaction` makes few
parts out of many, :mod:`.sync` keeps an index equal to a folder.
"""

from aares.errors import IndexFileError
from aares.identify.answer import Answer
from aares.identify.catalogue import Settings
from aares.identify.entries import Played
from aares.identify.index import Index
from aares.identify.lock import IndexBusyError
from aares.identify.query import Query, make_query
from aares.identify.ranking import Candidate
from aares.identify.roll import Recording, Source
from aares.identify.sync import sync
from aares.identify.timeline import make_timeline, trace_blocks

__all__ = [
    "Answer",
    "Candidate",
    "Index",
    "IndexBusyError",
    "IndexFileError",
    "Played",
    "Query",
    "Recording",
    "Settings",
    "Source",
    "make_query",
    "make_timeline",
    "sync",
    "trace_blocks",
]
