# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading everything that a plan needs: in bulk by kind, kinds in parallel, what is inside something after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Observed, Ref, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.resolve import resolve


@dataclass(frozen=True)
class ReadRequest:
    """One resource to read: declared in the plan, or only referred to. `layer` says with which session."""

    address: Address
    layer: str
    scope: Mapping[str, Ref] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)


class Reader:
    """Reads resources through their kinds."""

    def __init__(self, kinds: Mapping[str, Kind], aws_for: Callable[[str], Any], parallelism: int = 16) -> None:
        self._kinds = kinds
        self._aws_for = aws_for
        self._parallelism = parallelism

    def read(
        self, requests: Sequence[ReadRequest], known: Mapping[Address, Observed] | None = None
    ) -> dict[Address, Observed]:
        """What exists of the requested; `known` are observations that serve as scope and are not read again."""
        observed = dict(known or {})
        answered: dict[Address, Observed] = {}
        pending = {request.address: request for request in requests}
        readers = {(request.address.kind, request.layer) for request in requests}
        with ThreadPoolExecutor(self._parallelism) as pool:
            while pending:
                ready = [request for request in pending.values() if not self._waits(request, pending)]
                for request in ready:
                    del pending[request.address]
                for found in list(pool.map(self._read_batch, self._batches(ready, observed))):
                    observed.update({address: item for address, item in found.items() if item.exists})
                    answered.update(found)
            list(pool.map(self._read_rest, sorted(readers)))
        return answered

    @staticmethod
    def _waits(request: ReadRequest, pending: Mapping[Address, ReadRequest]) -> bool:
        return any(ref.address in pending for ref in request.scope.values())

    @staticmethod
    def _batches(
        ready: Sequence[ReadRequest], observed: Mapping[Address, Observed]
    ) -> list[tuple[str, str, list[Wanted]]]:
        """Grouped by kind and layer; what lies in something that does not exist is not asked for."""
        batches: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
        for request in ready:
            if all(ref.address in observed for ref in request.scope.values()):
                scope = resolve(request.scope, lambda ref: observed[ref.address].attributes[ref.attribute])
                wanted = Wanted(request.address.name, scope, request.properties)
                batches[request.address.kind, request.layer].append(wanted)
        return [(kind, layer, wanted) for (kind, layer), wanted in batches.items()]

    def _read_batch(self, batch: tuple[str, str, list[Wanted]]) -> dict[Address, Observed]:
        kind, layer, wanted = batch
        found = self._explained(kind, layer, lambda aws: self._kinds[kind].read(aws, wanted))
        return {Address(kind, name): item for name, item in found.items()}

    def _read_rest(self, reader: tuple[str, str]) -> None:
        self._explained(*reader, self._kinds[reader[0]].read_rest)

    def _explained(self, kind: str, layer: str, read: Callable[[Any], Any]) -> Any:
        aws = self._aws_for(layer)
        try:
            return read(aws)
        except Exception as error:
            raise aws.explained(error, f"read {self._kinds[kind].label}") from error
