# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR repositories: canonical forms, and what is read."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed, Resource, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecr import EcrRepository

KIND = EcrRepository()


def rule(priority, **selection):
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5, **selection}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


def policy(principal, action="ecr:BatchGetImage", **more):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return {"repositoryPolicy": {"Version": "2012-10-17", "Statement": [statement]}}


def lifecycle(*rules):
    return {"lifecyclePolicy": {"rules": list(rules)}}


def differences(desired, observed):
    before = copy.deepcopy((desired, observed))
    found = KIND.differences(KIND.canonical(desired), KIND.canonical(observed), {})
    assert (desired, observed) == before
    return [item.path for item in found]


SAME = {
    "account id": (policy({"AWS": "123456789012"}), policy({"AWS": "arn:aws:iam::123456789012:root"})),
    "everybody": (policy("*"), policy({"AWS": "*"})),
    "one action": (policy("*", "ecr:A"), policy("*", ["ecr:A"])),
    "order of actions": (policy("*", ["ecr:B", "ecr:A"]), policy("*", ["ecr:A", "ecr:B"])),
    "empty Sid": (policy("*", Sid=""), policy("*")),
    "order of rules": (lifecycle(rule(2), rule(1)), lifecycle(rule(1), rule(2))),
    "numbers as text": (lifecycle(rule(1, countNumber="5")), lifecycle(rule(1, countNumber=5))),
    "order of tags": (
        lifecycle(rule(1, tagPatternList=["b", "a"])),
        lifecycle(rule(1, tagPatternList=["a", "b"])),
    ),
    "empty list": (lifecycle(rule(1, tagPrefixList=[])), lifecycle(rule(1))),
    "no policy": ({"lifecyclePolicy": None, "repositoryPolicy": None}, {}),
    "filters": (
        {"imageTagMutabilityExclusionFilters": [{"filter": "b"}, {"filter": "a"}]},
        {"imageTagMutabilityExclusionFilters": [{"filter": "a"}, {"filter": "b"}]},
    ),
}


@pytest.mark.parametrize(("desired", "observed"), SAME.values(), ids=SAME)
def test_equal_forms_are_no_difference(desired, observed):
    assert differences(desired, observed) == []


def test_a_policy_that_is_declared_empty_goes():
    assert differences({"lifecyclePolicy": {}}, lifecycle(rule(1))) == ["lifecyclePolicy"]
    assert differences({"repositoryPolicy": {}}, policy("*")) == ["repositoryPolicy"]


def test_encryption_cannot_be_changed():
    kms = {"encryptionConfiguration": {"encryptionType": "KMS"}}
    (found,) = KIND.differences(kms, {"encryptionConfiguration": {"encryptionType": "AES256"}}, {})
    assert found.replaces
    assert KIND.holds_data


class Client:
    def __init__(self, error=None):
        self.calls, self.error = [], error

    def __getattr__(self, name):
        def call(**_arguments):
            self.calls.append(name)
            if self.error:
                raise self.error
            return {"tags": [], "lifecyclePolicyText": '{"rules":[]}', "policyText": '{"Statement":[]}'}

        return call

    def get_paginator(self, _name):
        repository = {
            "repositoryName": "web",
            "repositoryArn": "arn:web",
            "repositoryUri": "uri",
            "imageTagMutability": "MUTABLE",
        }
        other = {**repository, "repositoryName": "other"}
        return SimpleNamespace(paginate=lambda **_arguments: [{"repositories": [repository, other]}])


@pytest.mark.parametrize(
    ("declared", "calls"),
    [
        ({}, []),
        ({"imageTagMutability": "MUTABLE"}, ["list_tags_for_resource"]),
        ({"lifecyclePolicy": {}}, ["get_lifecycle_policy", "list_tags_for_resource"]),
        ({"repositoryPolicy": {}}, ["get_repository_policy", "list_tags_for_resource"]),
    ],
)
def test_only_what_is_declared_is_asked_for(declared, calls):
    client = Client()
    aws = SimpleNamespace(client=lambda _service: client)
    assert set(KIND.read(aws, [Wanted("web", {}, declared)])) == {"web"}
    assert client.calls == calls


def test_a_repository_with_images_says_what_to_do():
    error = ClientError({"Error": {"Code": "RepositoryNotEmptyException", "Message": ""}}, "DeleteRepository")
    aws = SimpleNamespace(client=lambda _service: Client(error))
    with pytest.raises(AwsError, match="force_delete: true"):
        KIND.delete(aws, Resource("ecr_repository", "web", {}), Observed("web", {}, {}))
