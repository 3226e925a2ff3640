"""``python -m workshop``: see :mod:`workshop.commands`."""

import sys

from workshop.commands import main

sys.exit(main())
