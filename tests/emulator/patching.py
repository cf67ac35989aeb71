# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a mend takes the place of a method of moto, and the list of the files with mends."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

SERVICES: tuple[str, ...] = (
    "ecs",
    "ecs_services",
    "ecs_tasks",
    "iam",
    "s3",
    "cloudfront",
    "dynamodb",
    "ecr",
    "applicationautoscaling",
    "ec2",
    "ec2_rules",
    "ec2_templates",
    "ec2_network",
    "route53",
    "acm",
    "elbv2",
    "elbv2_rules",
    "elbv2_options",
    "autoscaling",
    "autoscaling_launch",
    "logs",
    "tagging",
)


def apply_all() -> None:
    """Put all mends in place: importing a file does it."""
    for service in SERVICES:
        import_module(f"emulator.mends.{service}")


def replace(owner: type, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the function becomes method `name` of `owner` and gets the original as its first argument.

    The original is None where moto has no such method.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(owner, name, None)

        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return function(original, self, *args, **kwargs)

        method.__name__ = name
        if original is not None:
            method = functools.update_wrapper(method, original)
        setattr(owner, name, method)
        return function

    return decorate
