# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup state_output in a playbook."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art, terraform
from tests.integration.playbooks import play
from tests.integration.state_helpers import BUCKET, KEY, TABLE, make
from tests.integration.terraform import Terraform

PATHS = Paths(prefix="eu")
SETTING = {"bucket": BUCKET, "lock_table": TABLE, "prefix": "eu"}
THEIRS = "database/terraform.tfstate"


@pytest.fixture
def inventory(tmp_path):
    hosts = {"all": {"hosts": {"web": None, "platform": None}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    variables = {
        "dockyard_environment": "shop",
        "aws_region": "{{ region_of_all }}",
        "region_of_all": "us-east-1",
        "dockyard_remote_state": {**SETTING, "prefix": "{{ prefix_of_all }}"},
        "prefix_of_all": "eu",
        "ansible_connection": "local",
    }
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(yaml.safe_dump(variables))
    return tmp_path


def put(emulator, key, serial=1, **outputs):
    body = document.render(Document("l", serial, {name: Output(value) for name, value in outputs.items()}))
    emulator.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def looked_up(emulator, inventory, expressions, *arguments):
    """What each expression gave on each host; or the message of its failure."""
    tasks = [
        {"ansible.builtin.debug": {"msg": f"{{{{ {text} }}}}"}, "ignore_errors": True, "name": name}
        for name, text in expressions.items()
    ]
    playbook = inventory / "look.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    played = play(emulator, playbook, *arguments, inventory=inventory / "hosts.yml")
    assert played.results, played.text
    names = [name for name in expressions for _host in range(len(played.stats))]
    return {
        (name, host): result.get("msg") for name, (_action, host, result) in zip(names, played.results, strict=True)
    }


def lookup(*names, **options):
    given = [json.dumps(name) for name in names] + [f"{name}={json.dumps(value)}" for name, value in options.items()]
    return f"lookup('dockyard.aws.state_output', {', '.join(given)})".replace("true", "True")


def test_outputs_of_the_environment_and_of_anything_else(emulator, inventory):
    make(emulator)
    for host in ("web", "platform"):
        repositories = {host: {"uri": f"1234.dkr/{host}", "arn": "arn:1"}}
        put(emulator, PATHS.outputs("ecr", host), ecr_repository=repositories)
    put(emulator, THEIRS, endpoint="db.example.com")
    body = document.render(Document("l", 1, {"password": Output("hunter2", sensitive=True), "user": Output("jane")}))
    (inventory / "files").mkdir()
    (inventory / "files" / "terraform.tfstate").write_bytes(body)
    expressions = {
        "mine": lookup("ecr_repository", layer="ecr"),
        "another's part": lookup("ecr_repository.platform.uri", layer="ecr", host="platform"),
        "all": lookup(layer="ecr", host="web"),
        "by key": lookup("endpoint", key=THEIRS),
        "by bucket": lookup("endpoint", key=THEIRS, bucket=BUCKET, region="us-east-1", endpoint_url=emulator.url),
        "by url": lookup("endpoint", key=f"s3://{BUCKET}/{THEIRS}"),
        "by path": lookup("user", path="terraform.tfstate"),
        "default": lookup("nothing", key=THEIRS, default="none"),
        "no document": lookup("nothing", layer="network", default="none"),
        "asked for": lookup("password", path="terraform.tfstate", sensitive=True),
        "refused": lookup("password", path="terraform.tfstate", default="none"),
        "missing": lookup("nothing", key=THEIRS),
        "which": lookup("nothing"),
    }
    emulator.reset_calls()
    found = looked_up(emulator, inventory, expressions, "--forks", "1")
    reads = emulator.calls()["log"].count("s3:GetObject")
    for host in ("web", "platform"):
        mine = {name: message for (name, other), message in found.items() if other == host}
        assert mine["mine"] == {host: {"arn": "arn:1", "uri": f"1234.dkr/{host}"}}
        assert mine["another's part"] == "1234.dkr/platform"
        assert mine["all"] == {"ecr_repository": {"web": {"arn": "arn:1", "uri": "1234.dkr/web"}}}
        assert {mine[name] for name in ("by key", "by bucket", "by url")} == {"db.example.com"}
        assert (mine["by path"], mine["asked for"], mine["default"], mine["no document"]) == (
            "jane",
            "hunter2",
            "none",
            "none",
        )
        assert "sensitive=true" in mine["refused"] and "hunter2" not in mine["refused"]
        assert f"s3://{BUCKET}/{THEIRS} has no output 'nothing'; it has endpoint" in mine["missing"]
        assert "which document?" in mine["which"]
    # Once for each: two hosts in two layers, and one key named in three ways.
    assert reads == 7


def test_what_a_run_wrote_is_read_anew(emulator, tmp_path):
    """Looked up before and after the run in one ansible-playbook process."""
    folder = shutil.copytree(art.INVENTORY, tmp_path / "art")
    path = folder / "group_vars" / "all.yml"
    setting = {"bucket": "art-service-terraform-state", "lock_table": "art-service-terraform-locks"}
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "dockyard_remote_state": setting}))
    text = lookup("ecr_repository", layer="ecr", host=art.SERVICE, default="none")
    debug = {"ansible.builtin.debug": {"msg": f"{{{{ {text} }}}}"}, "run_once": True}
    roles = [{"ansible.builtin.import_role": {"name": f"dockyard.aws.{name}"}} for name in ("state_bucket", "ecr")]
    playbook = tmp_path / "both.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [debug, *roles, debug]}]))
    played = play(emulator, playbook, inventory=folder)
    assert played.code == 0, played.failed_messages()
    before, *_others, after = [result["msg"] for action, _host, result in played.results if action.endswith("debug")]
    assert before == "none" and set(after) == {"artservicesourcingdataservice"}


@terraform.needed
def test_a_document_that_terraform_wrote(emulator, inventory, tmp_path):
    make(emulator)
    outputs = 'output "names" {\n value = ["a", "b"]\n}\noutput "key" {\n value = "k"\n sensitive = true\n}\n'
    Terraform(tmp_path / "tf", terraform.backend(emulator.url, "dynamodb") + outputs).init().apply()
    expressions = {"part": lookup("names.1", key=KEY), "all": lookup(key=KEY), "key": lookup("key", key=KEY)}
    found = looked_up(emulator, inventory, expressions, "--limit", "web")
    assert (found["part", "web"], found["all", "web"]) == ("b", {"names": ["a", "b"]})
    assert "is sensitive" in found["key", "web"]
