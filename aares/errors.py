"""What can be wrong with somebody's files, machine or request: errors whose text is for people.

A leaf: it imports nothing, so that whoever catches :class:`AaresError` loads nothing else.
"""


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
