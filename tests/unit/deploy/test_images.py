# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image is meant, what ECR says of it, and what it becomes in the task definition."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import definition, images
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
DIGEST = "sha256:" + "a" * 64
WEB, PROXY = f"{HOST}/shop/web:1.4", f"{HOST}/proxy@{DIGEST}"
NGINX = "public.ecr.aws/nginx/nginx:1.27"


def task(**containers):
    return {"containerDefinitions": [{"name": name, "image": image} for name, image in containers.items()]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WEB, ("shop/web", "1.4", "")),
        (PROXY, ("proxy", "", DIGEST)),
        (f"{HOST}/web:1@{DIGEST}", ("web", "1", DIGEST)),
        (f"{HOST}/web", ("web", "", "")),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/web:1", ("web", "1", "")),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/web:1", ("web", "1", "")),
        ("123456789012.dkr-ecr.eu-central-1.on.aws/web:1", ("web", "1", "")),
        (NGINX, None),
        ("nginx:1.27", None),
    ],
)
def test_references(text, expected):
    found = images.parse(text)
    assert (None if found is None else (found.repository, found.tag, found.digest)) == expected


@pytest.mark.parametrize(
    ("tag", "wanted", "expected"),
    [
        ("1.5", None, {"web": f"{HOST}/shop/web:1.5"}),
        (DIGEST, None, {"web": f"{HOST}/shop/web@{DIGEST}"}),
        (WEB.replace("1.4", "2"), None, {"web": f"{HOST}/shop/web:2"}),
        (None, None, {"web": WEB}),
        (None, {"web": "1.6"}, {"web": f"{HOST}/shop/web:1.6"}),
        (None, {"nginx": NGINX}, {"nginx": NGINX}),
        (None, {"nginx": WEB}, {"nginx": WEB}),
    ],
)
def test_which_image_a_container_gets(tag, wanted, expected):
    whole = task(web=WEB, nginx=NGINX)
    found = definition.wanted_images(whole, whole, tag, wanted)
    assert {name: str(item) for name, item in found.items()} == expected


@pytest.mark.parametrize(
    ("containers", "tag", "wanted", "message"),
    [
        ({"web": WEB, "proxy": PROXY}, "2", None, "not clear which image is meant. Containers with an image in ECR"),
        ({"nginx": NGINX}, "2", None, "Containers with an image in ECR: none"),
        ({"web": WEB}, None, {"api": "1"}, "got the container 'api', the task definition has: web"),
        ({"nginx": NGINX}, None, {"nginx": "1.28"}, "which is not in ECR, so a tag alone is not enough"),
        ({"web": WEB}, "a b", None, "'a b' is no image of shop/web: give a tag"),
    ],
)
def test_images_that_are_refused(containers, tag, wanted, message):
    whole = task(**containers)
    with pytest.raises(ReconcileError) as caught:
        definition.wanted_images(whole, whole, tag, wanted)
    assert message in str(caught.value)


def test_containers_that_are_not_deployed_keep_what_they_run():
    declared, running = task(web=WEB, nginx=NGINX, new=NGINX), task(web=WEB, nginx="nginx:old")
    made = definition.with_images(declared, running, {"web": PROXY})
    assert definition.images_of(made) == {"web": PROXY, "nginx": "nginx:old", "new": NGINX}


class Ecr:
    """BatchGetImage and what follows from it."""

    def __init__(self, manifest=None, code="", tags=()):
        self.manifest, self.code, self.tags = manifest, code, tags

    def client(self, name, region=None):
        assert region == "eu-central-1"
        return self

    def batch_get_image(self, **_arguments):
        if self.code:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "BatchGetImage")
        if self.manifest is None:
            return {"images": [], "failures": [{"failureCode": "ImageNotFound"}]}
        return {"images": [{"imageId": {"imageDigest": DIGEST}, "imageManifest": json.dumps(self.manifest)}]}

    def get_paginator(self, operation):
        return self

    def paginate(self, **_arguments):
        return [{"imageDetails": [{"imageTags": [tag], "imagePushedAt": at} for at, tag in enumerate(self.tags)]}]

    def get_download_url_for_layer(self, **_arguments):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetDownloadUrlForLayer")

    @staticmethod
    def explained(error, doing):
        return AwsError(f"cannot {doing}: {error}")


def platform(system, architecture):
    return {"platform": {"os": system, "architecture": architecture}}


def test_an_image_for_several_platforms():
    index = {"manifests": [platform("linux", "amd64"), platform("linux", "arm64"), platform("unknown", "unknown")]}
    found = images.resolve(Ecr(index), images.parse(WEB))
    assert (found.platforms, found.pinned) == (("linux/amd64", "linux/arm64"), f"{HOST}/shop/web@{DIGEST}")


def test_a_platform_that_cannot_be_read_is_noted():
    found = images.resolve(Ecr({"config": {"digest": DIGEST}}), images.parse(WEB))
    assert found.platforms == () and "its platform could not be read" in found.note
    assert images.platform_problem("web", found, ["linux/amd64"]) is None


@pytest.mark.parametrize(
    ("ecr", "message"),
    [
        (
            Ecr(tags=("1.3", "1.5", "latest")),
            "has no image with the tag '1.4'; nearest tags: 1.5, 1.3; newest tags: latest",
        ),
        (Ecr(), "it has no tagged image at all"),
        (Ecr(code="RepositoryNotFoundException"), "there is no ECR repository 'shop/web' in account 123456789012"),
        (Ecr(code="ServerException"), "cannot read the image"),
    ],
)
def test_a_missing_image_is_told_with_what_is_there(ecr, message):
    with pytest.raises(AwsError) as caught:
        images.resolve(ecr, images.parse(WEB))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("given", "fargate", "instances", "expected"),
    [
        ({}, True, [], ("linux/amd64",)),
        ({"cpuArchitecture": "ARM64"}, True, [], ("linux/arm64",)),
        ({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}, True, [], ("windows/amd64",)),
        ({}, False, ["arm64", "amd64", "arm64"], ("linux/amd64", "linux/arm64")),
        ({}, False, [], ()),
    ],
)
def test_the_platform_of_the_tasks(given, fargate, instances, expected):
    assert images.wanted_platform({"runtimePlatform": given}, fargate, instances) == expected
