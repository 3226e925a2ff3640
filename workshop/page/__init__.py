"""The page: what paper cannot do. Songs are heard, looked at, joined and recognised in a browser.

A folder of plain files that opens from the disk by a double click: no server, no network, no build
chain. :mod:`.build` writes it; :mod:`.songs`, :mod:`.lists`, :mod:`.joins` and :mod:`.sounds` give
what it shows, ``web/`` is what the browser runs.
"""
