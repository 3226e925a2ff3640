"""Beyond one machine: from 13 songs to 40 million, on engines that exist.

:mod:`.mapping` applies a function of :mod:`.tracks` to each track of a catalogue, on one machine or
on a cluster (:mod:`.dispatch`), and keeps what it found as :mod:`.shards` in a folder or in object
storage (:mod:`.places`); :mod:`.building` makes an index of fingerprints. :mod:`.postings` are an
index's, as a table, whose votes an engine counts by :mod:`.relational`; :mod:`.candidates` are the
few pairs of songs that a model of transitions need look at. :mod:`.simulated` makes catalogues of
tracks that nobody played, to measure what no collection at hand is large enough for;
:mod:`.projection` is the arithmetic to 40 million. Most of it needs the extra ``[scale]``
(:mod:`.needs`). ``README.md`` beside this file has the steps with their commands.
"""
