"""Tools that make the data of the project; run by hand, never imported by the package."""
