"""AARES, the library: what can be heard in a table of Spotify features, and in the sound itself.

A package for each exercise (:mod:`.genre`, :mod:`.popularity`, :mod:`.recommend`,
:mod:`.fingerprints`, :mod:`.conformal`), the identifier (:mod:`.identify`), and below them
:mod:`.data`, :mod:`.audio`, :mod:`.scores`, :mod:`.files` and :mod:`.errors`. Nothing here prints,
draws, or knows the folder of a checkout, but for the command line in :mod:`.cli`.
"""
