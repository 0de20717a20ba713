"""What runs now and costs: machines by the hour, as AWS's price list has it where it may be read; no price stands in this code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from relabel.aws import inventory, objects, scaling
from relabel.aws.account import Account
from relabel.aws.inventory import Item
from relabel.aws.refusals import explained
from relabel.errors import RelabelError

HOUR = 3600.0
PRICES_IN = "us-east-1"
"""The price list is served there, for all regions."""
COMPONENTS = {"endpoint": "Hosting", "training job": "Training", "transform job": "Batch Transform"}


@dataclass(frozen=True, slots=True)
class Cost:
    """One thing that costs.

    machines: type and number of what it holds now, "" and 0 of a serverless endpoint.
    hours:    since it was made or began.
    price:    US dollars for a machine and hour, None where it is not known.
    note:     what else there is to say.
    """

    kind: str
    name: str
    instance_type: str
    machines: int
    hours: float
    price: float | None
    note: str = ""

    @property
    def machine_hours(self) -> float:
        """Hours so far times machines now; with autoscaling there may have been others."""
        return self.hours * self.machines

    @property
    def hourly(self) -> float | None:
        """US dollars for an hour."""
        return None if self.price is None else self.price * self.machines


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies there: bytes of the bucket below data/ and out/, and of images; None where they may not be seen."""

    data: int | None
    images: int | None


def running(account: Account, now: datetime) -> list[Cost]:
    """List what holds machines now, and serverless endpoints, which hold none."""
    client = account.client("sagemaker")
    prices: dict[tuple[str, str], float | None] = {}
    found = []
    for item in inventory.running(account, COMPONENTS):
        described = _described(client, item)
        instance, machines, note = _machines(account, client, item, described)
        key = (instance, COMPONENTS[item.kind])
        if instance and key not in prices:
            prices[key] = price(account, *key)
        hours = max(0.0, (now - item.created).total_seconds() / HOUR)
        found.append(Cost(item.kind, item.name, instance, machines, hours, prices.get(key), note))
    return found


def kept(account: Account) -> Kept:
    """Sum up what lies in the bucket and in the repository of images."""
    return Kept(_bucket(account), _images(account))


def price(account: Account, instance_type: str, component: str) -> float | None:
    """Ask for the price of a machine and hour in US dollars; None where the list cannot be read or does not say."""
    asked = {
        "instanceName": instance_type,
        "regionCode": account.region,
        "component": component,
    }
    filters = [{"Type": "TERM_MATCH", "Field": key, "Value": value} for key, value in asked.items()]
    try:
        client = account.session.client("pricing", region_name=PRICES_IN)
        products = client.get_products(ServiceCode="AmazonSageMaker", Filters=filters)["PriceList"]
    except (ClientError, BotoCoreError):
        return None
    found = {value for product in products for value in _on_demand(json.loads(product)) if value > 0}
    return found.pop() if len(found) == 1 else None


def _on_demand(product: Mapping[str, Any]) -> list[float]:
    terms = product.get("terms", {}).get("OnDemand", {}).values()
    return [
        float(each["pricePerUnit"]["USD"])
        for term in terms
        for each in term["priceDimensions"].values()
        if "USD" in each["pricePerUnit"] and each.get("unit", "").lower().startswith("h")
    ]


def _described(client: Any, item: Item) -> dict[str, Any]:
    kind = inventory.KINDS[item.kind]
    with explained():
        return dict(getattr(client, kind.describe)(**{kind.key: item.name}))


def _machines(account: Account, client: Any, item: Item, described: dict[str, Any]) -> tuple[str, int, str]:
    """Give the type and number of machines that a thing holds, and what else there is to say of it."""
    if item.kind == "training job":
        held = described["ResourceConfig"]
        return (
            held["InstanceType"],
            int(held["InstanceCount"]),
            "spot" * bool(described.get("EnableManagedSpotTraining")),
        )
    if item.kind == "transform job":
        held = described["TransformResources"]
        return held["InstanceType"], int(held["InstanceCount"]), ""
    with explained():
        configuration = client.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    (variant, *_) = configuration["ProductionVariants"]
    if variant.get("ServerlessConfig"):
        return "", 0, "serverless: costs only while it answers"
    now = described["ProductionVariants"][0].get("CurrentInstanceCount", variant["InitialInstanceCount"])
    return variant["InstanceType"], int(now), _note(account, item.name, configuration)


def _note(account: Account, name: str, configuration: Mapping[str, Any]) -> str:
    notes = ["asynchronous"] if configuration.get("AsyncInferenceConfig") else []
    try:
        if scaled := scaling.counts(account, name):
            notes.append(f"scales between {scaled[0]} and {scaled[1]}")
    except RelabelError:
        notes.append("whether it scales may not be seen")
    return ", ".join(notes)


def _bucket(account: Account) -> int | None:
    try:
        return sum(
            each.size
            for part in ("data/", "out/")
            for each in objects.listing(account, f"s3://{account.bucket}/{part}")
        )
    except RelabelError:
        return None


def _images(account: Account) -> int | None:
    try:
        with explained():
            pages = account.client("ecr").get_paginator("describe_images").paginate(repositoryName="relabel")
            return sum(int(each.get("imageSizeInBytes", 0)) for page in pages for each in page["imageDetails"])
    except RelabelError:
        return None
