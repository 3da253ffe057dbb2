"""Own or rent over the life of a pod: sourced inputs with ranges, the model, and draws from the ranges.

Read `model.py` first, then `breakeven.py` for its formulas and `readings.py` for what a pod may be;
`comparison.py` puts the question together, `measured.py` asks the same of one finished run.
"""
