# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State documents: Terraform state, version 4, with our memory in a key of its own. Pure: bytes in, bytes out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.state import hints
from ansible_collections.dockyard.aws.plugins.module_utils.state import memory as remembering
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import (
    DocumentError,
    ImportRefused,
    StateError,
)
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import FORMAT, Check, Memory
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output, plain

VERSION = 4
# The oldest Terraform that reads such documents without complaint: every later one reads them too.
TERRAFORM_VERSION = "1.0.0"
OUR_KEY = "dockyard"
# How check_import names its way out, which callers replace by the one that they offer.
FORCE = "force puts"
FORCE_MIGRATION = "state_action=migrate with -e migrate_force=true puts"


@dataclass(frozen=True)
class Document:
    """A state document.

    memory: None in documents of Terraform, which also drops it when it writes ours.
    resources, check_results: Terraform's own, kept as they are.
    """

    lineage: str
    serial: int
    outputs: Mapping[str, Output] = field(default_factory=dict)
    memory: Memory | None = None
    resources: Sequence[Any] = ()
    check_results: Any = None
    terraform_version: str = TERRAFORM_VERSION

    @property
    def empty(self) -> bool:
        """Nothing would be lost by overwriting it."""
        return not self.outputs and not self.resources and not (self.memory and self.memory.resources)

    def content(self) -> dict[str, Any]:
        """Everything but how often and by what it was written."""
        return {
            "outputs": {name: self.outputs[name].as_json(f"outputs.{name}") for name in sorted(self.outputs)},
            "resources": list(self.resources),
            "check_results": self.check_results,
            OUR_KEY: self.memory.as_json() if self.memory else None,
        }


def parse(body: bytes, place: str) -> Document:
    """Read a document of ours or of Terraform. `place` names it in errors: s3://bucket/key, or a path.

    Raises DocumentError: empty, truncated, no state, of a newer version or format, or with values of wrong types.
    """
    data = _json(body, place)
    _check_version(data, place)
    check = Check()
    serial = check.get(data, "", "serial", int, 0)
    if serial < 0:
        check.problems.append(f"serial must not be negative, got {serial}")
    document = Document(
        lineage=check.get(data, "", "lineage", str, ""),
        serial=serial,
        outputs=_outputs(check.get(data, "", "outputs", dict, {}), check),
        memory=remembering.parse(data[OUR_KEY], check) if data.get(OUR_KEY) is not None else None,
        resources=check.get(data, "", "resources", list, []),
        check_results=data.get("check_results"),
        terraform_version=check.get(data, "", "terraform_version", str, TERRAFORM_VERSION),
    )
    if check.problems:
        raise _unreadable(place, "has values that do not belong there: " + "; ".join(check.problems))
    return document


def render(document: Document) -> bytes:
    """The bytes of a document: the same for the same document, written as Terraform writes."""
    content = document.content()
    whole = {
        "version": VERSION,
        "terraform_version": document.terraform_version,
        "serial": document.serial,
        "lineage": document.lineage,
        "outputs": content["outputs"],
        "resources": content["resources"],
        "check_results": content["check_results"],
    }
    if content[OUR_KEY] is not None:
        whole[OUR_KEY] = content[OUR_KEY]
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return (text + "\n").encode()


def successor(
    previous: Document | None, outputs: Mapping[str, Output] | None = None, memory: Memory | None = None
) -> Document | None:
    """The document to write after `previous` (None: there is none), or None where nothing changes.

    outputs, memory: what is to stand in it; None keeps what is there. Terraform's own resources are kept: a document
    at our key that Terraform also uses goes on to serve both.
    """
    base = previous or Document(str(uuid.uuid4()), 0)
    wanted = replace(
        base,
        outputs=base.outputs if outputs is None else outputs,
        memory=base.memory if memory is None else memory,
        lineage=base.lineage or str(uuid.uuid4()),
        serial=base.serial + 1,
    )
    if previous is not None and same_content(previous, wanted):
        return None
    if previous is None and wanted.empty:
        return None
    return wanted


def restored(old: Document, current: Document | None) -> Document:
    """An earlier document as the next one: its content, with the current lineage and the next serial."""
    if current is None:
        return replace(old, serial=old.serial + 1)
    # Serials of another lineage say nothing here.
    newest = max(current.serial, old.serial) if old.lineage == current.lineage else current.serial
    return replace(old, lineage=current.lineage, serial=newest + 1)


