# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts an image without content into a repository of the emulator: what a pipeline's build and push leave there."""

from __future__ import annotations

import hashlib
import json

import boto3

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def push(url: str, region: str, repository: str, tag: str) -> str:
    """The digest of the image."""
    ecr = boto3.Session("testing", "testing", region_name=region).client("ecr", endpoint_url=url)
    config = json.dumps({"architecture": "amd64", "os": "linux"}).encode()
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    part = {"partFirstByte": 0, "partLastByte": len(config) - 1, "layerPartBlob": config}
    ecr.upload_layer_part(repositoryName=repository, uploadId=upload, **part)
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest])
    described = {"mediaType": CONFIG, "digest": digest, "size": len(config)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []})
    ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag, imageManifestMediaType=MANIFEST)
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
