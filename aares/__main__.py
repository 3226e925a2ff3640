"""``python -m aares``: see :mod:`aares.cli`."""

import sys

from aares.cli import main

sys.exit(main())
