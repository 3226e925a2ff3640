"""What ``benchmarks/recommend.py`` measures: a module each, with ``measure(source, *, tuning)``.

``measure`` yields pairs of a section's name and its content, a dict that JSON can hold, as soon as
they are there.
"""
