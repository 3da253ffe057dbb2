"""The simulation: the only stateful part of the program.

Read `simulation.py` first: its passes, and the life of an attempt. `owned` is where jobs wait for pods,
`rented` where they seek offers, `storm` what may befall them, `log` what is written.
"""
