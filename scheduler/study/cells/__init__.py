"""One run of many: a cell, its key, its figures and who computes it."""
