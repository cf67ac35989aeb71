# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mapping from layers and hosts to keys."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import FOLDERS, Paths, Place

HOSTS = [
    "art",
    "art-service-sourcing-data-service",
    "Art",
    "a.b",
    ".",
    "..",
    "a/b",
    "a%2Fb",
    "%2E",
    "blank in it",
    "größe",
    "terraform.tstate",
    "terraform.tstate.tflock",
    "terraform.tstat",
    "%74erraform.tstate",
    "terraform.tstate-md5",
]
EXPECTED = [
    ("state_bucket", "", "s3/state-buckets/terraform.tstate"),
    ("state_bucket", "art", "s3/state-buckets/art/terraform.tstate"),
    ("iam", "art", "iam/roles-and-policies/art/terraform.tstate"),
    ("network", "art", "vpc/networks/art/terraform.tstate"),
    ("ecr", "", "ecs/ecr-repositories/terraform.tstate"),
    (
        "ecr",
        "art-service-sourcing-data-service",
        "ecs/ecr-repositories/art-service-sourcing-data-service/terraform.tstate",
    ),
    ("alb", "art", "elb/load-balancers/art/terraform.tstate"),
    ("autoscaling", "art", "ec2/autoscaling-groups/art/terraform.tstate"),
    ("ecs", "art", "ecs/services/art/terraform.tstate"),
]


@pytest.mark.parametrize(("layer", "host", "key"), EXPECTED)
def test_the_table(layer, host, key):
    assert Paths().of(Place(layer, host)) == key


def test_every_layer_has_a_place_of_its_own():
    assert set(FOLDERS) == set(LAYERS)
    assert len(set(FOLDERS.values())) == len(FOLDERS)
    assert all(len(folder.split("/")) == 2 for folder in FOLDERS.values())


@pytest.mark.parametrize("paths", [Paths(), Paths("art"), Paths("teams/art", "state.json")], ids=str)
def test_the_mapping_is_injective_and_has_an_inverse(paths):
    places = [Place(layer, host) for layer, host in itertools.product(FOLDERS, ["", *HOSTS])]
    keys = [paths.of(place) for place in places]
    assert len(set(keys)) == len(keys)
    assert [paths.place_of(key) for key in keys] == places
    parts = [part for key in keys for part in key.split("/")]
    assert not {"", ".", ".."} & set(parts)
    # What a lock, a digest or a file system could take for something else.
    folders = {"/".join(key.split("/")[:end]) for key in keys for end in range(1, key.count("/") + 1)}
    objects = {key + suffix for key in keys for suffix in ("", ".tflock", "-md5")}
    assert len(objects) == 3 * len(keys)
    assert not folders & objects


@pytest.mark.parametrize(
    "key",
    [
        "ecs/ecr-repositories/terraform.tfstate",
        "ecs/ecr-repositories/terraform.tstate.tflock",
        "ecs/ecr-repositories/a/b/terraform.tstate",
        "ecs/other/terraform.tstate",
        "ecs/ecr-repositories/%61rt/terraform.tstate",
        "terraform.tstate",
        "other/ecs/ecr-repositories/terraform.tstate",
        "",
    ],
)
def test_other_objects_stand_for_nothing(key):
    assert Paths().place_of(key) is None


@pytest.mark.parametrize("prefix", ["/art", "art/", "a//b", "../art", "a/./b", "a b", "/"])
def test_bad_prefixes(prefix):
    with pytest.raises(StateError, match="state prefix") as caught:
        Paths(prefix)
    assert repr(prefix) in str(caught.value)


@pytest.mark.parametrize("name", ["", "a/b", ".", "..", "x.tflock", "x-md5", "a b"])
def test_bad_file_names(name):
    with pytest.raises(StateError, match="state file name"):
        Paths(file_name=name)


def test_what_has_no_place():
    with pytest.raises(StateError, match="'waf' has no place.*state_bucket, iam"):
        Paths().memory("waf")
    with pytest.raises(StateError, match="name of a host"):
        Paths().outputs("ecr", "")
    with pytest.raises(StateError, match="too long"):
        Paths().outputs("ecr", "x" * 1000)
