"""The page where people say which songs follow each other: its server.

:mod:`.songs` lists what can be asked, :mod:`.clips` and :mod:`.sounds` make what is heard,
:mod:`.store` keeps what is answered, :mod:`.exchange` writes and reads it as CSV, :mod:`.forms`
reads a request, :mod:`.desk` decides what it means, :mod:`.app` speaks HTTP, and :mod:`.serve` is
the command ``run.py label``. The page itself is in ``page/``.
"""
