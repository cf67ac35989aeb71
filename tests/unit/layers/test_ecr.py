# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer ecr: what a declaration becomes, and what is refused."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment, parse
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecr import Ecr

LAYER = Ecr()
ART = Environment("art", "us-east-1", "123456789012", tags={"Project": "art"})
PULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "ecr:BatchGetImage"}],
}


def rule(**changes):
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}
    selection.update(changes.pop("selection", {}))
    return {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}, **changes}


def declaration(host="web", **options):
    result, problems = parse(LAYER, host, {"repositories": [{"name": "web", **options}]})
    assert not problems, problems
    return result


def properties(**options):
    return next(LAYER.resources(declaration(**options), ART)).properties


def messages(*declarations):
    return [str(problem) for problem in LAYER.validate(declarations, ART)]


def test_defaults_are_immutable_tags_and_scans():
    assert properties() == {
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
    }


def test_keep_images_is_a_lifecycle_policy():
    (found,) = properties(keep_images=5)["lifecyclePolicy"]["rules"]
    assert found["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}
    assert found["action"] == {"type": "expire"}


@pytest.mark.parametrize("form", [lambda document: document, json.dumps])
def test_documents_are_mappings_or_json(form):
    made = properties(repository_policy=form(PULL), lifecycle_policy=form({"rules": [rule()]}))
    assert made["repositoryPolicy"] == PULL
    assert made["lifecyclePolicy"] == {"rules": [rule()]}


def test_an_empty_document_removes_the_policy():
    made = properties(repository_policy={}, lifecycle_policy={})
    assert made["repositoryPolicy"] is None
    assert made["lifecyclePolicy"] is None


BAD = {
    "capitals in the name": ({"name": "Web"}, "'Web'"),
    "name of one letter": ({"name": "w"}, "2 to 256"),
    "slash at the end": ({"name": "team/"}, "'team/'"),
    "filters without exclusion": (
        {"image_tag_mutability_exclusion_filters": ["latest"]},
        "IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION, got IMMUTABLE",
    ),
    "exclusion without filters": ({"image_tag_mutability": "MUTABLE_WITH_EXCLUSION"}, "needs image_tag_mutability_ex"),
    "too many filters": (
        {
            "image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION",
            "image_tag_mutability_exclusion_filters": list("abcdef"),
        },
        "has 6 filters, ECR allows 5",
    ),
    "three wildcards": (
        {"image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION", "image_tag_mutability_exclusion_filters": ["*a*b*"]},
        "'*a*b*'",
    ),
    "no images": ({"keep_images": 0}, "at least 1, got 0"),
    "two lifecycle policies": ({"keep_images": 5, "lifecycle_policy": {"rules": [rule()]}}, "cannot both be given"),
    "key without KMS": ({"kms_key": "arn:aws:kms:us-east-1:123456789012:key/1"}, "KMS or KMS_DSSE, got None"),
    "key that is no ARN": ({"encryption_type": "KMS", "kms_key": "alias/ecr"}, "got 'alias/ecr'"),
    "policy with a resource": (
        {"repository_policy": {**PULL, "Statement": [{**PULL["Statement"][0], "Resource": "*"}]}},
        "Statement[0] must not have Resource",
    ),
    "policy without a version": ({"repository_policy": {"Statement": PULL["Statement"]}}, "Version must be"),
    "policy that is no JSON": ({"repository_policy": "{"}, "not valid JSON"),
    "lifecycle without rules": ({"lifecycle_policy": {"rule": []}}, "list of rules"),
    "lifecycle that is no JSON": ({"lifecycle_policy": "rules: []"}, "not valid JSON"),
    "two rules of one priority": ({"lifecycle_policy": {"rules": [rule(), rule()]}}, "two rules with rulePriority 1"),
    "rule of no priority": ({"lifecycle_policy": {"rules": [rule(rulePriority=0)]}}, "rules[0] rulePriority"),
    "tagged without tags": (
        {"lifecycle_policy": {"rules": [rule(selection={"tagStatus": "tagged"})]}},
        "tagPrefixList or tagPatternList",
    ),
    "tag status": ({"lifecycle_policy": {"rules": [rule(selection={"tagStatus": "some"})]}}, "got 'some'"),
    "count": ({"lifecycle_policy": {"rules": [rule(selection={"countNumber": 0})]}}, "countNumber"),
    "no action": ({"lifecycle_policy": {"rules": [rule(action=None)]}}, "needs action"),
}


@pytest.mark.parametrize(("options", "text"), BAD.values(), ids=BAD)
def test_a_bad_repository_is_refused(options, text):
    name = options.get("name", "web")
    found = messages(declaration(**options))
    assert any(item.startswith(f"web: ecr.repositories[{name}]: ") and text in item for item in found), found


def test_one_repository_has_one_host():
    assert messages(declaration("one"), declaration("two")) == [
        "two: ecr.repositories[web]: the repository 'web' is declared already by one"
    ]


@pytest.mark.parametrize("name", ["web", "team/web", "team-a/web.api", "a__b", "ns/a/b-c"])
def test_good_names_are_not_refused(name):
    assert not messages(declaration(name=name))
