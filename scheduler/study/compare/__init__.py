"""Policies in paired differences over common seeds, and bounds beside them."""
