"""What is measured of the static page in a browser, see ``benchmarks/page.py``."""
