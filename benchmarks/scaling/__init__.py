"""What ``benchmarks/scale.py`` measures: indexes of a hundred to a million tracks."""
