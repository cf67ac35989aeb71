# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of the pipeline did or found, as lines for people. Pure: from their results to text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.plugin_utils import plan_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.plan_view import Paint

Result = Mapping[str, Any]
COLOURS = {"deployed": "green", "rolled back": "yellow", "unchanged": "normal", "failed": "red"}
WOULD = {"deployed": "would be deployed", "rolled back": "would be rolled back", "unchanged": "nothing to deploy"}
DIGEST_SHOWN = 19
GOOD_STATES = ("COMPLETED", "")


def deploy_lines(result: Result, check_mode: bool = False, paint: Paint = plan_view.plain) -> Iterator[str]:
    """Each service with what was brought to it."""
    for item in result["services"]:
        yield ""
        status = item["status"]
        words = WOULD.get(status, status) if check_mode else WOULD["unchanged"] if status == "unchanged" else status
        yield paint(f"{item['service']}: {words}", COLOURS[status])
        yield from (f"  {line}" for line in _deploy(item, check_mode))
    for note in result.get("notes", ()):
        yield paint(f"! {note}", "bright purple")


def _deploy(item: Result, check_mode: bool) -> Iterator[str]:
    before, after = item["previous_task_definition"], item["task_definition"]
    if item["status"] == "unchanged" or before == after:
        yield f"{before} runs already"
    else:
        yield f"{before} → {after or 'a new revision'}"
    for name, image in item["images"].items():
        tag = f"{image['tag']} = " if image["tag"] else ""
        yield f"{name}: {tag}{image['image']}"
    for difference in item["differences"]:
        if not difference["path"].endswith(".image"):
            yield f"{difference['path']}: {_value(difference['before'])} → {_value(difference['after'])}"
    for task in item["tasks"]:
        code = "never ran" if task["exit_code"] is None else f"exited with {task['exit_code']}"
        yield f"one-off task {task['name']}: {code} after {task['seconds']} s"
    if item["running"]:
        yield item["running"] + (f", after {item['seconds']:.0f} s" if item["status"] != "failed" else "")
    if item["deregistered"]:
        yield f"deregistered {', '.join(item['deregistered'])}"
    yield from (f"! {note}" for note in item["notes"])


def _value(value: Any) -> str:
    return "(none)" if value is None else str(plan_view.short(value))


def status_lines(result: Result, paint: Paint = plan_view.plain) -> Iterator[str]:
    """One table; below each row what is wrong and the last events."""
    heads = ("service", "revision", "image", "running", "deployment", "targets")
    one_cluster = len({item["service"].split("/", 1)[0] for item in result["services"]}) == 1
    rows = [_row(item, one_cluster) for item in result["services"]]
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    yield ""
    yield paint("  ".join(text.ljust(width) for text, width in zip(heads, widths, strict=True)).rstrip(), "bold")
    for item, row in zip(result["services"], rows, strict=True):
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        yield paint(line, "red" if item["problems"] else "normal")
        yield from (paint(f"    ! {problem}", "red") for problem in item["problems"])
        yield from (f"    {event['at']}  {event['message']}" for event in item["events"])


def _row(item: Result, one_cluster: bool) -> tuple[str, ...]:
    images = ", ".join(_image(image) for image in item["images"].values())
    pending = f" (+{item['pending']} pending)" if item["pending"] else ""
    counts = f"{item['running']}/{item['desired']}{pending}" if item["task_definition"] else item["status"]
    deployment = item["deployment"]
    last = f"{deployment.get('state') or '-'} {deployment.get('started') or ''}".strip()
    return (
        item["service"].split("/", 1)[-1] if one_cluster else item["service"],
        item["task_definition"] or "-",
        images or "-",
        counts,
        last,
        "; ".join(item["targets"]) or "-",
    )


def _image(image: Result) -> str:
    """The tags, and so much of the digest that people can tell it from others."""
    name, _at, digest = image["image"].partition("@")
    short_name = name.rsplit("/", 1)[-1]
    repository = short_name.partition(":")[0]
    if not digest:
        return str(short_name)
    tags = f":{','.join(image['tags'][:2])}" if image["tags"] else ""
    return f"{repository}{tags} ({digest[:DIGEST_SHOWN]})"


def scale_lines(result: Result, check_mode: bool = False, paint: Paint = plan_view.plain) -> Iterator[str]:
    """From which count to which, and who sets it back."""
    yield ""
    if not result["changed"]:
        yield f"{result['service']}: desired count is {result['after']} already"
    else:
        words = "would go" if check_mode else "went"
        yield paint(
            f"{result['service']}: desired count {words} from {result['before']} to {result['after']}", "yellow"
        )
    yield from (paint(f"  ! {note}", "bright purple") for note in result["notes"])


def task_lines(result: Result, check_mode: bool = False, paint: Paint = plan_view.plain) -> Iterator[str]:
    """How the task ended; its log lines were shown as they came."""
    yield ""
    what = f"{result['service']}: container {result['container']} of {result['task_definition']}"
    if check_mode:
        yield f"{what} would be run as a one-off task"
    else:
        yield paint(f"{what} exited with {result['exit_code']} after {result['seconds']} s", "green")
