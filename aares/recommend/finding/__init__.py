"""The songs that somebody asks for: by id, link, title and artist, misspelt or in part."""
