"""The catalog: provenance of every figure, arithmetic as done by hand, price defects on rows one can read."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.catalog import Catalog, CatalogError, check_arithmetic, load_catalog, prices
from scheduler.catalog.arithmetic import rounding
from scheduler.catalog.priced_offers import PricedOffer, to_toml
from scheduler.cli import main
from scheduler.report.catalog import SECTIONS, render
from tests.examples import examples

DATA = Path(__file__).parents[1].parent / "shared" / "data"
ROWS = DATA / "gpu_prices_skypilot_catalog.csv"
SUMMARY = DATA / "gpu_price_summary_per_gpu_hour.csv"
needs_data = pytest.mark.skipif(not SUMMARY.exists(), reason="the price rows are not at hand")

CATALOG = load_catalog()
ENTRIES = [*CATALOG.devices.values(), *CATALOG.pods.values(), *CATALOG.offers.values()]


# What is in it


def test_every_number_has_a_source_in_full_or_is_assumed() -> None:
    for entry in ENTRIES:
        for name in entry.__struct_fields__:
            if isinstance(value := getattr(entry, name), int | float):
                assert entry.figures[name].value == value
        for name, figure in entry.figures.items():
            assert (figure.sure == "assumed") if not figure.source else figure.source in CATALOG.sources, name


def test_gpus_draw_three_quarters_of_their_share_of_the_server() -> None:
    gpus = [device for device in CATALOG.devices.values() if device.family == "gpu"]
    assert len(gpus) == 5
    for gpu in gpus:
        assert gpu.server_kw and gpu.chip_kw
        assert gpu.idle_kw < gpu.chip_kw < gpu.server_kw
        assert gpu.busy_kw == pytest.approx(0.75 * gpu.server_kw, abs=0.001)


def test_capital_of_gpu_pods_is_chips_with_server_and_network() -> None:
    chip_usd = {"a100-80": 15_000, "h100": 30_000, "h200": 33_000, "b200": 40_000}
    for pod in CATALOG.pods.values():
        if pod.device in chip_usd:
            assert pod.capital_usd == pytest.approx(
                pod.devices * chip_usd[pod.device] * 1.65 / 0.81, rel=0.005
            )


def test_offers_are_in_a_sane_range_and_named_after_what_they_are() -> None:
    assert 60 <= len(CATALOG.offers) <= 100
    for key, offer in CATALOG.offers.items():
        assert key == f"{offer.provider}-{offer.device}-{offer.region.lower()}"
        assert 1 < offer.usd_per_device_h < 20
        assert (
            offer.spot_usd_per_device_h is None or 0.3 < offer.spot_usd_per_device_h < offer.usd_per_device_h
        )
        assert set(offer.sizes) <= {1, 2, 4, 8}
        assert set(offer.usd_per_device_h_by_size) < set(offer.sizes)
        assert set(offer.spot_usd_per_device_h_by_size) < set(offer.spot_sizes or offer.sizes)


def test_an_offer_takes_over_the_terms_of_its_provider() -> None:
    offer = CATALOG.offer("aws-h100-us-east-1")
    assert (offer.boot_s, offer.billing_step_s, offer.minimum_s) == (600, 1, 60)
    assert (offer.egress_usd_per_gb, offer.staging_gbps) == (0.09, 10)
    assert offer.figures["egress_usd_per_gb"].source == "price-pages"


@pytest.mark.parametrize(
    ("device", "kind", "rate"),
    [
        ("h100", "other", 0.989 * 0.4),
        ("h100", "fsd.retrain", 0.989 * 0.375),
        ("h100", "fsdx", 0.989 * 0.4),
        ("dojo-tile-case-study", "fsd", 9 * 0.45),
        ("dojo-tile-case-study", "tenant.train", 9 * 0.3),
    ],
)
def test_rate_is_peak_times_the_share_of_the_longest_prefix(device: str, kind: str, rate: float) -> None:
    assert CATALOG.device(device).rate_pflops(kind) == pytest.approx(rate)


def test_reading_it_needs_neither_pandas_nor_numpy_and_happens_once() -> None:
    code = (
        "import scheduler.catalog as c, sys; c.load_catalog(); print({'numpy', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert load_catalog() is CATALOG


# Arithmetic

HAND_COMPUTED = [
    ("dojo-tile-article-34", "25 chips x 0.05 PFLOPS", 1.25, 2, False),
    ("dojo-tile-case-study", "25 chips x 0.362 PFLOPS", 9.05, 9, True),
    ("exapod-article-34", "120 devices x 2 PFLOPS", 240, 100, False),
    ("exapod-article-34", "3,000 chips x 10 kW", 30_000, 1_800, False),
    ("exapod-article-34", "120 devices in 1 cabinet", 120, 12, False),
    ("exapod-case-study", "120 devices x 9 PFLOPS", 1_080, 1_000, True),
    ("exapod-case-study", "3,000 chips x 0.362 PFLOPS", 1_086, 1_000, True),
    ("exapod-case-study", "120 devices in 1 cabinet", 120, 12, False),
    ("exapod-case-study-ten-cabinets", "1,200 devices x 9 PFLOPS", 10_800, 10_000, True),
    ("exapod-case-study-ten-cabinets", "1,200 devices in 10 cabinets", 120, 12, False),
    ("exapod-public", "3,000 chips x 0.362 PFLOPS", 1_086, 1_100, True),
    ("exapod-public", "3,000 chips x 0.4 kW", 1_200, 1_800, True),
    ("exapod-public", "120 devices in 10 cabinets", 12, 12, True),
]


@pytest.mark.parametrize(("entry", "parts", "found", "stated", "closes"), HAND_COMPUTED)
def test_arithmetic_as_done_by_hand(
    entry: str, parts: str, found: float, stated: float, closes: bool
) -> None:
    (finding,) = (f for f in check_arithmetic(CATALOG) if (f.entry, f.parts) == (entry, parts))
    assert finding.found == pytest.approx(found)
    assert (finding.stated, finding.closes) == (stated, closes)
    assert finding.ratio == pytest.approx(found / stated)


@pytest.mark.parametrize(
    ("stated", "half"),
    [(9, 0.5), (9.0, 0.5), (9.05, 0.005), (12, 0.5), (1_800, 50), (10_000.0, 5_000), (0.362, 5e-4)],
)
def test_rounding_is_half_a_unit_of_the_last_digit(stated: float, half: float) -> None:
    assert rounding(stated) == pytest.approx(half)


# Listing


def test_listing_shows_every_figure_with_its_certainty() -> None:
    text = render(CATALOG)
    assert text == "\n\n".join(f"{name.upper()}\n{render(CATALOG, name)}" for name in SECTIONS)
    devices = render(CATALOG, "devices").splitlines()
    assert [line.split() for line in devices if line.lstrip().startswith("peak_pflops")][1] == [
        *("peak_pflops", "9", "PFLOPS", "medium", "case-study")
    ]
    assert "  idle_kw          5  kW      assumed" in devices
    rows = [re.split(" {2,}", line) for line in render(CATALOG, "offers").splitlines() if line]
    for key, offer in CATALOG.offers.items():
        shown = [size for row in rows if row[0] == key for size in row[1].split(", ")]
        assert sorted(shown) == [str(size) for size in offer.sizes]


def test_listing_flags_what_does_not_close() -> None:
    lines = render(CATALOG, "arithmetic").splitlines()[1:]
    assert sum("DOES NOT CLOSE" in line for line in lines) == 7
    assert sum("closes" in line for line in lines) == len(lines) - 7


def test_listing_of_an_unknown_section() -> None:
    with pytest.raises(CatalogError, match="allowed are devices, pods, offers, arithmetic, sources"):
        render(CATALOG, "claims")


# Looking up and overriding


@pytest.mark.parametrize(
    ("look_up", "message"),
    [
        (lambda: CATALOG.device("h10"), 'unknown device "h10"; did you mean h100?'),
        (
            lambda: CATALOG.pod("exapod-casestudy"),
            'unknown pod "exapod-casestudy"; did you mean exapod-case-study?',
        ),
        (
            lambda: CATALOG.offer("aws-h100-us-east1"),
            'unknown offer "aws-h100-us-east1"; did you mean aws-h100-us-east-1? '
            "Offers of your own need --catalog FILE",
        ),
    ],
)
def test_unknown_keys_name_the_nearest(look_up: Any, message: str) -> None:
    with pytest.raises(CatalogError) as error:
        look_up()
    assert str(error.value) == message


def with_extra(tmp_path: Path, text: str) -> Catalog:
    path = tmp_path / "ours.toml"
    path.write_text(text, encoding="utf-8")
    return load_catalog(path)


def test_a_source_of_one_word_has_to_be_there(tmp_path: Path) -> None:
    offer = "[offers.aws-h100-us-east-1]\nusd_per_device_h = "
    with pytest.raises(CatalogError, match='usd_per_device_h: unknown source "quotes"; did you mean quote'):
        with_extra(tmp_path, f'{offer}[2.5, "quotes", "high"]\n[sources]\nquote = "Ours of May"')
    said = with_extra(tmp_path, f'{offer}[2.5, "our quote", "high"]').offer("aws-h100-us-east-1")
    assert said.figures["usd_per_device_h"].source == "our quote"


def test_a_users_file_overrides_single_figures(tmp_path: Path) -> None:
    catalog = with_extra(
        tmp_path,
        """
        [sources]
        quote = "Our quote of May"
        [offers.aws-h100-us-east-1]
        usd_per_device_h = [2.5, "quote", "high"]
        boot_s = 30
        [mfu.gpu]
        fsd = [0.5, "our own runs", "medium"]
        [devices.b200.mfu]
        fsd = 0.6
        """,
    )
    offer, before = catalog.offer("aws-h100-us-east-1"), CATALOG.offer("aws-h100-us-east-1")
    assert (offer.usd_per_device_h, offer.boot_s) == (2.5, 30)
    assert offer.figures["boot_s"].sure == "assumed"
    assert offer.spot_usd_per_device_h == before.spot_usd_per_device_h
    assert catalog.device("h100").rate_pflops("fsd.label") == pytest.approx(0.989 * 0.5)
    assert catalog.device("b200").rate_pflops("fsd.label") == pytest.approx(2.25 * 0.6)
    assert catalog.sources["quote"] == "Our quote of May"
    assert before.usd_per_device_h == 6.88
    terms = render(catalog, "offers").split("terms: ")[1:]
    assert [block.split("\n")[0] for block in terms].count("aws") == 2


def test_a_users_price_is_that_of_all_sizes_and_users_sizes_have_one_price(tmp_path: Path) -> None:
    before = CATALOG.offer("lambda-b200-us-east-1")
    assert (before.sizes, before.usd_per_device_h) == ((1, 2, 8), 6.69)
    assert before.usd_per_device_h_by_size == {1: 6.99, 2: 6.89}
    flat = with_extra(tmp_path, "[offers.lambda-b200-us-east-1]\nusd_per_device_h = 6")
    assert flat.offer(before.key).usd_per_device_h_by_size == {}
    whole = with_extra(tmp_path, "[offers.lambda-b200-us-east-1]\nsizes = [8, 16]").offer(before.key)
    assert (whole.sizes, whole.usd_per_device_h, whole.usd_per_device_h_by_size) == ((8, 16), 6.69, {})
    own = "usd_per_device_h = 6\nusd_per_device_h_by_size.2 = [7, 'our quote', 'high']"
    offer = with_extra(tmp_path, f"[offers.{before.key}]\n{own}").offer(before.key)
    assert (offer.usd_per_device_h, offer.usd_per_device_h_by_size) == (6, {2: 7})
    assert offer.figures["usd_per_device_h_by_size.2"].source == "our quote"


def test_a_users_file_adds_entries(tmp_path: Path) -> None:
    catalog = with_extra(
        tmp_path,
        """
        [mfu.tpu]
        default = 0.5
        [devices.tpu]
        name = "TPU"
        family = "tpu"
        peak_pflops = 0.459
        memory_gb = 95
        busy_kw = 0.4
        idle_kw = 0.1
        [pods.tpu-slice]
        name = "Slice"
        device = "tpu"
        devices = 256
        node_devices = 4
        [providers.garage]
        boot_s = 0
        billing_step_s = 1
        minimum_s = 0
        egress_usd_per_gb = 0
        staging_gbps = 1
        [offers.garage-tpu]
        provider = "garage"
        region = "home"
        device = "tpu"
        sizes = [1, 4]
        usd_per_device_h = 0
        """,
    )
    assert catalog.device(catalog.pod("tpu-slice").device).rate_pflops("fsd") == pytest.approx(0.459 * 0.5)
    assert catalog.pod("tpu-slice").capital_usd is None
    assert catalog.offer("garage-tpu").spot_usd_per_device_h is None
    assert check_arithmetic(catalog) == check_arithmetic(CATALOG)
    assert "garage-tpu" in render(catalog)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[devices", "not TOML: "),
        ("[device.h100]", 'unknown table "device"; did you mean devices?'),
        ("devices = 3", "Expected `object`, got `int` - at `$.devices`"),
        ("[devices.h100]\npeak_pflop = 1", "devices.h100.peak_pflop: unknown key; did you mean peak_pflops?"),
        ("[devices.h100]\nkey = 'x'", "devices.h100.key: unknown key"),
        ("[devices.h100]\npeak_pflops = -1", "devices.h100.peak_pflops = -1: Expected `float` >= 1e-09"),
        ("[devices.h100]\npeak_pflops = nan", "devices.h100.peak_pflops = nan: "),
        ("[devices.h100]\npeak_pflops = inf", "devices.h100.peak_pflops = inf: "),
        (
            "[devices.h100]\npeak_pflops = true",
            "devices.h100.peak_pflops = True: must be a number, or [number",
        ),
        ("[devices.h100]\npeak_pflops = 'x'", "devices.h100.peak_pflops = 'x': Expected `float`, got `str`"),
        (
            "[devices.h100]\npeak_pflops = [1, 'x']",
            "= [1, 'x']: must be a number, or [number, source, certainty]",
        ),
        ("[devices.h100]\npeak_pflops = [1, 'x', 'sure']", "certainty being high, medium or low"),
        ("[devices.h100]\npeak_pflops = [1, '', 'high']", "must be a number, or [number, source, certainty]"),
        ("[devices.h100]\nidle_kw = 2", "devices.h100: idle_kw = 2: must be at most busy_kw, 0.956"),
        ("[devices.h100]\nfamily = 'gp'", 'devices.h100.family: unknown family "gp"; did you mean gpu?'),
        ("[devices.h100]\nmfu = 0.5", "devices.h100.mfu: unknown key"),
        ("[mfu.gpu]\nfsd = 45", "mfu.gpu.fsd = 45: must be above 0 and at most 1"),
        ("[mfu.x]\nfsd = 0.4\n[devices.h100]\nfamily = 'x'", "devices.h100: mfu.default: missing"),
        ("[devices.new]\nname = 'New'", "devices.new: Object missing required field `family`"),
        ("[pods.a100-server]\ndevice = 'a100'", 'pods.a100-server.device: unknown device "a100"'),
        ("[pods.a100-server]\ndevices = 12", "pods.a100-server: devices = 12: must be whole nodes of 8"),
        ("[pods.a100-server]\ndevices = 7.5", "pods.a100-server.devices = 7.5: Expected `int`, got `float`"),
        ("[providers.aws]\nboot_s = -5", "providers.aws.boot_s = -5: Expected `int` >= 0"),
        ("[offers.aws-h100-us-east-1]\nsizes = [8, 1]", "h100-us-east-1: sizes = 8, 1: must ascend"),
        ("[offers.aws-h100-us-east-1]\nsizes = []", "aws-h100-us-east-1.sizes = []: Expected `array`"),
        ("[offers.aws-h100-us-east-1]\nsizes = [0]", "aws-h100-us-east-1.sizes = [0]: Expected `int` >= 1"),
        ("[offers.aws-h100-us-east-1]\nsizes = 8", "h100-us-east-1.sizes = 8: Expected `array`, got `int`"),
        ("[offers.aws-h100-us-east-1]\nspot_sizes = [4]", "spot_sizes: 4 is not sold: must be of 1, 8"),
        (
            "[offers.aws-h100-us-east-1]\nusd_per_device_h_by_size.2 = 3",
            "usd_per_device_h_by_size: 2 is not sold: must be of 1, 8",
        ),
        (
            "[offers.aws-h100-us-east-1]\nusd_per_device_h_by_size.1 = -3",
            "usd_per_device_h_by_size.1 = -3: must be from 0 to 1e+12",
        ),
        ("[offers.aws-h100-us-east-1]\nprovider = 'asw'", 'unknown provider "asw"; did you mean aws?'),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CatalogError) as error:
        with_extra(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'ours.toml'}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no such file or directory"):
        load_catalog(tmp_path / "none.toml")


# Importing prices

HEADER = "cloud,instance_type,accelerator,accelerator_count,price_usd_per_hour,spot_usd_per_hour,region,zone"


def price_file(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def imported(tmp_path: Path, *rows: str) -> tuple[list[tuple[str, tuple[str, ...]]], list[PricedOffer]]:
    """Fate and remarks of each row, and the offers."""
    judged = prices.judge_rows(prices.read_price_rows(price_file(tmp_path, *rows)))
    remarks = [
        (str(row["fate"]), tuple(name for name in prices.REMARKS if row[name]))
        for row in judged.to_dict("records")
    ]
    return remarks, prices.offers(judged)


def test_the_price_is_the_median_over_the_zones(tmp_path: Path) -> None:
    rows, offers = imported(
        tmp_path, "aws,p5,H100,8,80,16,us,a", "aws,p5,H100,8,80,,us,b", "aws,p5,H100,8,88,24,us,c"
    )
    assert rows == [("used", ())] * 3
    assert offers == [PricedOffer("aws", "h100", "us", 8, 10.0, 2.5, 0)]


def test_a_server_of_twelve_holds_eight(tmp_path: Path) -> None:
    rows, (offer,) = imported(tmp_path, "azure,ND96,H100,12,98.32,20,eastus,")
    assert rows == [("used", ("odd count",))]
    assert (offer.devices, offer.on_demand, offer.spot, offer.grade) == (8, 12.29, 2.5, 1)


def test_spot_prices_that_are_none_are_left_out(tmp_path: Path) -> None:
    rows, (offer,) = imported(
        tmp_path,
        "aws,p4d,A100,8,25.25174,25.2517,ca,1",
        "aws,p4d,A100,8,25.25174,30,ca,2",
        "aws,p4d,A100,8,25.25174,2.5252,ca,3",
        "aws,p4d,A100,8,25.25174,8,ca,4",
        "aws,p4d,A100,8,25.25174,,ca,5",
    )
    assert [remarks for _, remarks in rows] == [("spot not below",)] * 2 + [("spot a tenth",), (), ()]
    assert offer.spot == 1


def test_gcp_prices_of_the_lower_mode_are_not_trusted_and_the_host_is_added(tmp_path: Path) -> None:
    rows, offers = imported(
        tmp_path,
        "gcp,x,H100,8,32,24,low,low-a",
        "gcp,x,H100,8,80,16,here,here-a",
        "gcp,x,H100,8,88,16,there,there-a",
        "gcp,x,B200,8,96,32,here,here-a",
        "gcp-host,a3,H100,8,8,2,here,here-a",
        "gcp-host,a3,H100,8,16,4,elsewhere,elsewhere-a",
        "aws,p5,H100,8,32,,low,a",
        "aws,p5,H100,8,80,,high,a",
    )
    assert [fate for fate, _ in rows] == ["low mode", "used", "used", "used", "host", "host", "used", "used"]
    assert [(offer.region, offer.on_demand) for offer in offers[:2]] == [("high", 10), ("low", 4)]
    assert offers[2:] == [
        PricedOffer("gcp", "b200", "here", 8, 12 + 1, 4 + 0.25, 0, host_grade=2),
        PricedOffer("gcp", "h100", "here", 8, 10 + 1, 2 + 0.25, 0, host_grade=1),
        PricedOffer("gcp", "h100", "there", 8, 11 + 1.5, 2 + 0.375, 0, host_grade=1),
    ]


def test_gcp_without_host_machines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no host machine is quoted for h100: gcp h200 needs it"):
        imported(tmp_path, "gcp,x,H200,8,80,16,here,here-a")


def test_the_cheapest_server_of_each_size_counts(tmp_path: Path) -> None:
    rows, offers = imported(
        tmp_path,
        "aws,p5.4xlarge,H100,1,11,3,us,a",
        "aws,p5.48xlarge,H100,8,80,,us,a",
        "aws,p5x.48xlarge,H100,8,72,,us,a",
        "aws,p5e.48xlarge,H100,8,,16,us,a",
        "aws,p5.half,H100,4,36,,us,a",
        "aws,gh,GH200,1,2.29,,us,a",
    )
    assert [fate for fate, _ in rows] == ["used", "other server", "used", "no price", "used", "other device"]
    assert [(offer.devices, offer.on_demand) for offer in offers] == [(1, 11), (4, 9), (8, 9)]
    path = tmp_path / "offers.toml"
    path.write_text(to_toml(offers, "", "2026-06", {"list": "prices.csv"}), encoding="utf-8")
    offer = load_catalog(path).offer("aws-h100-us")
    assert (offer.sizes, offer.spot_sizes) == ((1, 4, 8), (1,))
    assert (offer.usd_per_device_h, offer.usd_per_device_h_by_size) == (9, {1: 11})
    assert (offer.spot_usd_per_device_h, offer.spot_usd_per_device_h_by_size) == (3, {})


def test_an_older_version_is_the_same_provider_but_less_sure(tmp_path: Path) -> None:
    _, (offer,) = imported(tmp_path, "lambda(v7),gpu_8x_a100,A100,8,10.32,,us-east-1,")
    assert (offer.provider, offer.grade) == ("lambda", 1)
    text = to_toml([offer], "", "2026-06", {"list": "prices.csv"})
    assert 'usd_per_device_h = [1.2900, "list", "medium"]' in text
    assert "spot_usd_per_device_h" not in text


@pytest.mark.parametrize(
    ("mode", "least"),
    [([33.6], 33.6), ([33.6, 78.4, 90.7], 78.4), ([6.88, 7.9, 9.4], 6.88), ([1, 1.25, 1.5], 1)],
)
def test_two_modes_lie_more_than_a_quarter_apart(mode: list[float], least: float) -> None:
    import pandas as pd

    assert prices.upper_mode(pd.Series(mode)) == least


STORY = (
    "gcp,x,H100,8,32,24,low,low-a",
    "gcp,x,H100,8,80,16,here,here-a",
    "gcp,x,H100,8,88,16,here,here-b",
    "gcp-host,a3,H100,8,8,2,here,here-a",
    "aws,p5,H100,8,80,80,us,a",
    "aws,p5,H100,8,72,24,us,b",
    "aws,q5,H100,8,76,24,us,b",
    "azure,ND96,H100,12,98.32,20,eastus,",
)


@settings(max_examples=examples(25), deadline=None)
@given(st.permutations(STORY))
def test_the_order_of_the_rows_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert imported(folder, *rows)[1] == imported(folder, *STORY)[1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "aws,p5,H100,8,free,,us,a",
            "line 2: price_usd_per_hour = 'free': must be a number from 1e-06 to 1e6",
        ),
        ("aws,p5,H100,8,-1,,us,a", "line 2: price_usd_per_hour = '-1': must be"),
        ("aws,p5,H100,8,80,inf,us,a", "line 2: spot_usd_per_hour = 'inf': must be"),
        ("aws,p5,H100,,80,,us,a", "line 2: accelerator_count = '': must be a number from 1 to 1e6"),
        ('aws,p5,H100,8,80,,"u ""s",a', "line 2: region = 'u \"s': must be a name without spaces"),
    ],
)
def test_a_broken_price_row_writes_nothing(tmp_path: Path, row: str, message: str) -> None:
    output = tmp_path / "offers.toml"
    done = CliRunner().invoke(prices.main, [str(price_file(tmp_path, row)), "-o", str(output)])
    assert done.exit_code == 2
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["prices.csv"]


def test_the_importer_replaces_a_file_of_offers_alone(tmp_path: Path) -> None:
    rows, output = price_file(tmp_path, *STORY), tmp_path / "offers.toml"
    kept = rows.read_bytes()
    done = CliRunner().invoke(prices.main, [str(rows), "-o", str(rows)])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert f"{rows}: is already there, and is not a file of offers" in done.stderr
    assert rows.read_bytes() == kept
    assert [CliRunner().invoke(prices.main, [str(rows), "-o", str(output)]).exit_code for _ in "ab"] == [0, 0]


def test_a_price_file_without_a_column(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("cloud,region\naws,us\n", encoding="utf-8")
    with pytest.raises(CatalogError, match=r"prices\.csv: column instance_type: missing"):
        prices.read_price_rows(path)


def test_the_importer_says_what_it_did_and_its_file_is_a_catalog(tmp_path: Path) -> None:
    output = tmp_path / "offers.toml"
    done = CliRunner().invoke(prices.main, [str(price_file(tmp_path, *STORY)), "-v", "-o", str(output)])
    assert done.exit_code == 0
    assert "line 2: gcp H100 low: low mode\n" in done.stdout
    assert "line 6: aws H100 us: used, spot not below\n" in done.stdout
    assert "    1 low mode: " in done.stdout
    catalog = load_catalog(output)
    assert catalog.offer("gcp-h100-here").usd_per_device_h == 11.5
    assert catalog.offer("aws-h100-us").figures["spot_usd_per_device_h"].sure == "medium"


# The real rows


@needs_data
def test_the_committed_offers_are_what_the_importer_makes() -> None:
    text, judged = prices.import_prices(ROWS, "2026-06")
    assert Path(prices.__file__).with_name("offers.toml").read_text(encoding="utf-8") == text
    assert set(judged["fate"]) == set(prices.FATES)


@needs_data
def test_defects_are_found_where_the_summary_counts_them() -> None:
    judged = prices.judge_rows(prices.read_price_rows(ROWS))
    found = judged[judged["spot not below"]].groupby(["cloud", "accelerator"]).size()
    counted = {key: int(row["n_spot_eq_od"]) for key, row in summary_rows().items()}
    assert {key: int(found.get(key, 0)) for key in counted} == counted
    assert set(judged.loc[judged["odd count"], "instance_type"]) == {"Standard_ND96isr_H100_v5"}


@needs_data
def test_prices_agree_with_the_summary_of_the_rows() -> None:
    """Each lies between the least and the highest of its provider and device, host machine included."""
    ranges = summary_rows()
    for offer in CATALOG.offers.values():
        names = [name for name, device in prices.DEVICES.items() if device == offer.device]
        clouds = [offer.provider, f"{offer.provider}(v7)"]
        own = [ranges[cloud, name] for cloud in clouds for name in names if (cloud, name) in ranges]
        host_name = {"a100-40": "A100", "a100-80": "A100-80GB"}.get(offer.device, "H100")
        host = ranges["gcp-host", host_name] if offer.provider == "gcp" else {}
        low = min(float(row["od_min"]) for row in own) + float(host.get("od_min", 0))
        high = max(float(row["od_max"]) for row in own) + float(host.get("od_max", 0))
        assert low - 1e-3 <= offer.usd_per_device_h <= high + 1e-3
        if offer.spot_usd_per_device_h is not None:
            least = min(float(row["spot_min"]) for row in own if row["spot_min"])
            assert least + float(host.get("spot_min", 0)) - 1e-3 <= offer.spot_usd_per_device_h


def summary_rows() -> dict[tuple[str, str], dict[str, str]]:
    with SUMMARY.open(encoding="utf-8", newline="") as file:
        return {(row["cloud"], row["accelerator"]): row for row in csv.DictReader(file)}


SKYPILOT = """InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,\
GpuInfo,AvailabilityZone
p5.48xlarge,H100,8.0,192,2048,55.04,26.0,us-east-1,"{'Gpus': []}",use1-az1
p5.48xlarge,H100,8.0,192,2048,55.04,28.0,us-east-1,"{'Gpus': []}",use1-az2
m5.large,,,2,8,0.096,0.03,us-east-1,,use1-az1
"""
OURS = """Provider,Device,GPUs,Price,reserved_1y,savings_1y,capacity block,contract
acme,h100,8,24,16,17.6,20,18
"""


def refresh(folder: Path, rows: str, *more: str) -> tuple[Any, Path]:
    """Type `catalog refresh` for a list."""
    (folder / "list.csv").write_text(rows)
    out = folder / "list.toml"
    words = ["catalog", "refresh", str(folder / "list.csv"), "--as-of", "2026-10", "-o", str(out), *more]
    return CliRunner().invoke(main, words), out


def test_skypilots_own_columns_are_a_price_list(tmp_path: Path) -> None:
    """Two zones of one region: 55.04 / 8 on demand, and the median of 26 / 8 and 28 / 8 on spot."""
    done, out = refresh(tmp_path, SKYPILOT, "--provider", "aws")
    assert done.exit_code == 0, done.stderr
    offer = load_catalog(out).offer("aws-h100-us-east-1")
    assert (offer.usd_per_device_h, offer.spot_usd_per_device_h, offer.sizes) == (6.88, 3.375, (8,))
    assert "2026-10" in offer.figures["usd_per_device_h"].as_of


def test_contract_prices_stand_beside_on_demand(tmp_path: Path) -> None:
    """A provider that the catalog does not know has assumed terms."""
    done, out = refresh(tmp_path, OURS)
    assert done.exit_code == 0, done.stderr
    offer = load_catalog(out).offer("acme-h100-any")
    assert (offer.usd_per_device_h, offer.reserved_usd_per_device_h_by_months) == (3, {12: 2})
    assert (offer.savings_usd_per_device_h_by_months, offer.spot_usd_per_device_h) == ({12: 2.2}, None)
    assert (offer.block_usd_per_device_h, offer.contract_usd_per_device_h) == (2.5, 2.25)
    assert offer.figures["boot_s"].sure == "assumed"
    shown = CliRunner().invoke(main, ["catalog", "offers", "--catalog", str(out)]).stdout
    assert re.search(r"acme-h100-any +block_usd_per_device_h +2.50", shown)
    assert "acme" not in CliRunner().invoke(main, ["catalog", "offers"]).stdout


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,b\n1,2\n", "column accelerator: missing"),
        (OURS.replace("24", "dear"), "line 2: price_usd_per_hour"),
        (OURS.replace("h100", "abacus"), "no row has a price of a device"),
        (SKYPILOT, "give --provider"),
    ],
)
def test_a_wrong_price_list_is_one_line(tmp_path: Path, rows: str, said: str) -> None:
    done, out = refresh(tmp_path, rows, *([] if rows == SKYPILOT else ["--provider", "acme"]))
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
    assert not out.exists()
