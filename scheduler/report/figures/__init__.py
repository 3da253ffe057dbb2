"""Pictures of traces, runs and studies for the notebooks: functions of data, frames and runs."""
