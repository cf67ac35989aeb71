# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mends of CloudFront, and of policies in front of S3 objects."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

BUCKET = "emulator-bucket"
CONTROL = {"Name": "c", "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}
CERTIFICATE = {"ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1", "SSLSupportMethod": "sni-only"}
ALIAS = {"Quantity": 1, "Items": ["a.example.org"]}


def configuration(bucket: str = BUCKET, control: str = "", **options: Any) -> dict[str, Any]:
    domain = f"{bucket}.s3.us-east-1.amazonaws.com"
    origin = {"Id": "s3", "DomainName": domain, "OriginAccessControlId": control}
    return {
        "CallerReference": options.pop("reference", "r"),
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [{**origin, "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
        "DefaultCacheBehavior": {"TargetOriginId": "s3", "ViewerProtocolPolicy": "https-only", "CachePolicyId": "p"},
        **options,
    }


@pytest.fixture(name="cloudfront")
def fixture_cloudfront(world: Any) -> Any:
    world.s3.create_bucket(Bucket=BUCKET)
    return world.cloudfront


def make(cloudfront: Any, **options: Any) -> tuple[str, str]:
    answer = cloudfront.create_distribution(DistributionConfig=configuration(**options))
    return answer["Distribution"]["Id"], answer["ETag"]


def in_use(cloudfront: Any) -> None:
    made = cloudfront.create_origin_access_control(OriginAccessControlConfig=CONTROL)
    make(cloudfront, control=made["OriginAccessControl"]["Id"])
    cloudfront.delete_origin_access_control(Id=made["OriginAccessControl"]["Id"], IfMatch=made["ETag"])


def enabled(cloudfront: Any) -> None:
    identity, etag = make(cloudfront)
    cloudfront.delete_distribution(Id=identity, IfMatch=etag)


def old_etag(cloudfront: Any) -> None:
    identity, etag = make(cloudfront)
    for _attempt in range(2):
        cloudfront.update_distribution(Id=identity, IfMatch=etag, DistributionConfig=configuration(Comment="b"))


def twice(cloudfront: Any) -> None:
    for name in ("a", "b"):
        make(cloudfront, reference=name, Aliases=ALIAS, ViewerCertificate=CERTIFICATE)


REFUSED = {
    "no such bucket": (lambda cloudfront: make(cloudfront, bucket="other"), "InvalidOrigin"),
    "no such access control": (lambda cloudfront: make(cloudfront, control="E"), "NoSuchOriginAccessControl"),
    "alias without certificate": (lambda cloudfront: make(cloudfront, Aliases=ALIAS), "InvalidViewerCertificate"),
    "alias of another": (twice, "CNAMEAlreadyExists"),
    "access control in use": (in_use, "OriginAccessControlInUse"),
    "deletion while enabled": (enabled, "DistributionNotDisabled"),
    "old ETag": (old_etag, "InvalidIfMatchVersion"),
    "two access controls of a name": (
        lambda cloudfront: [
            cloudfront.create_origin_access_control(OriginAccessControlConfig=CONTROL) for _attempt in range(2)
        ],
        "OriginAccessControlAlreadyExists",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_aws_refuses(cloudfront: Any, name: str) -> None:
    act, code = REFUSED[name]
    with pytest.raises(ClientError) as caught:
        act(cloudfront)
    assert caught.value.response["Error"]["Code"] == code


def test_a_configuration_comes_back_whole(cloudfront: Any) -> None:
    made = cloudfront.create_origin_access_control(OriginAccessControlConfig=CONTROL)["OriginAccessControl"]
    assert made["OriginAccessControlConfig"] == CONTROL
    identity, _etag = make(cloudfront, control=made["Id"], Aliases=ALIAS, ViewerCertificate=CERTIFICATE)
    found = cloudfront.get_distribution_config(Id=identity)["DistributionConfig"]
    assert found["Origins"]["Items"][0]["OriginAccessControlId"] == made["Id"]
    assert found["DefaultCacheBehavior"]["CachePolicyId"] == "p"
    assert found["ViewerCertificate"]["ACMCertificateArn"] == CERTIFICATE["ACMCertificateArn"]


def test_policies_about_others_do_not_hit_the_account(world: Any) -> None:
    world.s3.create_bucket(Bucket=BUCKET)
    world.s3.delete_public_access_block(Bucket=BUCKET)
    anybody: dict[str, Any] = {"Principal": "*", "Action": "s3:GetObject"}
    outside = {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}
    statements = [
        {**anybody, "Effect": "Allow", "Resource": f"arn:aws:s3:::{BUCKET}/open*"},
        {**anybody, "Effect": "Deny", "Resource": f"arn:aws:s3:::{BUCKET}/open-but", "Condition": outside},
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        },
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    world.s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    codes = {}
    for key in ("open", "open-but", "closed"):
        world.s3.put_object(Bucket=BUCKET, Key=key, Body=b"a")
        world.s3.get_object(Bucket=BUCKET, Key=key)
        codes[key] = anonymously(f"{world.emulator.url}/{BUCKET}/{key}")
    assert codes == {"open": 200, "open-but": 403, "closed": 403}


def anonymously(url: str) -> int:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
