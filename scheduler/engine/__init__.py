"""The simulation: the only stateful part."""
