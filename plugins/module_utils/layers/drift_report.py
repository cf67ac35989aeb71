# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift as files for other programs: JSON, and JUnit XML, which most CI systems show."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ansible_collections.dockyard.aws.plugins.module_utils.layers.drift import CHANGED, GONE, PENDING, RECREATED
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

# What XML 1.0 has no way to write.
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
IN_WORDS = {
    GONE: "is gone: it was deleted, or is not found under its name any more",
    RECREATED: "was made anew by somebody else",
    PENDING: "was being made when a run was ended",
}


class ReportError(ReconcileError):
    """A file cannot be written."""


def failed(message: str) -> dict[str, Any]:
    """The result of a look that did not come to an end."""
    return {"changed": False, "status": "error", "error": message, "findings": [], "untracked": [], "old_copies": []}


def write(result: Mapping[str, Any], report: str | None, junit: str | None) -> None:
    """Write the files that are asked for."""
    files = {report: as_json, junit: as_junit}
    for name, render in files.items():
        if not name:
            continue
        try:
            Path(name).expanduser().write_text(render(result), encoding="utf-8", errors="replace")
        except OSError as error:
            raise ReportError(f"cannot write {name}: {error.strerror}. Name a file in a folder that exists") from error


def as_json(result: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in result.items() if name != "changed"}
    return json.dumps(shown, indent=2, ensure_ascii=False, default=str) + "\n"


def as_junit(result: Mapping[str, Any]) -> str:
    """One test case for each recorded resource; what is not as it was applied has failed."""
    name = f"drift of {result.get('environment', 'the environment')}"
    suite = ElementTree.Element("testsuite", name=_clean(name))
    by_address = {
        address: list(found) for address, found in groupby(result["findings"], key=lambda item: item["address"])
    }
    for item in result.get("recorded", ()):
        case = ElementTree.SubElement(
            suite, "testcase", classname=_clean(f"{item['layer']}.{item['host']}"), name=_clean(item["address"])
        )
        if found := by_address.get(item["address"]):
            failure = ElementTree.SubElement(case, "failure", type=found[0]["what"], message=_clean(_headline(found)))
            failure.text = _clean("\n".join(map(line, found)))
    if result["status"] == "error":
        case = ElementTree.SubElement(suite, "testcase", classname="drift", name="look for drift")
        error = ElementTree.SubElement(case, "error", type="error", message=_clean(result["error"].splitlines()[0]))
        error.text = _clean(result["error"])
    _count(suite)
    if remarks := [*(f"untracked: {arn}" for arn in result["untracked"]), *result.get("notes", ())]:
        ElementTree.SubElement(suite, "system-out").text = _clean("\n".join(remarks))
    whole = ElementTree.Element("testsuites")
    whole.append(suite)
    ElementTree.indent(whole)
    return ElementTree.tostring(whole, encoding="unicode", xml_declaration=True) + "\n"


def _count(suite: ElementTree.Element) -> None:
    for name, path in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
        suite.set(name, str(len(suite.findall(path))))


def _headline(found: Sequence[Mapping[str, Any]]) -> str:
    if found[0]["what"] != CHANGED:
        return IN_WORDS[found[0]["what"]]
    return f"changed in AWS: {', '.join(item['path'] for item in found)}"


def line(finding: Mapping[str, Any]) -> str:
    """One finding on one line."""
    if finding["what"] in (GONE, PENDING):
        return f"{finding['address']} {IN_WORDS[finding['what']]}"
    return f"{finding['path']}: applied {_value(finding['applied'])}, now {_value(finding['now'])}"


def _value(value: Any) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _clean(text: str) -> str:
    return NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
