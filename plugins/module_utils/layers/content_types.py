# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content types of a website's files, the same on every machine.

Python's own table differs between its versions and takes in what the machine has in /etc/mime.types: a plan made on a
laptop would then be another one than the pipeline's.
"""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

UNKNOWN = "application/octet-stream"
CHARSET = "; charset=utf-8"
TYPES = {
    "avif": "image/avif",
    "css": "text/css",
    "csv": "text/csv",
    "eot": "application/vnd.ms-fontobject",
    "flac": "audio/flac",
    "gif": "image/gif",
    "gz": "application/gzip",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/x-icon",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "jsonld": "application/ld+json",
    "map": "application/json",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "otf": "font/otf",
    "pdf": "application/pdf",
    "png": "image/png",
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "svg": "image/svg+xml",
    "ttf": "font/ttf",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "wasm": "application/wasm",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
    "zip": "application/zip",
}
# Built in, without the files of the machine.
_MORE = mimetypes.MimeTypes()


def content_type(key: str) -> str:
    """By the ending of the name; texts are UTF-8."""
    name = PurePosixPath(key).name
    ending = name.rsplit(".", 1)[-1].lower() if "." in name.lstrip(".") else ""
    found = TYPES.get(ending) or _MORE.guess_type(f"file.{ending}", strict=True)[0] or UNKNOWN
    return found + CHARSET if found.startswith("text/") else found
