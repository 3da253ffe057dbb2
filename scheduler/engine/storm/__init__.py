"""Bad weather: what may befall an attempt, and what becomes of its job."""
