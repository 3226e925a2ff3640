"""How alike two songs are: by hand-weighted distances, and learnt from a catalogue's artists."""
