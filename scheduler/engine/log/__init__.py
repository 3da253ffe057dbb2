"""What a run writes: attempts, jobs and states, a part file at a time."""
