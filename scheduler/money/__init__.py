"""What a run cost: it prices logged rows, after the fact."""
