"""What a run owns and rents, with the figures of the catalog, prices and what is assumed."""
