"""From songs alike to a playlist: which are taken, in what order, and why each is there."""
