"""The document of weather, apart from those of files: reading what weather is costs start-up time."""

from __future__ import annotations

from typing import Annotated

from scheduler.report.documents.document import Document, Plain, about
from scheduler.weather import Weather
from scheduler.weather.availability import availability, happenings


class WeatherDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `weather`."""

    scenario: Annotated[str, about("name of the scenario")]
    days: Annotated[float, about("how long the weather is; 0: it is fair")]
    happenings: Annotated[
        list[Plain], about("what goes wrong, by place and sort: times and seconds together")
    ]
    in_service: Annotated[dict[str, float], about("share of device-time in service, by pool and offer")]
    out: Annotated[str | None, about("file of the weather, if it was written")]


def weather_document(scenario: str, weather: Weather | None, out: str | None) -> WeatherDocument:
    """Return what the weather comes to; None is fair."""
    return WeatherDocument(
        scenario=scenario,
        days=0.0 if weather is None else weather.until_s / 86_400,
        happenings=[] if weather is None else [one._asdict() for one in happenings(weather)],
        in_service={} if weather is None else {name: availability(weather, name) for name in weather.devices},
        out=out,
    )
