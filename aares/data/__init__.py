"""The one door through which tables and songs come in.

:mod:`.sources` says where files are, :mod:`.schemas` what columns hold, :mod:`.tables` loads and
checks, :mod:`.dates` takes release dates apart, :mod:`.titles` compares names, :mod:`.listening`
loads who heard what. Who reads a table by other means (`pandas.read_csv`) finds the same answers:
what takes it reads its lists and dates by `read_names` and `read_dates`.
"""

from aares.data.dates import parse_dates, read_dates
from aares.data.listening import Listening, load_listening
from aares.data.schemas import AUDIO_FEATURES, GENRES, read_names
from aares.data.sources import TABLES, DataSource
from aares.data.tables import check, load_recommendation, load_subset, load_test, load_train
from aares.errors import DataError

__all__ = [
    "AUDIO_FEATURES",
    "GENRES",
    "TABLES",
    "DataError",
    "DataSource",
    "Listening",
    "check",
    "load_listening",
    "load_recommendation",
    "load_subset",
    "load_test",
    "load_train",
    "parse_dates",
    "read_dates",
    "read_names",
]
