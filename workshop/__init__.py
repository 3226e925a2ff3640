"""What turns science into paper: figures, notebooks, results, the report, the hand-in, commands.

It needs this checkout; what can be used elsewhere is in :mod:`aares`, which knows nothing of it.
"""
