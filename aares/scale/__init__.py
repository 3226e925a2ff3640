"""Beyond one machine: from 13 songs to 40 million.

`simulated` makes catalogues of tracks that nobody played, to measure what no collection at hand is
large enough for.
"""
