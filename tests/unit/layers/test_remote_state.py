# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setting dockyard_remote_state: what it means, and that its documentation says so."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.doc_fragments.remote_state import ModuleDocFragment
from ansible_collections.dockyard.aws.plugins.module_utils.layers import remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths

DOCS = Path(__file__).resolve().parents[3] / "docs"
SETTINGS, STATE = (DOCS / "settings.md").read_text(), (DOCS / "state.md").read_text()


@pytest.mark.parametrize(
    ("given", "table", "use_lockfile"),
    [
        ({}, None, True),
        ({"lock": "s3"}, None, True),
        ({"lock_table": "t"}, "t", False),
        ({"lock_table": "t", "lock": "dynamodb"}, "t", False),
        ({"lock_table": "t", "lock": "both"}, "t", True),
    ],
)
def test_locks(given, table, use_lockfile):
    found = remote_state.of({"remote_state": {"bucket": "b", **given}})
    assert found is not None
    assert (found.backend.bucket, found.backend.table, found.backend.use_lockfile) == ("b", table, use_lockfile)
    assert found.lock_timeout == 0


@pytest.mark.parametrize(
    ("params", "folder"),
    [
        ({}, ".dockyard/state"),
        ({"base_dir": "/b"}, "/b/.dockyard/state"),
        ({"base_dir": "/b", "base_dirs": {"x": "/i/two", "y": "/i/one"}}, "/i/one/.dockyard/state"),
    ],
)
def test_the_folder_lies_with_the_inventory(params, folder):
    assert str(remote_state.of({"remote_state": {"bucket": "b"}, **params}).folder) == folder


def test_nothing_given_is_nothing_remembered():
    assert remote_state.of({}) is None and remote_state.of({"remote_state": None}) is None


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(PlanError) as caught:
        remote_state.of({"remote_state": {"bucket": "", "lock": "both", "lock_timeout": -1, "prefix": "//"}})
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ({}, {}),
        ({"encrypt": False}, {}),
        ({"encrypt": True}, {"ServerSideEncryption": "AES256"}),
        ({"encrypt": True, "kms_key_id": "k"}, {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}),
    ],
)
def test_encryption_is_asked_for_as_terraform_does(given, headers):
    assert remote_state.of({"remote_state": {"bucket": "b", **given}}).backend.encryption == headers


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kms_key_id": "k"}, "has no effect without encrypt"),
        ({"bucket_owner": "1234"}, "bucket_owner is '1234'; it is the id of an AWS account"),
    ],
)
def test_headers_that_cannot_be_meant_are_refused(given, message):
    with pytest.raises(PlanError, match=message):
        remote_state.of({"remote_state": {"bucket": "b", **given}})


@pytest.mark.parametrize(
    ("region", "declared", "refused"),
    [
        (None, "b", False),
        ("eu-west-1", "b", False),
        ("us-east-1", "b", True),
        ("us-east-1", "other", False),
    ],
)
def test_a_bucket_that_is_made_here_is_not_looked_for_in_another_region(region, declared, refused):
    setting = remote_state.of({"remote_state": {"bucket": "b", "region": region}})
    assert setting.backend.region == region
    with (
        pytest.raises(PlanError, match="region is 'us-east-1', and state_bucket makes b in eu-west-1")
        if refused
        else (nullcontext())
    ):
        remote_state.check_region(setting, "eu-west-1", {Address("s3_bucket", declared)})


def test_the_options_are_those_of_the_documentation():
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["remote_state"]["suboptions"]
    bare = {name: {k: v for k, v in option.items() if k != "description"} for name, option in documented.items()}
    options = remote_state.ARGUMENT_SPEC["options"]
    assert bare == {name: {k: v for k, v in spec.items() if k != "no_log"} for name, spec in options.items()}
    assert [name for name in bare if f"| `{name}` |" not in SETTINGS] == []


def test_the_places_of_documents_are_those_of_the_documentation():
    paths = Paths()
    rows = [
        f"| `{layer}` | `{paths.memory(layer)}` | `{paths.outputs(layer, 'host').replace('/host/', '/<host>/')}` |"
        for layer in LAYERS
    ]
    assert [row for row in rows if row not in STATE] == []
