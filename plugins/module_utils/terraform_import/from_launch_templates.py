# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.autoscaling import ROOT_VOLUME
from ansible_collections.dockyard.aws.plugins.module_utils.layers.autoscaling_checks import ECS_AMAZON_LINUX
from ansible_collections.dockyard.aws.plugins.module_utils.layers.user_data import user_data
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sensitive import secrets_in
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.names import NAME_TAG
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.report import Remark
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import (
    Fields,
    fields,
    flag,
    given,
    number,
)

NO_TEXT = "is no text (compressed for cloud-init, as a rule): it is left as it is; write it as text to have it declared"
PLAIN: Fields = {"instance_type": ("instance_type", ""), "key_name": ("key_name", "")}
METADATA: Fields = {
    name: (name, "")
    for name in ("http_endpoint", "http_tokens", "http_put_response_hop_limit", "instance_metadata_tags")
}
EBS: Fields = {name: (name, "") for name in ("volume_type", "kms_key_id", "snapshot_id")}


def launch_template(stack: Stack, template: Thing) -> dict[str, Any]:
    """A launch template's options."""
    interface = template.block("network_interfaces")
    groups = interface.get("security_groups") or template.get("vpc_security_group_ids")
    interface.skip("device_index", "delete_on_termination", "network_card_index")
    profile = template.block("iam_instance_profile")
    ami = _ami(stack, template)
    options: dict[str, Any] = {
        "name": template.get("name"),
        "ami": ami,
        **fields(template, PLAIN),
        "instance_profile": profile.get("name") or _profile(stack, profile.get("arn"), template),
        "security_groups": stack.names.refs("aws_security_group", groups, template),
        "associate_public_ip_address": flag(interface.get("associate_public_ip_address")),
        "metadata_options": _metadata(stack, template),
        "block_device_mappings": _volumes(template, ami),
        "monitoring": flag(template.block("monitoring").get("enabled")),
        "ebs_optimized": flag(template.get("ebs_optimized")),
        **_user_data(stack, template),
        "instance_tags": _instance_tags(stack, template),
        "tags": stack.tags(template),
    }
    if credits := template.block("credit_specification").get("cpu_credits"):
        options["credit_specification"] = {"cpu_credits": credits}
    market = template.block("instance_market_options")
    if market.get("market_type"):
        price = market.block("spot_options").get("max_price")
        options["instance_market_options"] = given({"market_type": market.get("market_type"), "max_price": price})
    if requirements := _requirements(template):
        options["instance_requirements"] = requirements
    if template.attributes.get("default_version") != template.attributes.get("latest_version"):
        stack.will_change(template, "default_version", "the layer makes the latest version the default one")
    return options


def _ami(stack: Stack, template: Thing) -> dict[str, Any]:
    """By the public parameter, where the stack read it from there."""
    image = str(template.get("image_id") or "")
    if image.startswith("resolve:ssm:"):
        return {"ssm_parameter": image.removeprefix("resolve:ssm:")}
    for item in stack.data:
        if item.type == "aws_ssm_parameter" and image and image == item.attributes.get("insecure_value"):
            return {"ssm_parameter": item.attributes["name"]}
    return {"image_id": image}


def _profile(stack: Stack, arn: Any, by: Thing) -> str | None:
    return stack.names.ref("aws_iam_instance_profile", arn, by) if arn else None


def _metadata(stack: Stack, template: Thing) -> dict[str, Any]:
    options = fields(template.block("metadata_options"), METADATA)
    if not options:
        stack.will_change(template, "metadata_options", "none in the state; the layer sets them, IMDSv2 by default")
    return options


def _volumes(template: Thing, ami: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    found = [_volume(item) for item in template.blocks("block_device_mappings")]
    by_default = bool(ECS_AMAZON_LINUX.match(str(ami.get("ssm_parameter", ""))))
    usual = {"device_name": ROOT_VOLUME["DeviceName"], "ebs": {"volume_size": 30}}
    if by_default:
        return None if found == [usual] else found
    return found or None


def _volume(mapping: Block) -> dict[str, Any]:
    ebs = mapping.block("ebs")
    options = {
        "volume_size": number(ebs.get("volume_size")),
        **fields(ebs, EBS),
        "iops": number(ebs.get("iops")) or None,
        "throughput": number(ebs.get("throughput")) or None,
    }
    switches = {name: flag(ebs.get(name)) for name in ("encrypted", "delete_on_termination")}
    # Both are on unless it is said otherwise.
    options |= {name: bool(value) for name, value in switches.items() if not value}
    short = {name: value for name, value in given(options).items() if (name, value) != ("volume_type", "gp3")}
    return {"device_name": mapping.get("device_name"), "ebs": short}


def _requirements(template: Thing) -> dict[str, Any]:
    block = template.block("instance_requirements")
    if "vcpu_count" not in block:
        return {}
    ranges = {name: block.block(name) for name in ("vcpu_count", "memory_mib")}
    result: dict[str, Any] = {
        name: given({"min": item.get("min"), "max": item.get("max")}) for name, item in ranges.items()
    }
    lists = ("cpu_manufacturers", "instance_generations", "allowed_instance_types", "excluded_instance_types")
    plain = ("burstable_performance", "bare_metal")
    return result | given({name: block.get(name) for name in (*lists, *plain)})


def _user_data(stack: Stack, template: Thing) -> dict[str, Any]:
    """Where it is what the layer writes for a cluster, the cluster's name says it all."""
    encoded = template.get("user_data")
    if not encoded:
        return {}
    try:
        text = base64.b64decode(encoded).decode("utf-8")
    except UnicodeDecodeError:
        stack.report.attributes.append(Remark(template.address, "user_data", NO_TEXT))
        return {}
    if "user_data" in template.sensitive or list(secrets_in({"user_data": text})):
        name, host = str(template.attributes["name"]), stack.hosts.of(template)
        where = f"autoscaling.launch_templates[{name}].user_data"
        return {"user_data": stack.secret(template, "user_data", host, where, name, "user_data")}
    for cluster in stack.of("aws_ecs_cluster"):
        name = str(cluster.attributes["name"])
        start = user_data(name, None, None) or ""
        if text == start:
            return {"cluster": name}
        if text.startswith(start):
            return {"cluster": name, "user_data": text.removeprefix(start)}
    return {"user_data": text}


def _instance_tags(stack: Stack, template: Thing) -> dict[str, str] | None:
    """The layer tags instances and volumes alike, with the environment's tags and the template's name."""
    tagged = {
        str(item.get("resource_type")): dict(item.get("tags") or {}) for item in template.blocks("tag_specifications")
    }
    common = {NAME_TAG: template.attributes["name"], **stack.environment.tags}
    instance = tagged.get("instance", {})
    own = {key: value for key, value in instance.items() if common.get(key) != value}
    if tagged != {kind: {**common, **own} for kind in ("instance", "volume")}:
        message = "the layer tags instances and volumes alike, with their template's name and the environment's tags"
        stack.will_change(template, "tag_specifications", message)
    return own or None
