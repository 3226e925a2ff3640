"""``python -m aares``: see :mod:`aares.cli`."""

from aares.cli import start

start()
