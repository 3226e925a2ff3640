"""``python -m workshop``: see :mod:`workshop.commands`."""

from aares.cli import leave
from workshop.commands import main

leave(main())
