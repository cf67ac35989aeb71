# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once on one layer, in processes of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art
from tests.integration.engine import Declared, Runner, keys
from tests.integration.killing import SETTINGS, Mortal

BUCKET = SETTINGS["both"]["bucket"]
KEY = Paths().memory("ecr")


def declared(**values: int) -> Declared:
    """Two hosts with a repository each, whose tags have these values."""
    return {
        "ecr": {
            host: {"repositories": [{"name": f"r-{host}", "tags": {"Value": str(values[host])}}]} for host in values
        }
    }


class Race:
    """Runs that start to carry out their plans at the same moment, round after round."""

    def __init__(self, runner: Runner, mortal: Mortal, folder: Path, kind: str) -> None:
        self._runner, self._mortal, self._kind = runner, mortal, kind
        self._options = {"base_dir": str(folder), "strict": False}
        runner.make(art.declared("state_bucket"), **self._options)
        runner.make(declared(a=0, b=0), **self._options, remote_state=SETTINGS[kind])

    def run(self, *wanted: Declared, timeout: int) -> list[dict[str, Any]]:
        """What each run did: all have planned before the first one carries out."""
        setting = {**SETTINGS[self._kind], "lock_timeout": timeout}

        def start(one: Declared) -> Any:
            return self._mortal.start(
                self._runner, lambda: self._runner.plan(one, **self._options, remote_state=setting), self._carry_out
            )

        children = [start(one) for one in wanted]
        for child in children:
            child.go()
        return [child.result() for child in children]

    def _carry_out(self, planned: running.PlannedRun) -> dict[str, Any]:
        answer = running.carry_out(planned, "ecr", planned.hosts, lambda line: None)
        return {"done": keys(answer["changes"]), "failures": answer["failures"]}

    def same(self, number: int, timeout: int) -> None:
        """Both want the same: one makes it so, the other finds it done, or stops."""
        results = self.run(declared(a=number, b=0), declared(a=number, b=0), timeout=timeout)
        assert [result["done"] for result in results].count([["update", "ecr_repository", "r-a"]]) == 1, results
        for result in results:
            self._only_locked(result, timeout)
        self.holds(a=number)

    def different(self, number: int, timeout: int) -> None:
        """Each changes a host of its own: what either did is there afterwards, and remembered."""
        before = self.tags()
        results = self.run(declared(a=number), declared(b=number), timeout=timeout)
        done = [host for host, result in zip("ab", results, strict=True) if result["done"]]
        assert done and (not timeout or done == ["a", "b"]), results
        for result in results:
            self._only_locked(result, timeout)
        self.holds(**{host: number if host in done else int(before[host]) for host in "ab"})

    @staticmethod
    def _only_locked(result: dict[str, Any], timeout: int) -> None:
        assert not (result["done"] and result["failures"]), result
        assert not result["failures"] or not timeout, result
        assert all(" is locked in " in message for message in result["failures"].values()), result

    def holds(self, **values: int) -> None:
        """AWS and the memory agree on what the tags are."""
        remembered = self._versions()[-1]["dockyard"]["resources"]
        for host, value in values.items():
            assert self.tags()[host] == remembered[f"ecr_repository/r-{host}"]["tags"]["Value"] == str(value)

    def tags(self) -> dict[str, str]:
        """The value that each host's repository has in AWS."""
        ecr = self._runner.emulator.client("ecr")
        found = {}
        for repository in ecr.describe_repositories()["repositories"]:
            tags = ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
            [found[repository["repositoryName"][-1]]] = [tag["Value"] for tag in tags if tag["Key"] == "Value"]
        return found

    def nothing_is_lost(self) -> None:
        """Every document ever written follows the one before it."""
        versions = self._versions()
        assert [version["serial"] for version in versions] == list(range(1, len(versions) + 1))
        assert len({version["lineage"] for version in versions}) == 1
        options = {**self._options, "remote_state": SETTINGS[self._kind]}
        tags = self.tags()
        assert self._runner.run(declared(a=int(tags["a"]), b=int(tags["b"])), **options).changes == []

    def _versions(self) -> list[dict[str, Any]]:
        """All documents that ever were the memory, oldest first."""
        s3 = self._runner.emulator.client("s3")
        found = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=KEY)
        items = [item for page in found for item in page["Versions"] if item["Key"] == KEY]
        bodies = [s3.get_object(Bucket=BUCKET, Key=KEY, VersionId=item["VersionId"])["Body"].read() for item in items]
        return sorted((json.loads(body) for body in bodies), key=lambda version: int(version["serial"]))
