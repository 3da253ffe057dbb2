"""How many pods to own, under which patience."""
