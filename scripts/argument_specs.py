# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write each role's meta/argument_specs.yml from its layer's ARGUMENT_SPEC; with --check only compare."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import Images  # noqa: E402
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Layer  # noqa: E402
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS  # noqa: E402

KEYS = ("type", "elements", "required", "default", "choices")
OPTION = re.compile(r"O\(([\w.\[\]]+)(=[^)]*)?\)")

# The options that a description can mean, outermost first: (path before their names, names).
Scopes = tuple[tuple[str, Iterable[str]], ...]


def described(options: dict[str, Any], outer: Scopes, path: str) -> dict[str, Any]:
    """The options, with the keys in the order of Ansible's documentation; `default` only where there is one."""
    scopes = (*outer, (path, options))
    result = {}
    for name, option in options.items():
        result[name] = {"description": linked(option["description"], scopes)}
        result[name].update({key: option[key] for key in KEYS if key in option and option[key] not in (None, False)})
        if option.get("default") is False:
            result[name]["default"] = False
        if "options" in option:
            inner = f"{path}{name}{'[]' if option['type'] == 'list' else ''}."
            result[name]["options"] = described(option["options"], scopes, inner)
    return result


def linked(text: Any, scopes: Scopes) -> Any:
    """A description whose references to options have the full path that Ansible wants; others become plain code."""
    if isinstance(text, list):
        return [linked(item, scopes) for item in text]

    def full(match: re.Match[str]) -> str:
        first = re.split(r"[.\[]", match[1])[0]
        path = next((path for path, names in reversed(scopes) if first in names), None)
        target = match[1] + (match[2] or "")
        return f"C({target})" if path is None else f"O({path}{target})"

    return OPTION.sub(full, text)


def rendered(layer: Layer) -> str:
    spec = {
        "argument_specs": {
            "main": {
                "short_description": layer.DESCRIPTION,
                "description": f"{layer.DESCRIPTION}. The module dockyard.aws.{layer.NAME} carries it out.",
                "options": {
                    layer.NAME: {
                        "description": f"The host's declaration in the layer {layer.NAME}.",
                        "type": "dict",
                        "options": described(layer.ARGUMENT_SPEC, (("", (layer.NAME,)),), f"{layer.NAME}."),
                    }
                },
            }
        }
    }
    head = "---\n# Written by scripts/argument_specs.py from the layer's ARGUMENT_SPEC.\n"
    return head + yaml.dump(spec, Dumper=_Indented, sort_keys=False, width=80, allow_unicode=True)


class _Indented(yaml.SafeDumper):
    """Lists indented below their key, as yamllint wants them; no anchors where options are shared."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main() -> int:
    stale = []
    for layer in (*LAYERS.values(), Images()):
        path = ROOT / "roles" / layer.NAME / "meta" / "argument_specs.yml"
        text = rendered(layer)
        if path.exists() and path.read_text() == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if stale and "--check" in sys.argv:
        print("out of date, run scripts/argument_specs.py:", *stale, sep="\n  ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
