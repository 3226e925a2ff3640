"""The identifier as a service: ``aares serve --index INDEX``.

One process speaks HTTP (:mod:`.app` behind :mod:`.guard`, on connections that :mod:`.connections`
keeps bounded), takes uploads into files (:mod:`.uploads`) and hands them to searchers
(:mod:`.pool`), which are processes of :mod:`.searcher` on one memory-mapped index (:mod:`.living`):
a search that takes too long, or a file that brings a decoder down, costs a searcher and not the
service.
:mod:`.limits` says what is allowed, :mod:`.metrics` counts, :mod:`.running` starts it all.
:mod:`.addresses`, :mod:`.guard` and :mod:`.refusals` serve the workshop's labelling page too.

The clock of this package is the event loop's: a server waits, and nothing here computes a result.
"""
