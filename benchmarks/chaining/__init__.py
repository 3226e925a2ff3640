"""The measures of ``benchmarks/chainable.py``, a module for each name."""
