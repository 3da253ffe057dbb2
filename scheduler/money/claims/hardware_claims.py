"""Claims on hardware and performance, one pure function each, named after the claim: see `verdicts`."""

from __future__ import annotations

from scheduler.catalog import Catalog, check_arithmetic
from scheduler.catalog.models import Device
from scheduler.money.claims.claim_file import Range, named
from scheduler.money.claims.readings import Hardware, corners, span


def _sums(catalog: Catalog, entry: str, field: str = "peak_pflops") -> Range:
    """Return what the parts of a catalog entry come to."""
    return span(*(f.found for f in check_arithmetic(catalog) if (f.entry, f.field) == (entry, field)))


def article_34_chip(public_chip_pflops: Range) -> Range:
    """TFLOPS of a public chip."""
    return public_chip_pflops.times(1_000)


def article_34_chip_power(
    public_chip_kw: Range, public_pod_kw: Range, public_pod_tiles: Range, public_chips: Range
) -> Range:
    """Power in kW of a public chip, alone and with its share of all else in the pod."""
    return span(public_chip_kw.low, public_pod_kw.low / (public_pod_tiles.low * public_chips.low))


def article_34_chip_memory(
    tray_interfaces: Range, interface_gb_s: Range, tray_tiles: Range, public_chips: Range
) -> Range:
    """A chip's share in GB/s of its tray's memory bandwidth."""
    return interface_gb_s.times(tray_interfaces.low / (tray_tiles.low * public_chips.low))


def article_34_tile(catalog: Catalog) -> Range:
    """PFLOPS of its chips."""
    return _sums(catalog, "dojo-tile-article-34")


def article_34_exapod(catalog: Catalog) -> Range:
    """PFLOPS of its chips, and of its tiles."""
    return _sums(catalog, "exapod-article-34")


def article_34_cabinet(public_pod_tiles: Range, public_cabinet_tiles: Range) -> Range:
    """Cabinets that 120 tiles fill."""
    return public_pod_tiles.times(1 / public_cabinet_tiles.low)


def case_study_chip(public_chip_pflops: Range) -> Range:
    """TFLOPS of a public chip."""
    return public_chip_pflops.times(1_000)


def case_study_cores(d1_nodes: Range) -> Range:
    """Nodes of a public chip."""
    return d1_nodes


def case_study_tile(catalog: Catalog) -> Range:
    """PFLOPS of its chips."""
    return _sums(catalog, "dojo-tile-case-study")


def case_study_fabric(tile_fabric_tb_s: Range) -> Range:
    """TB/s of a public tile."""
    return tile_fabric_tb_s


def case_study_cabinet(catalog: Catalog) -> Range:
    """PFLOPS of its chips, and of its tiles."""
    return _sums(catalog, "exapod-case-study")


def case_study_cabinet_tiles(public_cabinet_tiles: Range) -> Range:
    """Tiles of a public cabinet."""
    return public_cabinet_tiles


def case_study_exapod(catalog: Catalog) -> Range:
    """PFLOPS of its chips, and of its tiles."""
    return _sums(catalog, "exapod-case-study-ten-cabinets")


def ai_cloud_cabinets(public_cabinet_tiles: Range, public_tile_pflops: Range) -> Range:
    """Public cabinets that make 1,000 PFLOPS."""
    cabinets = 1_000 / (public_cabinet_tiles.low * public_tile_pflops.low)
    return Range(cabinets, cabinets)


def fleet(hardware: Hardware, fleet_pods: Range) -> Range:
    """PFLOPS of all ExaPODs."""
    return fleet_pods.times(hardware.pflops)


def b200_over_h100(b200_pflops: Range, h100_pflops: Range) -> Range:
    """Peak over peak."""
    return b200_pflops.times(1 / h100_pflops.low)


def accelerators_over_a100(h100_pflops: Range, b200_pflops: Range, a100_pflops: Range) -> Range:
    """Peak over peak, from H100 to B200."""
    return span(h100_pflops.low, b200_pflops.low).times(1 / a100_pflops.low)


def dojo_cheaper(
    hardware: Hardware,
    capital_usd: Range,
    a100_island_usd: Range,
    a100_island_devices: Range,
    a100_pflops: Range,
) -> Range:
    """Capital per PFLOPS of A100s over that of an ExaPOD."""
    a100 = a100_island_usd.low / (a100_island_devices.low * a100_pflops.low)
    return span(*(a100 * hardware.pflops / usd for usd in capital_usd))


def performance_per_watt(hardware: Hardware, catalog: Catalog, video_mfu: Range) -> Range:
    """PFLOPS per kW on FSD over those of A100, H100 and B200."""
    return _per_watt(hardware, catalog, video_mfu, ("a100-80", "h100", "b200"))


def parity_lost(hardware: Hardware, catalog: Catalog, video_mfu: Range) -> Range:
    """PFLOPS per kW on FSD over those of H100 and B200."""
    return _per_watt(hardware, catalog, video_mfu, ("h100", "b200"))


def _per_watt(hardware: Hardware, catalog: Catalog, video_mfu: Range, rivals: tuple[str, ...]) -> Range:
    """Take the rate from the reading's pod, and a rival's power from under load to its server's maximum.

    What is known of a tile's power is one figure, which may be either. MFU is not known of any: each side
    takes both ends of its range, and what the catalog has where that lies beyond.
    """
    tile = hardware.device
    peak = hardware.pflops / hardware.pod.devices / tile.busy_kw
    ratios = []
    for gpu in (catalog.device(key) for key in rivals):
        own, other, kw = corners(_mfu(tile, video_mfu), _mfu(gpu, video_mfu), _power(gpu))
        ratios.append(peak * own / (gpu.peak_pflops * other / kw))
    return span(*ratios)


def _mfu(device: Device, assumed: Range) -> Range:
    return span(*assumed, device.rate_pflops("fsd") / device.peak_pflops)


def _power(gpu: Device) -> Range:
    return span(gpu.busy_kw, gpu.server_kw or gpu.busy_kw)


HARDWARE_CLAIMS = named(
    article_34_chip,
    article_34_chip_power,
    article_34_chip_memory,
    article_34_tile,
    article_34_exapod,
    article_34_cabinet,
    case_study_chip,
    case_study_cores,
    case_study_tile,
    case_study_fabric,
    case_study_cabinet,
    case_study_cabinet_tiles,
    case_study_exapod,
    ai_cloud_cabinets,
    fleet,
    b200_over_h100,
    accelerators_over_a100,
    dojo_cheaper,
    performance_per_watt,
    parity_lost,
)
