"""Can one song follow another? The second document: pairs, distances, models, joins, albums."""
