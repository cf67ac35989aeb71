# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a website in its bucket, as one thing with a difference for each file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import s3_site_manifest as manifests
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3 import GONE, bucket_arguments, delete_objects
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_manifest import HEADERS, Files, Found
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_publishing import Site, publish

CURRENT = "current"
ALL, PUBLISHED, NONE = "all", "published", "none"
CONTENT = "SHA256"
COMPARED = (CONTENT, *HEADERS)
# Of what is declared, this steers the run and is no property of what is published.
LOCAL = ("Source", "DistributionId", "DefaultRootObject")


@dataclass(frozen=True)
class LocalFolder:
    """A folder on this machine. Where it lies is no part of a declaration: as text it is what was declared."""

    path: str
    declared: str

    def __str__(self) -> str:
        return self.declared


class S3SiteFiles(Kind):
    """The objects of a site: `Files` by key, `Remove` (what of the rest goes), `Manifest` (whether it is up to date).

    `Source`: the folder that they come from. `DistributionId`, `DefaultRootObject`: of the distribution in front.
    """

    kind = "s3_site_files"
    label = "files of a website"
    taggable = False

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = each(lambda item: _observe(aws, item), wanted)
        return {item.name: item for item in found if item is not None}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = {name: value for name, value in properties.items() if name not in LOCAL}
        known = (*COMPARED, "Size")
        result["Files"] = {
            key: {name: file[name] for name in known if file.get(name) not in (None, "", {})}
            for key, file in (properties.get("Files") or {}).items()
        }
        return result

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        found = list(_differences(desired["Files"], observed["Files"], desired.get("Remove", NONE)))
        if observed.get("Manifest", CURRENT) != CURRENT:
            found.append(Difference("Manifest", observed["Manifest"], CURRENT))
        return found

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        """A line for each file; of what the files themselves do not show, nothing."""
        result: list[Difference] = []
        for item in differences:
            if item.path == "Files" and isinstance(item.after, Mapping):
                result += [Difference(f"Files[{key}]", None, _shown(file)) for key, file in item.after.items()]
            elif item.path.startswith("Files["):
                result.append(item._replace(before=_shown(item.before), after=_shown(item.after)))
            elif item.path == "Manifest" and item.before is not None:
                result.append(item)
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        files = self.canonical(resource.properties)["Files"]
        publish(_site(aws, resource), files, {}, list(files), [])
        return _attributes(resource.name)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        files = self.canonical(resource.properties)["Files"]
        there = observed.properties["Files"]
        compared = self.canonical(observed.properties)["Files"]
        uploads = [key for key, file in files.items() if list(_of_file(key, file, compared.get(key)))]
        removals = _to_remove(files, compared, resource.properties.get("Remove", NONE))
        publish(_site(aws, resource), files, there, uploads, removals)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        s3, bucket = aws.client("s3"), bucket_arguments(aws, observed.name)
        keys = [*observed.properties["Files"], manifests.KEY]
        try:
            delete_objects(s3, bucket, [{"Key": key} for key in keys])
        except exceptions.ClientError as error:
            if code_of(error) != GONE:
                raise


def _attributes(name: str) -> dict[str, Any]:
    return {"id": name, "name": name}


def _site(aws: Aws, resource: Resource) -> Site:
    properties = resource.properties
    return Site(
        aws,
        bucket_arguments(aws, resource.name),
        Path(properties["Source"].path),
        properties.get("DistributionId"),
        properties.get("DefaultRootObject"),
    )


def _observe(aws: Aws, wanted: Wanted) -> Observed | None:
    s3, bucket = aws.client("s3"), bucket_arguments(aws, wanted.name)
    try:
        found = manifests.look(s3, bucket)
    except exceptions.ClientError as error:
        if code_of(error) == GONE:
            return None
        raise
    declared: Files = wanted.properties.get("Files") or {}
    keys = _ours(found, declared, wanted.properties.get("Remove", NONE))
    if found.manifest is None and not keys:
        return None
    source = wanted.properties.get("Source")
    files = manifests.describe(s3, bucket, found, keys, declared, Path(source.path) if source else None)
    properties = {"Files": files, "Manifest": _state(found, keys)}
    return Observed(wanted.name, properties, _attributes(wanted.name))


def _ours(found: Found, declared: Files, remove: str) -> list[str]:
    """The keys of what is there and is declared, or was published, or is to go with everything else."""
    published = found.manifest.files if found.manifest else {}
    return [key for key in found.listed if remove == ALL or key in declared or key in published]


def _state(found: Found, keys: Sequence[str]) -> str:
    """Whether the next run has to ask S3 for single files again."""
    if found.manifest is None:
        return "missing"
    if found.unfinished():
        return "of a publish that was not finished"
    behind = sum(found.known(key) is None for key in keys)
    return f"behind in {behind} file{'' if behind == 1 else 's'}" if behind else CURRENT


def _differences(desired: Files, observed: Files, remove: str) -> Iterator[Difference]:
    for key, file in desired.items():
        yield from _of_file(key, file, observed.get(key))
    for key in _to_remove(desired, observed, remove):
        yield Difference(f"Files[{key}]", observed[key], None)


def _of_file(key: str, wanted: Mapping[str, Any], there: Mapping[str, Any] | None) -> Iterator[Difference]:
    if there is None:
        yield Difference(f"Files[{key}]", None, dict(wanted))
        return
    for name in COMPARED:
        if wanted.get(name) != there.get(name):
            yield Difference(f"Files[{key}].{name}", there.get(name), wanted.get(name))


def _to_remove(desired: Files, observed: Files, remove: str) -> list[str]:
    return [] if remove == NONE else sorted(observed.keys() - desired.keys())


def _shown(value: Any) -> Any:
    """A file in a few words; a hash by its beginning."""
    if isinstance(value, Mapping) and CONTENT in value:
        headers = [value[name] for name in ("CacheControl", "ContentEncoding") if value.get(name)]
        return ", ".join([str(value.get("ContentType", "no content type")), _size(value.get("Size", 0)), *headers])
    if isinstance(value, str) and len(value) == 64 and value.isalnum():
        return f"{value[:12]}…"
    return value


def _size(number: int) -> str:
    if number < 1000:
        return f"{number} B"
    for unit, size in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if number < size * 1000:
            return f"{number / size:.1f} {unit}"
    return f"{number / 1e9:.0f} GB"


KINDS = (S3SiteFiles,)
