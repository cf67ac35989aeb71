# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the containers of a task wrote to CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws

NOT_THERE = ("ResourceNotFoundException",)
LINES_SHOWN = 10


class Stream:
    """The log stream of one container of one task; it begins to exist with the first line."""

    def __init__(self, aws: Aws, group: str, name: str, region: str = "") -> None:
        self._client = aws.client("logs", region=region or None)
        self.group = group
        self.name = name
        self._token = ""

    def new_lines(self) -> list[str]:
        """What was written since the last look, from the start on."""
        lines: list[str] = []
        while True:
            position = {"nextToken": self._token} if self._token else {}
            answer = unless(NOT_THERE, self._client.get_log_events, **self._where(), startFromHead=True, **position)
            if answer is None:
                return lines
            lines += [_line(event) for event in answer["events"]]
            before, self._token = self._token, answer["nextForwardToken"]
            if not answer["events"] or self._token == before:
                return lines

    def last_lines(self, count: int = LINES_SHOWN) -> list[str]:
        answer = unless(NOT_THERE, self._client.get_log_events, **self._where(), startFromHead=False, limit=count)
        return [_line(event) for event in (answer or {"events": []})["events"]][-count:]

    def _where(self) -> dict[str, str]:
        return {"logGroupName": self.group, "logStreamName": self.name}


def _line(event: Mapping[str, Any]) -> str:
    return str(event["message"]).rstrip("\n")


def streams(aws: Aws, definition: Mapping[str, Any], task_arn: str) -> Iterator[tuple[str, Stream]]:
    """The streams of a task's containers, by container; only those that log to CloudWatch under a known name."""
    identity = task_arn.rsplit("/", 1)[-1]
    for container in definition.get("containerDefinitions") or ():
        configuration = container.get("logConfiguration") or {}
        options = configuration.get("options") or {}
        prefix = options.get("awslogs-stream-prefix")
        if configuration.get("logDriver") == "awslogs" and prefix and options.get("awslogs-group"):
            name = f"{prefix}/{container['name']}/{identity}"
            yield container["name"], Stream(aws, options["awslogs-group"], name, options.get("awslogs-region", ""))
