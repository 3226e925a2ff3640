"""All users' experience: what listeners have in common, and how well that recommends."""
