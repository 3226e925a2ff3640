"""Can one song follow another? The second document: pairs, distances, models, joins, albums."""

from aares.chaining.transition import Chainable, chainable, transition_cost

__all__ = ["Chainable", "chainable", "transition_cost"]
