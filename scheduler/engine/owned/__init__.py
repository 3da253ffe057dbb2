"""The owned side: pools of pods, who waits for them, and where a gang goes."""
