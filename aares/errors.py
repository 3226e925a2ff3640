"""What can be wrong with somebody's files, machine or request: errors whose text is for people.

A leaf: it imports nothing, so that whoever catches :class:`AaresError` loads nothing else.
"""

FEWEST_SONGS = 10  # that a model of genre or popularity is learnt from: of fewer it knows nothing


class AaresError(Exception):
    """The base of all errors whose message says what was expected, what was found and where."""


class DataError(AaresError, ValueError):
    """A table or its file is missing, or not what the assignment describes.

    A `ValueError` too: what is wrong with an argument of an estimator.
    """


class DataWarning(UserWarning):
    """Something in a table was taken for missing: the message says what, where and how often."""


class AudioError(AaresError):
    """A file is not sound, or less of it than it claims."""


class HashFileError(AaresError):
    """A file does not hold the hashes of songs, or not only these."""


class IndexFileError(AaresError):
    """A file is not an index, or not a whole one."""


def require_songs(found: int, least: int = 1, *, what: str = "songs to learn from") -> None:
    """Refuse tables that are too small, before a library does in words of its own.

    Parameters
    ----------
    found, least : int
    what : str
        What is counted, for the message.

    Raises
    ------
    ValueError
        There are fewer than `least`.

    Examples
    --------
    >>> require_songs(10, FEWEST_SONGS)
    >>> require_songs(2, FEWEST_SONGS)
    Traceback (most recent call last):
    ValueError: expected at least 10 songs to learn from, found 2
    """
    if found < least:
        raise ValueError(f"expected at least {least} {what}, found {found}")
