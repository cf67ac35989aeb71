# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading outputs: of the environment's documents, and of any document in a bucket or a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws, Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.layers import remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.homes import Home, State
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.run import STATE_LAYER
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import NotThere, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import plain
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import FOLDERS
from ansible_collections.dockyard.aws.plugins.module_utils.state.s3_store import S3Store
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import ABSENT, Stored

LAYERS = tuple(FOLDERS)
# What a document comes to: where it is, and its outputs by name; None where there is no document.
Outputs = dict[str, Any]


class NoSuchOutput(StateError):
    """There is no such document, output, or part of one."""


def of_file(path: str | Path) -> Outputs:
    try:
        stored = Stored(Path(path).read_bytes())
    except FileNotFoundError:
        stored = ABSENT
    except OSError as error:
        raise StateError(f"cannot read {path}: {error.strerror}") from error
    return _outputs(stored, str(path))


def of_object(params: Mapping[str, Any], bucket: str, key: str) -> Outputs:
    """A document in any bucket. params: credentials, region and endpoint."""
    store = S3Store(_aws(params), bucket)
    return _outputs(store.read(key), store.place(key))


def of_environment(params: Mapping[str, Any], layer: str | None, host: str | None, key: str | None) -> Outputs:
    """A document of the environment that dockyard_remote_state describes, or by its key another one in its bucket."""
    setting = remote_state.of(params)
    if setting is None:
        message = "is not set, and neither bucket nor path are given: there is no state to read from"
        raise PlanError([Problem("", remote_state.VARIABLE, message)])
    state = State.of(setting, _aws(params), params.get("environment_name") or "")
    target = state.target(layer, host, key)
    stored, home = _read(state, target.key)
    return _outputs(stored, home.store.place(target.key))


def value_of(found: Outputs, name: str, sensitive: bool) -> Any:
    """An output, or a part of one: names and numbers of list items, separated by dots."""
    outputs = found["outputs"]
    if outputs is None:
        raise NoSuchOutput(f"there is no document at {found['place']}, so it has no output {name!r}")
    for output, rest in _splits(name, outputs):
        if outputs[output]["sensitive"] and not sensitive:
            raise StateError(
                f"the output {output!r} of {found['place']} is sensitive: ask for it with sensitive=true, and keep "
                "what it goes to out of logs with no_log"
            )
        for value in _parts(outputs[output]["value"], rest):
            return value
        raise NoSuchOutput(f"the output {output!r} of {found['place']} has no {rest!r}; {_inside(outputs[output])}")
    raise NoSuchOutput(f"{found['place']} has no output {name!r}; it has {_named(outputs)}")


def all_of(found: Outputs, sensitive: bool) -> dict[str, Any]:
    """All outputs by name, without the sensitive ones unless they are asked for."""
    if found["outputs"] is None:
        raise NoSuchOutput(f"there is no document at {found['place']}")
    return {name: output["value"] for name, output in found["outputs"].items() if sensitive or not output["sensitive"]}


def _read(state: State, key: str) -> tuple[Stored, Home]:
    """What was not moved into the bucket yet lies in the folder, and counts."""
    local = state.folder.store.read(key)
    if local.body is None:
        try:
            return state.bucket.store.read(key), state.bucket
        except NotThere:
            pass
    return local, state.folder


def _outputs(stored: Stored, place: str) -> Outputs:
    if stored.body is None:
        return {"place": place, "outputs": None}
    parsed = document.parse(stored.body, place)
    outputs = {
        name: {"value": plain(output.value), "sensitive": output.sensitive} for name, output in parsed.outputs.items()
    }
    return {"place": place, "outputs": outputs}


def _aws(params: Mapping[str, Any]) -> Aws:
    sessions = Sessions(params, params.get("environment_name") or "", params.get("profiles"))
    return sessions.aws(STATE_LAYER)


def _splits(name: str, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The ways to read a dotted name as a member and the rest, the longest member first: names may have dots."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        member = ".".join(parts[:end])
        if member in known:
            yield member, ".".join(parts[end:])


def _parts(value: Any, rest: str) -> Iterator[Any]:
    """What lies at a dotted path, in as many ways as it can be read."""
    if not rest:
        yield value
    elif isinstance(value, Mapping):
        for member, further in _splits(rest, value):
            yield from _parts(value[member], further)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        number, _dot, further = rest.partition(".")
        if number.isdigit() and int(number) < len(value):
            yield from _parts(value[int(number)], further)


def _inside(output: Mapping[str, Any]) -> str:
    value = output["value"]
    if isinstance(value, Mapping):
        return f"it has {_named(value)}"
    if isinstance(value, list):
        return f"it is a list of {len(value)}"
    return "it is a single value"


def _named(members: Mapping[str, Any]) -> str:
    return ", ".join(sorted(map(str, members))) or "none"