def same_content(one: Document, other: Document) -> bool:
    """Whether both say the same, whatever their serials."""
    return bool(plain(one.content()) == plain(other.content()))


def check_owner(document: Document, environment: str, layer: str, place: str) -> None:
    """Refuse to use a document that another environment or layer keeps at the same key."""
    memory = document.memory
    if memory is None or (memory.environment, memory.layer) == (environment, layer):
        return
    raise StateError(
        f"{place} is the state of the environment {memory.environment!r}, layer {memory.layer!r}, and not of "
        f"{environment!r}, {layer!r}: give each environment a state prefix or bucket of its own"
    )


def check_import(new: Document, existing: Document | None, place: str, force: bool = False) -> None:
    """Terraform's rules for putting one document in the place of another: raises ImportRefused."""
    if force or existing is None or existing.empty:
        return
    hint = f"Look at both; {FORCE} the new one there all the same."
    if new.lineage and existing.lineage and new.lineage != existing.lineage:
        raise ImportRefused(
            f"{place} has the lineage {existing.lineage!r}, and what would be written there has {new.lineage!r}: "
            f"these are states of different things. {hint}"
        )
    if new.serial < existing.serial:
        raise ImportRefused(
            f"{place} has the serial {existing.serial}, and what would be written there has {new.serial}: "
            f"it is older. {hint}"
        )
    if new.serial == existing.serial and not same_content(new, existing):
        raise ImportRefused(
            f"{place} has the serial {existing.serial}, as has what would be written there, and other contents. {hint}"
        )


def _json(body: bytes, place: str) -> dict[str, Any]:
    if not body.strip():
        raise _unreadable(place, f"is empty ({len(body)} bytes)")
    try:
        text = body.decode()
        data = json.loads(text, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _unreadable(place, f"is no text in UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        if _ends_early(text, error):
            message = f"is truncated: the JSON in it ends after {len(body)} bytes, in line {error.lineno}"
            raise _unreadable(place, message) from error
        raise _unreadable(place, f"is no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from error
    except ValueError as error:
        raise _unreadable(place, f"is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise _unreadable(place, f"is no Terraform state: it holds a {type(data).__name__} and not an object")
    return data


def _ends_early(text: str, error: json.JSONDecodeError) -> bool:
    return error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _check_version(data: Mapping[str, Any], place: str) -> None:
    version = data.get("version")
    if "encrypted_data" in data:
        raise _unreadable(place, "is a state that OpenTofu has encrypted, which cannot be read here")
    if not isinstance(version, int) or isinstance(version, bool):
        raise _unreadable(place, f"is no Terraform state: version must be {VERSION}, got {version!r}")
    if version > VERSION:
        message = f"has the state version {version}; this collection knows versions up to {VERSION}: use a newer one"
        raise DocumentError(f"{place} {message}")
    if version < VERSION:
        message = f"has the state version {version} of an old Terraform: run 'terraform apply' of version 0.12 or newer"
        raise DocumentError(f"{place} {message} on it first")
    ours = data.get(OUR_KEY)
    if isinstance(ours, Mapping):
        number = ours.get("format")
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise _unreadable(place, f"has values that do not belong there: {OUR_KEY}.format is {number!r}")
        if number > FORMAT:
            raise DocumentError(
                f"{place} was written by a newer release of this collection ({OUR_KEY}.format {number}, known is "
                f"{FORMAT}): upgrade before you run again"
            )


def _outputs(data: Mapping[str, Any], check: Check) -> dict[str, Output]:
    found = {}
    for name, output in data.items():
        path = f"outputs.{name}"
        if not isinstance(output, Mapping) or "value" not in output:
            check.problems.append(f"{path} must be an object with a value")
            continue
        if not isinstance(output.get("type"), (str, list)):
            check.problems.append(f"{path}.type must be a type expression, got {output.get('type')!r}")
            continue
        found[name] = Output(output["value"], check.get(output, f"{path}.", "sensitive", bool, False), output["type"])
    return found


def _unreadable(place: str, message: str) -> DocumentError:
    return DocumentError(
        f"{place} {message}. In a bucket its earlier versions are kept: {hints.command('history')} lists them and "
        f"{hints.command('restore', state_version='<version>')} puts the last good one in its place (state_layer, "
        "state_host or state_key name the document)"
    )
