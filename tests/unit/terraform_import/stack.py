# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small Terraform states, and what an import makes of them."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.convert import Conversion, convert

ACCOUNT, REGION = "123456789012", "us-east-1"


def arn(service: str, rest: str) -> str:
    region = "" if service in ("iam", "s3") else REGION
    account = "" if service == "s3" else ACCOUNT
    return f"arn:aws:{service}:{region}:{account}:{rest}"


def resource(kind: str, name: str, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A resource of a state with one instance; more: mode, module, index_key, sensitive."""
    instance: dict[str, Any] = {
        "attributes": attributes,
        "sensitive_attributes": [[{"type": "get_attr", "value": item}] for item in more.pop("sensitive", ())],
    }
    if "index_key" in more:
        instance["index_key"] = more.pop("index_key")
    return {"mode": "managed", "type": kind, "name": name, "instances": [instance], **more}


def state(*resources: dict[str, Any], **more: Any) -> str:
    return json.dumps({"version": 4, "terraform_version": "1.11.4", "resources": list(resources), **more})


class Imported:
    """What an import made: declarations by host and layer, task definitions, the report."""

    def __init__(self, *resources: dict[str, Any], states: dict[str, str] | None = None) -> None:
        self.conversion: Conversion = convert(states or {"terraform.tfstate": state(*resources)}, "shop")
        self.files, self.report = self.conversion.files, self.conversion.report

    def yaml(self, path: str) -> Any:
        return yaml.safe_load(self.files[path])

    def declared(self, layer: str, host: str = "shop") -> Any:
        return self.yaml(f"host_vars/{host}/{layer}.yml")[layer]

    def hosts(self) -> list[str]:
        groups = self.yaml("hosts.yml")["all"]["children"]
        return [host for group in groups.values() for host in group["hosts"]]

    def unmapped(self) -> dict[str, str]:
        return {item.address: item.message for item in self.report.unmapped}

    def left(self) -> set[tuple[str, str]]:
        return {(item.address, item.about) for item in self.report.attributes}

    def changes(self) -> set[tuple[str, str]]:
        return {(item.address, item.about) for item in self.report.changes}

    def validate(self, folder: Any) -> list[str]:
        """The addresses of what the inventory means; fails where a layer finds something wrong with it."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        declared: dict[str, dict[str, Any]] = {}
        for path in self.files:
            if path.startswith("host_vars/"):
                _vars, host, name = path.split("/")
                layer = name.removesuffix(".yml")
                declared.setdefault(layer, {})[host] = self.declared(layer, host)
        everything = self.yaml("group_vars/all.yml")
        parameters = {
            "declared": declared,
            "environment_name": "shop",
            "account_id": ACCOUNT,
            "region": REGION,
            "tags": everything.get("dockyard_tags"),
            "base_dir": str(folder),
        }
        return [str(item.address) for item in running.validate(parameters)]


def vpc(**more: Any) -> dict[str, Any]:
    attributes = {"id": "vpc-1", "arn": arn("ec2", "vpc/vpc-1"), "cidr_block": "10.0.0.0/16"}
    attributes |= {"enable_dns_support": True, "enable_dns_hostnames": True, "instance_tenancy": "default"}
    return resource("aws_vpc", "main", attributes | {"tags_all": {"Name": "main"}} | more)


def subnet(letter: str, **more: Any) -> dict[str, Any]:
    number = ord(letter) - ord("a")
    attributes = {
        "id": f"subnet-{letter}",
        "arn": arn("ec2", f"subnet/subnet-{letter}"),
        "vpc_id": "vpc-1",
        "cidr_block": f"10.0.{number}.0/24",
        "availability_zone": f"us-east-1{letter}",
        "map_public_ip_on_launch": False,
        "tags_all": {"Name": f"main-{letter}"},
    }
    return resource("aws_subnet", letter, attributes | more)


def group(name: str, **more: Any) -> dict[str, Any]:
    attributes = {"id": f"sg-{name}", "arn": arn("ec2", f"security-group/sg-{name}"), "vpc_id": "vpc-1", "name": name}
    return resource("aws_security_group", name, {**attributes, "description": "Managed by Terraform", **more})
