"""What a charge of the ledger is called in FOCUS: every column that is text.

FOCUS is the FinOps Open Cost and Usage Specification (focus.finops.org). docs/focus.md says why each word
was chosen.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from scheduler.run.columns import GROUP
from scheduler.run.directory import Run

TextColumns = dict[str, str | None]

PURCHASE = "purchase"
"""The rows that buy a commitment. The ledger has no such line: it counts the use."""

_OWNER = "On-Premises"
_UNITS = {
    "device-hour": "Device-Hours",
    "car-hour": "Car-Hours",
    "kWh": "Kilowatt-Hours",
    "kg": "Kilograms",
    "kW-month": "Kilowatt-Months",
    "GB": "GB",
    "pod": "Pods",
    "kW": "Kilowatts",
    "port": "Ports",
}

_OWNED = ("Owned Training Cluster", "Compute", "Other (Compute)")
_CARS = ("Parked Cars", "Compute", "Other (Compute)")
_RENTED = ("Rented Accelerators", "Compute", "Virtual Machines")
_NETWORK = ("Data Transfer", "Networking", "Network Connectivity")


class Terms(NamedTuple):
    """What a line of the ledger is in FOCUS."""

    service: tuple[str, str, str]
    """Name, category, subcategory."""
    meter: str
    pricing: str | None = "Standard"
    rented: bool = False
    """Charged by the provider of the offer, else by the owner of the pods."""
    category: str = "Usage"
    frequency: str = "Usage-Based"
    billed: bool = True
    """Paid for its own period; pods and commitments are bought apart from their use."""
    owner: str = _OWNER
    """Who provides what no offer does."""


_LINES = {
    "capital": Terms(_OWNED, "Depreciation", "Other", frequency="Recurring", billed=False),
    "energy": Terms(_OWNED, "Energy"),
    "carbon": Terms(_OWNED, "Emissions"),
    "demand_charge": Terms(_OWNED, "Demand", frequency="Recurring"),
    "operations": Terms(_OWNED, "Operations", "Other", frequency="Recurring"),
    "write_off": Terms(_OWNED, "Write-Off", "Other", frequency="One-Time", billed=False),
    "resale": Terms(_OWNED, "Resale", None, category="Adjustment", frequency="One-Time"),
    "decommission": Terms(_OWNED, "Decommissioning", None, category="Adjustment", frequency="One-Time"),
    "porting": Terms(_OWNED, "Porting", None, category="Adjustment", frequency="One-Time"),
    "on_demand": Terms(_RENTED, "Rental", rented=True),
    "spot": Terms(_RENTED, "Rental", "Dynamic", rented=True),
    "committed": Terms(_RENTED, "Rental", "Committed", rented=True, billed=False),
    PURCHASE: Terms(_RENTED, "Rental", rented=True, category="Purchase", frequency="Recurring"),
    "egress": Terms(_NETWORK, "Egress", rented=True),
    "transfer": Terms(_NETWORK, "Transfer"),
    "edge": Terms(_CARS, "Car Time", owner="Car Owners"),
    "credit": Terms(_OWNED, "Tenant Credit", None, category="Adjustment"),
    "revenue": Terms(_OWNED, "Tenant Revenue", None, category="Adjustment"),
}
_BORNE_BY = {
    "tenant": "customers of the market",
    "edge": "work of parked cars",
    "idle": "idle devices",
    "down": "devices out of service",
    "boot": "booting and staging",
    "minimum": "billed beyond use",
    "unused_commitment": "unused commitment",
    "site": "the site as a whole",
    "assets": "what is owned, apart from its use",
    "commitment": "commitment",
    PURCHASE: "commitment bought",
}


class Sort(NamedTuple):
    """What the charges of one sort have in common."""

    resource: str
    line: str
    charged_to: str
    unit: str
    owner: str | None
    """Whose jobs bear it, of what workload and kind; None where no job does."""
    workload: str | None
    kind: str | None

    @property
    def terms(self) -> Terms:
        """What its line is in FOCUS."""
        return _LINES[self.line]

    @property
    def committed(self) -> bool:
        """It concerns a commitment: bought, used or left unused."""
        return self.line in ("committed", PURCHASE)

    @property
    def consumes(self) -> bool:
        """It is use, neither bought nor left unused."""
        return self.terms.category == "Usage" and self.charged_to != "unused_commitment"

    @property
    def listed(self) -> bool:
        """It is use of rented devices, for which there is a published price."""
        return self.terms.meter == "Rental" and self.consumes


def text_columns(run: Run, sort: Sort) -> TextColumns:
    """Return the columns of text of a charge; those that are not there are null."""
    scenario, terms, unit = run.description["scenario"]["name"], sort.terms, _UNITS.get(sort.unit, sort.unit)
    described, cars = run.description, {"name": sort.resource, "cars": sort.resource in run.fleets}
    resources = [*described["pools"], *described["offers"], *described["sites"], cars]
    resource = next(each for each in resources if each["name"] == sort.resource)
    provider = resource["provider"] if terms.rented else terms.owner
    tags = {"line": sort.line, "run": run.folder.resolve().name, "scenario": scenario, "simulated": True}
    tags |= {} if sort.line == PURCHASE else {"charged_to": sort.charged_to}
    tags |= {name: getattr(sort, name) for name in GROUP} if sort.charged_to == "job" else {}
    return {
        **dict(zip(("ServiceName", "ServiceCategory", "ServiceSubcategory"), terms.service, strict=True)),
        **dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName"), provider),
        **dict.fromkeys(("BillingCurrency", "PricingCurrency"), "USD"),
        **dict.fromkeys(("RegionId", "RegionName"), resource["region"] if terms.rented else None),
        "BillingAccountId": f"exaburst/{scenario}",
        "BillingAccountName": scenario,
        "BillingAccountType": "Scenario",
        "ChargeCategory": terms.category,
        "ChargeDescription": f"{terms.meter} of {sort.resource}: {_borne_by(sort)}",
        "ChargeFrequency": terms.frequency,
        "ConsumedUnit": unit if sort.consumes else None,
        "PricingUnit": unit,
        "Tags": json.dumps(tags, sort_keys=True),
        **_resource(sort, f"exaburst/{scenario}/{sort.resource}", _kind_of(resource)),
        **_sku(sort, resource),
    }


def _kind_of(resource: dict[str, Any]) -> str:
    sorts = {"offer": "Offer", "pod": "Pool", "cars": "Parked Cars"}
    return next((sort for key, sort in sorts.items() if key in resource), "Site")


def _borne_by(sort: Sort) -> str:
    return f"{sort.kind} jobs of {sort.owner}" if sort.charged_to == "job" else _BORNE_BY[sort.charged_to]


def _resource(sort: Sort, key: str, kind: str) -> TextColumns:
    """The pool or offer; or the commitment, where that is what is bought or left unused."""
    held: TextColumns = {"ResourceId": key, "ResourceName": sort.resource, "ResourceType": kind}
    if not sort.committed:
        return held
    commitment, name = f"{key}/commitment", f"{sort.resource} commitment"
    itself: TextColumns = {"ResourceId": commitment, "ResourceName": name, "ResourceType": "Commitment"}
    return {
        **(held if sort.consumes else itself),
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountId": commitment,
        "CommitmentDiscountName": name,
        "CommitmentDiscountStatus": None if sort.line == PURCHASE else "Used" if sort.consumes else "Unused",
        "CommitmentDiscountType": "Take-or-Pay",
        "CommitmentDiscountUnit": _UNITS.get(sort.unit, sort.unit),
    }


def _sku(sort: Sort, resource: dict[str, Any]) -> TextColumns:
    """One SKU a meter of an offer or kind of pod; a rental has a price on demand or spot, or committed.

    What a commitment covers would have cost the price without it; the commitment has one of its own.
    """
    kind = resource.get("offer") or resource.get("pod") or resource.get("device") or resource["name"]
    rental = sort.terms.meter == "Rental"
    sku = kind if rental else f"{kind}-{sort.line}"
    contract = ("spot" if resource["spot"] else "on-demand") if sort.listed else "committed"
    moves = sort.line == "on_demand" and (len(resource["prices"]) > 1 or bool(resource["prices_by_size"]))
    details = json.dumps({"x_Device": resource["device"]}) if sort.unit == "device-hour" else None
    return {
        "PricingCategory": "Dynamic" if moves else sort.terms.pricing,
        "SkuId": sku,
        "SkuMeter": sort.terms.meter,
        "SkuPriceDetails": details,
        "SkuPriceId": f"{sku}-{contract}" if rental else sku,
    }
