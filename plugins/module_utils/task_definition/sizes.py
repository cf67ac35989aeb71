# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task-level cpu and memory: the forms that AWS takes, and the pairs that Fargate has."""

from __future__ import annotations

import re

_FORM = re.compile(r"\s*(\d+|\d*\.\d+)\s*(vcpu|gb)?\s*", re.IGNORECASE)

_GIB = 1024
# cpu units -> memory in MiB. The 16 vCPU size and above are Linux only, as is 8 vCPU.
FARGATE_SIZES: dict[int, tuple[int, ...]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
    32768: (60 * _GIB, 120 * _GIB, 244 * _GIB),
}
FARGATE_WINDOWS_CPU = (1024, 2048, 4096)


def cpu_units(value: str) -> int | None:
    """CPU units of `256`, `0.25 vCPU` or `.25vcpu`; None for anything else."""
    return _scaled(value, "vcpu")


def memory_mib(value: str) -> int | None:
    """MiB of `512`, `0.5 GB` or `1gb`; None for anything else."""
    return _scaled(value, "gb")


def described(sizes: tuple[int, ...]) -> str:
    """Sizes as a message lists them: all of a few, first, last and step of many."""
    if len(sizes) <= 4:
        return ", ".join(map(str, sizes))
    return f"{sizes[0]}..{sizes[-1]} in steps of {sizes[1] - sizes[0]}"


def _scaled(value: str, unit: str) -> int | None:
    match = _FORM.fullmatch(value)
    if not match or (match[2] or unit).lower() != unit:
        return None
    if not match[2]:
        return int(match[1]) if match[1].isdecimal() else None
    amount = float(match[1]) * 1024
    return int(amount) if amount.is_integer() else None
