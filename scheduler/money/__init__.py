"""What a run cost, priced from its logs after the fact, and what owning and renting cost in general.

Read `ledger` first: it prices each run. `focus` writes it as clouds do, `economics` asks whether to build or
buy, `claims` tests what the source documents say. None of it sees the engine.
"""
