"""AARES: the package behind the notebooks, one module for each task of the assignment."""
