# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a website: what lies in a folder, and the headers with which each of them is served."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import api_names
from ansible_collections.dockyard.aws.plugins.module_utils.layers.content_types import content_type
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_manifest import RESERVED

LONGEST_KEY = 1024
# PutObject takes no more.
LARGEST_FILE = 5 * 1024**3
SHOWN_PROBLEMS = 5


def folder(files: Mapping[str, Any], base_dir: str) -> Path:
    return Path(base_dir) / str(files["source"])


def found(files: Mapping[str, Any], base_dir: str) -> dict[str, Path]:
    """Key -> file, of all that is to be published, sorted. OSError where a folder cannot be read."""
    source = folder(files, base_dir)
    result: dict[str, Path] = {}
    for file in _walk(source):
        key = file.relative_to(source).as_posix()
        if not any(fnmatchcase(key, pattern) for pattern in files["exclude"]):
            result[key] = file
    return dict(sorted(result.items()))


def _walk(folder: Path, above: tuple[str, ...] = ()) -> Iterator[Path]:
    """All files. Links to folders are followed, but not in a circle. What cannot be read must not seem to be gone."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for entry in os.scandir(folder):
        path = folder / entry.name
        if entry.is_dir():
            yield from _walk(path, (*above, real))
        else:
            yield path


def described(files: Mapping[str, Any], base_dir: str) -> dict[str, dict[str, Any]]:
    """Key -> content hash, size and headers."""
    return {
        key: {"SHA256": digest(path), "Size": path.stat().st_size, **headers(key, files["headers"])}
        for key, path in found(files, base_dir).items()
    }


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def headers(key: str, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The headers of a file: of each, what the first rule says that matches and has it."""
    result: dict[str, Any] = {}
    for rule in rules:
        if fnmatchcase(key, rule["pattern"]):
            result = {**{name: value for name, value in rule.items() if value is not None}, **result}
    result.pop("pattern", None)
    metadata = result.pop("metadata", None)
    named = api_names({"content_type": content_type(key), **result}, capital=True)
    if metadata:
        named["Metadata"] = {str(name).lower(): str(value) for name, value in metadata.items()}
    return {name: value for name, value in named.items() if value != ""}


def problems(site: Mapping[str, Any], base_dir: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the folder, each with the option. The files are not read."""
    files = site["files"]
    source = folder(files, base_dir)
    if not source.is_dir():
        what = "is a file" if source.exists() else "does not exist"
        yield "source", f"the folder {source} {what}; build the site first, or give another folder"
        return
    try:
        keys = found(files, base_dir)
    except OSError as error:
        yield "source", f"the folder {error.filename} cannot be read: {error.strerror}"
        return
    if not keys:
        yield "source", f"there is no file to publish in {source}: everything that was published would be removed"
        return
    for option in ("index_document", "error_document"):
        name = site[option]
        if name and name not in keys:
            yield "source", f"there is no {name} in {source}, which is the {option}"
    bad = [message for key, path in keys.items() for message in _file_problems(key, path)]
    yield from (("source", message) for message in bad[:SHOWN_PROBLEMS])
    if len(bad) > SHOWN_PROBLEMS:
        yield "source", f"{len(bad) - SHOWN_PROBLEMS} more files of {source} cannot be published"
    for number, rule in enumerate(files["headers"]):
        for option, message in _rule_problems(rule):
            yield f"headers[{number}].{option}", message


def _file_problems(key: str, path: Path) -> Iterator[str]:
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        yield f"the name of the file {key!r} is not UTF-8"
        return
    if length > LONGEST_KEY:
        yield f"the name of the file {key[:60]}… has {length} bytes, S3 allows {LONGEST_KEY}"
    if key.startswith(RESERVED):
        yield f"the file {key} lies in {RESERVED}, where the list of what was published is kept"
    if not path.is_file() or not os.access(path, os.R_OK):
        yield f"the file {path} cannot be read"
    elif path.stat().st_size > LARGEST_FILE:
        yield f"the file {path} is larger than the 5 GiB that S3 takes in one piece"


def _rule_problems(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not rule["pattern"]:
        yield "pattern", "must not be empty; * stands for all files"
    if not any(value is not None for name, value in rule.items() if name != "pattern"):
        yield "pattern", f"the rule for {rule['pattern']!r} sets no header"
    for name, value in rule.items():
        texts = value.items() if isinstance(value, Mapping) else [(name, value)]
        for key, text in texts:
            if isinstance(text, str) and (not text.isascii() or not text.isprintable()):
                yield name, f"{key} must be printable ASCII, which headers are, got {text!r}"
