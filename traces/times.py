"""Seconds in an hour and a day."""

HOUR_S = 3_600
DAY_S = 86_400
