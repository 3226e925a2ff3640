"""The one door through which tables and songs come in.

:mod:`.sources` says where files are, :mod:`.schemas` what columns hold, :mod:`.door` reads them,
:mod:`.tables` loads the files, :mod:`.dates` reads release dates, :mod:`.titles` compares names,
:mod:`.listening` and :mod:`.hetrec` load who heard what, :mod:`.cells` names cells,
:mod:`.examples` makes songs up. Who reads a table by other means
(`pandas.read_csv`) finds the same answers: all that takes a table comes in by `read_table`.
"""

from aares.data.dates import parse_dates, read_dates
from aares.data.door import read_column, read_popularity, read_table
from aares.data.examples import make_songs
from aares.data.hetrec import ArtistListening, load_artists
from aares.data.listening import Listening, load_listening, load_ordered
from aares.data.schemas import AUDIO_FEATURES, GENRES, read_names
from aares.data.sources import TABLES, DataSource
from aares.data.tables import check, load_recommendation, load_subset, load_test, load_train
from aares.errors import DataError, DataWarning

__all__ = [
    "AUDIO_FEATURES",
    "GENRES",
    "TABLES",
    "ArtistListening",
    "DataError",
    "DataSource",
    "DataWarning",
    "Listening",
    "check",
    "load_artists",
    "load_listening",
    "load_ordered",
    "load_recommendation",
    "load_subset",
    "load_test",
    "load_train",
    "make_songs",
    "parse_dates",
    "read_column",
    "read_dates",
    "read_names",
    "read_popularity",
    "read_table",
]
