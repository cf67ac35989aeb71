# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module import_terraform does: read states, write an inventory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws, Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.convert import Conversion, convert
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import ImportRefused

ARGUMENT_SPEC: dict[str, Any] = {
    "source": {"type": "list", "elements": "str", "required": True},
    "dest": {"type": "path", "required": True},
    "environment_name": {"type": "str"},
    "platform": {"type": "str"},
    "overwrite": {"type": "bool", "default": False},
}
SUFFIXES = (".tfstate", ".tstate")
REMOTE = "s3://"
# Where Terraform keeps the states of workspaces, in a folder and in a bucket.
WORKSPACE = re.compile(r"(?:^|/)(?:terraform\.tfstate\.d|env:)/([^/]+)/")
VAULT = "$ANSIBLE_VAULT"
# Whose credentials reach the states.
LAYER = "state_bucket"

Progress = Callable[[str], None]


def run(params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Read the states, and write the files that are not there yet or differ."""
    dest = Path(params["dest"])
    states = dict(item for source in params["source"] for item in _states(source, params, progress))
    environment = params["environment_name"] or dest.resolve().name
    made = convert(states, environment, params["platform"] or "")
    _refuse_leaving(dest, made.files)
    before = {path: _text(dest / path) for path in made.files}
    changed = {path: text for path, text in made.files.items() if text != before[path]}
    _refuse_overwriting(dest, {path: before[path] for path in changed}, params["overwrite"])
    if not check_mode:
        for path, text in changed.items():
            _write(dest / path, text)
    return _result(dest, made, before, changed)


def _result(
    dest: Path, made: Conversion, before: Mapping[str, str | None], changed: Mapping[str, str]
) -> dict[str, Any]:
    diff = [
        {
            "before_header": str(dest / path),
            "after_header": str(dest / path),
            "before": before[path] or "",
            "after": text,
        }
        for path, text in changed.items()
    ]
    return {
        "changed": bool(changed),
        "files": sorted(changed),
        "report": made.report.as_data(),
        "summary": list(made.report.summary()),
        "diff": diff,
    }


def _refuse_overwriting(dest: Path, before: Mapping[str, str | None], overwrite: bool) -> None:
    there = sorted(path for path, text in before.items() if text is not None)
    vaulted = sorted(path for path in there if VAULT in (before[path] or ""))
    if vaulted:
        raise ImportRefused(
            f"{dest}: {', '.join(vaulted)} has a vault in it, which is never overwritten; move it away first"
        )
    if there and not overwrite:
        raise ImportRefused(
            f"{dest}: has {', '.join(there)} already, with other contents, and nothing was written: "
            "name another folder, or say overwrite: true (-e import_overwrite=true)"
        )


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _refuse_leaving(dest: Path, paths: Iterable[str]) -> None:
    """Names of AWS have no slashes and dots that lead elsewhere; those of a state that somebody made up may."""
    outside = [path for path in paths if not (dest / path).resolve().is_relative_to(dest.resolve())]
    if outside:
        raise ImportRefused(f"{dest}: the states have names that lead out of it, nothing was written: {outside}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _states(source: str, params: Mapping[str, Any], progress: Progress) -> Iterator[tuple[str, str]]:
    """The states that a source means, each with its text."""
    if source.startswith(REMOTE):
        yield from _remote(source, Sessions(params, "", None, progress).aws(LAYER))
        return
    path = Path(os.path.expanduser(source))
    if path.is_dir():
        found = sorted(item for item in path.rglob("*") if item.suffix in SUFFIXES and _is_state(item, path))
        _refuse_workspaces(source, [str(item) for item in found])
        if not found:
            raise ImportRefused(f"{source}: has no file {' or '.join(f'*{suffix}' for suffix in SUFFIXES)}")
    else:
        found = [path]
    for item in found:
        try:
            yield str(item), item.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ImportRefused(f"{item}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _is_state(item: Path, folder: Path) -> bool:
    """Hidden folders have Terraform's own notes, such as where its state is."""
    return item.is_file() and not any(part.startswith(".") for part in item.relative_to(folder).parts)


def _refuse_workspaces(source: str, paths: Iterable[str]) -> None:
    """Each workspace is an environment. The default one has no name in the path."""
    found = {match[1] if (match := WORKSPACE.search(path)) else "default" for path in paths}
    if len(found) > 1:
        raise ImportRefused(
            f"{source}: has states of several workspaces: {', '.join(sorted(found))}. Each is an environment of its "
            "own: name the states of one"
        )


def _remote(source: str, aws: Aws) -> Iterator[tuple[str, str]]:
    """An object, or all states below a prefix, which ends with a slash."""
    bucket, _slash, key = source.removeprefix(REMOTE).partition("/")
    s3 = aws.client("s3")
    try:
        keys = [key]
        if not key or key.endswith("/"):
            found = pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=key)
            keys = [item["Key"] for item in found if item["Key"].endswith(SUFFIXES)]
            if not keys:
                raise ImportRefused(f"{source}: has no object *{' or *'.join(SUFFIXES)}")
        _refuse_workspaces(source, keys)
        for one in keys:
            body = s3.get_object(Bucket=bucket, Key=one)["Body"].read()
            yield f"{REMOTE}{bucket}/{one}", body.decode("utf-8", "replace")
    except ImportRefused:
        raise
    except Exception as error:
        raise aws.explained(error, f"read {source}") from error
