# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values of DNS records in one canonical form."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence

_ESCAPE = re.compile(r"\\([0-7]{3})")
_PLAIN = re.compile(r"[a-z0-9._*-]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WHOLE_TEXT = re.compile(r'\s*"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*\s*')
LONGEST_STRING = 255


def canonical_name(name: str) -> str:
    """A DNS name as people write it: lower case, no trailing dot, and Route 53's escapes (`\\052` is `*`) undone."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), name).lower().rstrip(".")


def api_name(name: str) -> str:
    """A DNS name as Route 53 takes it: other characters than those of host names escaped."""
    text = canonical_name(name)
    return "".join(char if _PLAIN.match(char) else f"\\{ord(char):03o}" for char in text) + "."


def owner_of(name: str, zones: Iterable[str]) -> str | None:
    """The zone that owns a name: the longest that it is, or ends with."""
    text = canonical_name(name)
    owners = [zone for zone in zones if text == zone or text.endswith(f".{zone}")]
    return max(owners, key=len, default=None)


def base_name(domain: str) -> str:
    """The name that is validated for a name of a certificate: `*.example.org` has the record of `example.org`."""
    return canonical_name(domain).removeprefix("*.")


def canonical_values(record_type: str, values: Iterable[str]) -> list[str]:
    """The values of a record, each in one form; they have no order."""
    form = _FORMS.get(record_type, _spaced)
    return sorted({form(str(value)) for value in values})


def api_values(record_type: str, values: Iterable[str]) -> list[str]:
    """The values of a record as Route 53 takes them; texts quoted, and in strings of at most 255 bytes."""
    distinct = list(dict.fromkeys(map(str, values)))
    if record_type in ("TXT", "SPF"):
        return [_plain(value) if _WHOLE_TEXT.fullmatch(value) else _quoted(value) for value in distinct]
    return distinct


def _quoted(text: str) -> str:
    data = text.encode()
    parts = [data[start : start + LONGEST_STRING] for start in range(0, len(data), LONGEST_STRING)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, part))}"' for part in parts)


def _escaped(byte: int) -> str:
    """A byte of a text as Route 53 takes it."""
    return f"\\{chr(byte)}" if chr(byte) in '"\\' else _plain_byte(byte)


def _plain_byte(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def _plain(text: str) -> str:
    """A text in quotes, with the characters escaped that Route 53 does not take as they are."""
    return "".join(map(_plain_byte, text.encode()))


def _text(value: str) -> str:
    """What the strings of a text say together: so it is read, wherever it was cut."""
    if not _WHOLE_TEXT.fullmatch(value):
        return value
    joined = "".join(found[1] for found in _QUOTED.finditer(value)).encode()
    data = re.sub(rb"\\([0-7]{3}|.)", lambda found: _unescaped(found[1]), joined)
    return data.decode(errors="surrogateescape")


def _unescaped(escape: bytes) -> bytes:
    return bytes([int(escape, 8) & 0xFF]) if len(escape) == 3 else escape


def _spaced(value: str) -> str:
    return " ".join(value.split())


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        return value


def _caa(value: str) -> str:
    parts = value.split(None, 2)
    if len(parts) != 3:
        return value
    flags, tag, text = parts
    return f"{flags} {tag.lower()} {_text(text)}"


def _with_target(numbers: int) -> Callable[[str], str]:
    """Numbers, then a name: `10 mail.example.org.`."""

    def form(value: str) -> str:
        parts = value.split()
        return " ".join([*parts[:numbers], *map(canonical_name, parts[numbers:])])

    return form


_FORMS: dict[str, Callable[[str], str]] = {
    "A": _address,
    "AAAA": _address,
    "CNAME": canonical_name,
    "NS": canonical_name,
    "PTR": canonical_name,
    "MX": _with_target(1),
    "SRV": _with_target(3),
    "TXT": _text,
    "SPF": _text,
    "CAA": _caa,
}
TYPES: Sequence[str] = (
    *_FORMS,
    "NAPTR",
    "DS",
    "TLSA",
    "SSHFP",
    "SVCB",
    "HTTPS",
)
