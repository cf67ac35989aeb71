# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for buildah where there is none: puts a context's files into an image, and really pushes it to a registry.

It knows as much of buildah's command line as the collection uses, and of Containerfiles only FROM scratch, ARG, LABEL,
CMD, and COPY . / (what else is in one, fails). What each call got is appended to the file of BUILDER_LOG.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import stat
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
KNOWN = re.compile(r"(FROM scratch|ARG |LABEL |CMD |COPY \. /)")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def storage() -> Path:
    return Path(os.environ["BUILDER_STORAGE"])


def blob(content: bytes, media_type: str) -> dict[str, Any]:
    """Keep a blob; its descriptor."""
    digest = hashlib.sha256(content).hexdigest()
    (storage() / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def timeless(item: tarfile.TarInfo) -> tarfile.TarInfo:
    item.mtime = 0
    return item


def build(options: argparse.Namespace) -> None:
    instructions = Path(options.file).read_text().splitlines()
    for number, line in enumerate(instructions, 1):
        print(f"STEP {number}/{len(instructions)}: {line}", flush=True)
        if not KNOWN.match(line):
            sys.exit(f'error building: unknown instruction: "{line}" {os.environ.get("TOKEN", "")}')
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for path in sorted(Path(options.context).iterdir()):
            tar.add(path, path.name, filter=timeless)
    arguments = {name: os.environ.get(name) for name in options.build_arg}
    system, architecture = (options.platform or "linux/amd64").split("/")[:2]
    config = {
        "os": system,
        "architecture": architecture,
        "config": {"Labels": dict(item.split("=", 1) for item in options.label)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"]},
        "history": [{"created_by": f"ARG {name}={value}"} for name, value in arguments.items()],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(json.dumps(config).encode(), CONFIG),
        "layers": [blob(gzip.compress(layer.getvalue(), mtime=0), LAYER)],
    }
    keep(options.tag, manifest)


def keep(image: str, manifest: dict[str, Any]) -> None:
    (storage() / re.sub(r"\W", "_", image)).write_text(json.dumps(manifest))


def manifest_of(image: str) -> dict[str, Any]:
    return dict(json.loads((storage() / re.sub(r"\W", "_", image)).read_text()))


def inspect(options: argparse.Namespace) -> None:
    digest = manifest_of(options.image)["config"]["digest"].partition(":")[2]
    config = json.loads((storage() / digest).read_bytes())
    print(f"{config['os']}/{config['architecture']}")


def push(options: argparse.Namespace) -> None:
    """The distribution protocol: each blob that is not there, then the manifest; the registry says the digest."""
    host, _slash, rest = options.destination.removeprefix("docker://").partition("/")
    repository, _colon, tag = rest.rpartition(":")
    base, manifest = f"http://{host}/v2/{repository}", manifest_of(options.image)
    for part in [manifest["config"], *manifest["layers"]]:
        content = (storage() / part["digest"].partition(":")[2]).read_bytes()
        upload = call("POST", f"{base}/blobs/uploads/", host).headers["Location"]
        place = upload if upload.startswith("http") else f"http://{host}{upload}"
        call("PUT", f"{place}{'&' if '?' in place else '?'}digest={part['digest']}", host, content)
    answer = call("PUT", f"{base}/manifests/{tag}", host, json.dumps(manifest).encode(), MANIFEST)
    Path(options.digestfile).write_text(answer.headers["Docker-Content-Digest"])


def call(method: str, url: str, host: str, data: bytes = b"", kind: str = "application/octet-stream") -> Any:
    """A request with the login of the file that the environment names."""
    login = json.loads(Path(os.environ["REGISTRY_AUTH_FILE"]).read_text())["auths"][host]["auth"]
    headers = {"Authorization": f"Basic {login}", "Content-Type": kind}
    return _DIRECT.open(urllib.request.Request(url, data, headers, method=method), timeout=30)


def pull(options: argparse.Namespace) -> None:
    """An archive in OCI layout."""
    with tarfile.open(options.source.removeprefix("oci-archive:")) as tar:
        tar.extractall(storage() / "archive", filter="data")
    blobs = storage() / "archive" / "blobs" / "sha256"
    for path in blobs.iterdir():
        (storage() / path.name).write_bytes(path.read_bytes())
    index = json.loads((storage() / "archive" / "index.json").read_text())
    digest = index["manifests"][0]["digest"].partition(":")[2]
    keep("pulled", json.loads((blobs / digest).read_text()))
    print("pulled")


def note(arguments: list[str]) -> None:
    """What this call got: what a test wants to know of a builder."""
    auth = Path(os.environ.get("REGISTRY_AUTH_FILE", ""))
    mode = stat.filemode(auth.stat().st_mode) if auth.is_file() else ""
    line = {"arguments": arguments, "auth_file": str(auth), "mode": mode, "token": os.environ.get("TOKEN")}
    with Path(os.environ["BUILDER_LOG"]).open("a") as log:
        log.write(json.dumps(line) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version")
    one = commands.add_parser("bud")
    for name in ("--tag", "--file", "--target", "--platform"):
        one.add_argument(name)
    for name in ("--build-arg", "--label", "--secret"):
        one.add_argument(name, action="append", default=[])
    one.add_argument("context")
    one = commands.add_parser("inspect")
    for name in ("--type", "--format"):
        one.add_argument(name)
    one.add_argument("image")
    one = commands.add_parser("push")
    one.add_argument("--digestfile")
    one.add_argument("--tls-verify")
    one.add_argument("image")
    one.add_argument("destination")
    one = commands.add_parser("pull")
    one.add_argument("--quiet", action="store_true")
    one.add_argument("source")
    options = parser.parse_args()
    note(sys.argv[1:])
    work = {"bud": build, "inspect": inspect, "push": push, "pull": pull}
    if options.command in work:
        work[options.command](options)


if __name__ == "__main__":
    main()
