# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Format, or with --check only compare, what users write: YAML and JSON in inventories and playbooks.

YAML takes the form that ansible-lint gives it, comments kept; JSON two spaces, keys in their order, one final newline.
A file whose meaning would change is left alone and reported.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansiblelint.yaml_utils import FormattedYAML

VAULT_HEADER = "$ANSIBLE_VAULT"


class _AnyTagLoader(yaml.SafeLoader):
    """Reads tags such as !vault as plain data, so that two texts can be compared."""


def _any_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> tuple[str, Any]:
    if isinstance(node, yaml.MappingNode):
        return suffix, loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return suffix, loader.construct_sequence(node, deep=True)
    return suffix, loader.construct_scalar(node)  # type: ignore[arg-type]


_AnyTagLoader.add_multi_constructor("!", _any_tag)


def format_yaml(text: str) -> str:
    """Return the YAML text in ansible-lint's form; ValueError when that would change what it says."""
    try:
        before = list(yaml.load_all(text, _AnyTagLoader))
    except yaml.YAMLError as error:
        raise ValueError(f"not valid YAML: {error}") from error
    if all(document is None for document in before):
        return text
    if len(before) > 1:
        raise ValueError("has more than one YAML document; keep one in a file")
    formatter = FormattedYAML()
    # [{name: web}] keeps its braces.
    formatter.brace_single_entry_mapping_in_flow_sequence = True
    formatted = str(formatter.dumps(formatter.load(text)))
    if list(yaml.load_all(formatted, _AnyTagLoader)) != before:
        raise ValueError(_changed_meaning(before[0], yaml.load(formatted, _AnyTagLoader)))
    return formatted


def _changed_meaning(before: Any, after: Any, path: str = "") -> str:
    """Name the first value that formatting would change."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key in before:
            if before[key] != after[key]:
                return _changed_meaning(before[key], after[key], f"{path}.{key}" if path else str(key))
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                return _changed_meaning(old, new, f"{path}[{index}]")
    return (
        f"{path or 'document'}: {before!r} would become {after!r}; write the value unambiguously, with quotes for text"
    )


def format_json(text: str) -> str:
    """Return the JSON text with two spaces and its keys in their order; ValueError when it is not valid JSON."""
    try:
        data = json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: line {error.lineno} column {error.colno}: {error.msg}") from error
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [pair[0] for pair in pairs]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ValueError(f"key given twice in one object: {', '.join(repeated)}")
    return dict(pairs)


FORMATTERS = {".yml": format_yaml, ".yaml": format_yaml, ".json": format_json}


def files(paths: list[Path]) -> Iterator[Path]:
    """Yield the files under the given paths that have a formatter."""
    for path in paths:
        candidates = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (candidate for candidate in candidates if candidate.suffix in FORMATTERS and candidate.is_file())


def handle(path: Path, check: bool) -> str | None:
    """Format one file, or compare it; return the problem, None when there is none."""
    text = path.read_text(encoding="utf-8")
    if text.startswith(VAULT_HEADER):
        return None
    try:
        formatted = FORMATTERS[path.suffix](text)
    except ValueError as error:
        return f"{path}: {error}"
    if formatted == text:
        return None
    if check:
        lines = (text.splitlines(keepends=True), formatted.splitlines(keepends=True))
        return "".join(difflib.unified_diff(*lines, fromfile=str(path), tofile=f"{path} as `make fmt` writes it"))
    path.write_text(formatted, encoding="utf-8")
    print(f"formatted {path}")
    return None


def main() -> int:
    """Format the given paths, by default inventories and playbooks."""
    parser = argparse.ArgumentParser(description="Format YAML and JSON that users write.")
    parser.add_argument("--check", action="store_true", help="change nothing; show what would change and fail")
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders (default: inventories playbooks)")
    arguments = parser.parse_args()
    paths = arguments.paths or [Path("inventories"), Path("playbooks")]
    problems = [problem for path in files(paths) if (problem := handle(path, arguments.check))]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems and arguments.check:
        print(f"{len(problems)} files are not as `make fmt` writes them", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
