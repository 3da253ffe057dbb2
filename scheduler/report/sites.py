"""What the power of the sites came to, as a table."""

from __future__ import annotations

from scheduler.run.directory import Run
from scheduler.run.goodput import DeviceTime
from scheduler.run.site_figures import site_figures
from traces.numbers import count, percent, ratio
from traces.tables import table

_SHOWN = (
    ("kWh", count, "kwh"),
    ("peak kW", count, "peak_kw"),
    ("load factor", percent, "load_factor"),
    ("kg CO2", count, "co2_kg"),
    ("USD", count, "power_usd"),
    ("PFLOP-days", count, "delivered_pflop_days"),
    ("USD/PFLOP-day", ratio, "power_usd_per_pflop_day"),
    ("g CO2/PFLOP-day", count, "co2_g_per_pflop_day"),
)


def sites(run: Run, device_time: DeviceTime) -> str:
    """Render energy, peak, carbon and money by site; nothing where there is none."""
    rows = [
        [name, *(write(figures[key]) for _, write, key in _SHOWN)]
        for name, figures in site_figures(run, device_time).items()
    ]
    header = ["site", *(head for head, *_ in _SHOWN)]
    return table(header, rows, range(1, len(header))) if rows else ""
