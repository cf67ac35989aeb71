# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for cpu, memory, storage and accelerators, of the task and of its containers."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import (
    Item,
    Task,
    items_of,
    number,
    text,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sizes import (
    FARGATE_SIZES,
    FARGATE_WINDOWS_CPU,
    cpu_units,
    described,
    memory_mib,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

MIN_CONTAINER_MEMORY = 6
EC2_CPU = (128, 196608)


def task_cpu(task: Task) -> int | None:
    value = text(task.definition, "cpu")
    return cpu_units(value) if value is not None else None


def task_memory(task: Task) -> int | None:
    value = text(task.definition, "memory")
    return memory_mib(value) if value is not None else None


def task_size_forms(task: Task) -> Iterator[Problem]:
    cpu, memory = text(task.definition, "cpu"), text(task.definition, "memory")
    if cpu is not None and task_cpu(task) is None:
        yield Problem("cpu", f"got {shown(cpu)}, allowed: CPU units ('256') or vCPUs ('0.25 vCPU')")
    if memory is not None and not task_memory(task):
        yield Problem("memory", f"got {shown(memory)}, allowed: MiB ('512') or GB ('0.5 GB')")
    units = task_cpu(task)
    if units is not None and not task.fargate and not EC2_CPU[0] <= units <= EC2_CPU[1]:
        yield Problem("cpu", f"got {shown(cpu)}, allowed: {EC2_CPU[0]}..{EC2_CPU[1]} CPU units")


def fargate_size(task: Task) -> Iterator[Problem]:
    if not task.fargate:
        return
    for field in ("cpu", "memory"):
        if not task.definition.get(field):
            yield Problem(field, "is required on Fargate")
    cpu, memory = task_cpu(task), task_memory(task)
    if cpu is None:
        return
    allowed = tuple(units for units in FARGATE_SIZES if not task.windows or units in FARGATE_WINDOWS_CPU)
    if cpu not in allowed:
        system = "Fargate with Windows" if task.windows else "Fargate"
        yield Problem("cpu", f"got {cpu}, allowed on {system}: {', '.join(map(str, allowed))}")
    elif memory is not None and memory not in FARGATE_SIZES[cpu]:
        yield Problem("memory", f"got {memory} MiB, allowed on Fargate with cpu {cpu}: {described(FARGATE_SIZES[cpu])}")


def container_sizes(task: Task) -> Iterator[Problem]:
    for path, value in task.containers:
        memory, reservation = number(value, "memory"), number(value, "memoryReservation")
        if (cpu := number(value, "cpu")) is not None and cpu < 0:
            yield Problem(f"{path}.cpu", f"got {cpu}, allowed: 0 or more CPU units")
        for field, amount in (("memory", memory), ("memoryReservation", reservation)):
            if amount is not None and amount < MIN_CONTAINER_MEMORY:
                yield Problem(f"{path}.{field}", f"got {amount}, allowed: {MIN_CONTAINER_MEMORY} MiB or more")
        if memory is not None and reservation is not None and memory < reservation:
            yield Problem(
                f"{path}.memoryReservation", f"got {reservation}, allowed: up to the container's memory, {memory} MiB"
            )
        if not task.definition.get("memory") and "memory" not in value and "memoryReservation" not in value:
            yield Problem(
                f"{path}.memory",
                "is required: without memory for the task, each container needs memory or memoryReservation",
            )


def container_sums(task: Task) -> Iterator[Problem]:
    """Containers must fit into the task. On EC2 with Windows, the size of the task is ignored."""
    if task.windows and not task.fargate:
        return
    cpu, memory = task_cpu(task), task_memory(task)
    used_cpu = {item.value["name"]: number(item.value, "cpu") or 0 for item in _named(task)}
    if cpu is not None and sum(used_cpu.values()) > cpu:
        yield Problem("cpu", f"got {cpu}, but the containers' cpu adds up to {_sum(used_cpu)}")
    if memory is None:
        return
    used = {
        item.value["name"]: number(item.value, "memoryReservation") or number(item.value, "memory") or 0
        for item in _named(task)
    }
    for path, value in task.containers:
        limit = number(value, "memory") or 0
        if limit > memory:
            yield Problem(f"{path}.memory", f"got {limit}, allowed: up to the task's memory, {memory} MiB")
    if sum(used.values()) > memory and not any(amount > memory for amount in used.values()):
        yield Problem("memory", f"got {memory}, but the containers' memory adds up to {_sum(used)}")
    for path, value in task.containers:
        reservation = number(value, "memoryReservation") or 0
        if reservation > memory:
            yield Problem(
                f"{path}.memoryReservation", f"got {reservation}, allowed: up to the task's memory, {memory} MiB"
            )


def ephemeral_storage(task: Task) -> Iterator[Problem]:
    size = number(task.definition.get("ephemeralStorage") or {}, "sizeInGiB")
    if size is not None and not 21 <= size <= 200:
        yield Problem("ephemeralStorage.sizeInGiB", f"got {size}, allowed: 21..200")


def resource_requirements(task: Task) -> Iterator[Problem]:
    devices = {
        text(item.value, "deviceName")
        for item in items_of(task.definition.get("inferenceAccelerators"), "inferenceAccelerators")
    }
    for _unused, item in task.each("resourceRequirements"):
        kind, value = text(item.value, "type"), text(item.value, "value")
        if value is None:
            if "value" not in item.value and "sharingStrategy" not in item.value:
                yield Problem(f"{item.path}.value", "is required")
        elif kind == "GPU" and not (value.isdecimal() and int(value) > 0):
            yield Problem(f"{item.path}.value", f"got {shown(value)}, allowed: the number of GPUs, '1' or more")
        elif kind == "InferenceAccelerator" and value not in devices:
            yield Problem(f"{item.path}.value", f"got {shown(value)}, which is no deviceName in inferenceAccelerators")
        elif kind == "NeuronDevice" and value != "ALL":
            yield Problem(f"{item.path}.value", f"got {shown(value)}, allowed: ALL")


def _named(task: Task) -> list[Item]:
    return list(task.by_name.values())


def _sum(amounts: dict[str, int]) -> str:
    parts = " + ".join(f"{name} {amount}" for name, amount in amounts.items() if amount)
    return f"{sum(amounts.values())} ({parts})"


RULES = (
    task_size_forms,
    fargate_size,
    container_sizes,
    container_sums,
    ephemeral_storage,
    resource_requirements,
)
