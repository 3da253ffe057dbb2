"""Own or rent over the life of a pod: sourced inputs with ranges, the model, and draws from the ranges."""
