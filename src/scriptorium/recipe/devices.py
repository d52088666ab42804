"""The GPUs that speeds and costs are reckoned with: the one table of their peaks, bandwidths and prices."""

from dataclasses import dataclass

PRICES_OF = "May 2026"
"""When the prices below were looked up."""


@dataclass(frozen=True)
class Device:
    """A GPU: dense bfloat16 operations a second, bytes a second and GB of its memory, dollars an hour."""

    peak: float
    bandwidth: float
    memory: float
    price: float


DEVICES = {
    "B200": Device(2250e12, 8.0e12, 180, 6.25),
    "H200": Device(989e12, 4.8e12, 141, 3.50),
    "H100": Device(989e12, 3.35e12, 80, 2.95),
    "A100": Device(312e12, 2.0e12, 80, 1.30),
    "A40": Device(150e12, 0.696e12, 48, 0.79),
}
"""Peaks, bandwidths and memory: NVIDIA's data sheets, without sparsity. Prices: docs/reference/costs.md."""

OTHER_PEAKS = {"GB200": 2500e12, "H100 PCIe": 756e12, "L40S": 362e12}
"""Dense bfloat16 operations a second of devices that nobody asks a price for, from the same data sheets."""


def peak_of(name: str) -> float | None:
    """The peak of a GPU by the name that its driver gives it, as `NVIDIA H100 80GB HBM3`; None if not listed."""
    peaks = OTHER_PEAKS | {part: device.peak for part, device in DEVICES.items()}
    # GB200 and H100 PCIe hold the names of others: the longest that fits is meant.
    fits = max((part for part in peaks if part in name), key=len, default=None)
    return None if fits is None else peaks[fits]
