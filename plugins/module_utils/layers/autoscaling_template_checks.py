# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with launch templates of the layer `autoscaling`, found without AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.user_data import user_data

Complaints = Iterator[tuple[str, str]]

TEMPLATE_NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")
CLUSTER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,254}")
INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|\d*xlarge|metal(-[a-z0-9]+)?)")
IMAGE_ID = re.compile(r"ami-([0-9a-f]{8}|[0-9a-f]{17})")
PARAMETER = re.compile(r"(/[A-Za-z0-9_.-]+)+|[A-Za-z0-9_.-]+")
ECS_AMAZON_LINUX = re.compile(r"/aws/service/ecs/optimized-ami/amazon-linux-")
ARM_TYPE = re.compile(r"(a1|[a-z]+\d+g[a-z]*)\.")
SETTING = re.compile(r"[A-Z][A-Z0-9_]*")
SHEBANG = re.compile(r"#!\s*(/usr)?/bin/(env +)?(ba|da)?sh\b")
PRICE = re.compile(r"\d+(\.\d+)?")
ROOT_GIB = 30
USER_DATA_BYTES = 16 * 1024
# Volume type -> operations per second that it may be given.
IOPS = {"gp3": (3000, 80_000), "io1": (100, 64_000), "io2": (100, 256_000)}
SIZES = {"gp3": (1, 65_536), "io1": (4, 16_384), "io2": (4, 65_536), "st1": (125, 16_384), "sc1": (125, 16_384)}
OTHER_SIZES = (1, 16_384)
THROUGHPUT = (125, 2000)


def complaints(template: Mapping[str, Any]) -> Complaints:
    """The path below the launch template, and what is wrong there."""
    if not TEMPLATE_NAME.fullmatch(template["name"]):
        yield "name", f"must have 3 to 128 letters, digits and ( ) . - / _, got {template['name']!r}"
    if template["name"].startswith("lt-"):
        yield "name", f"must not begin with lt-, which is how ids of launch templates begin, got {template['name']!r}"
    yield from _image(template["ami"])
    yield from _instance_type(template)
    yield from _requirements(template["instance_requirements"])
    if not template["security_groups"]:
        yield "security_groups", "must name at least one security group"
    yield from _cluster(template)
    yield from _user_data(template)
    hops = template["metadata_options"]["http_put_response_hop_limit"]
    if not 1 <= hops <= 64:
        yield "metadata_options.http_put_response_hop_limit", f"must be between 1 and 64, got {hops}"
    for mapping in template["block_device_mappings"] or ():
        yield from _volume(mapping, template)
    price = (template["instance_market_options"] or {}).get("max_price")
    if price and not PRICE.fullmatch(price):
        yield "instance_market_options.max_price", f"must be a price per hour in US dollars such as 0.05, got {price!r}"


def bad_instance_type(value: str) -> str:
    return f"must be an instance type such as t3.small, got {value!r}"


def _image(ami: Mapping[str, Any]) -> Complaints:
    if bool(ami["image_id"]) == bool(ami["ssm_parameter"]):
        given = "both are" if ami["image_id"] else "neither is"
        yield "ami", f"needs either image_id or ssm_parameter, {given} given"
    if ami["image_id"] and not IMAGE_ID.fullmatch(ami["image_id"]):
        yield "ami.image_id", f"must be ami- with 8 or 17 hexadecimal digits, got {ami['image_id']!r}"
    path = ami["ssm_parameter"]
    if path and not PARAMETER.fullmatch(path):
        yield "ami.ssm_parameter", f"must be the path of an SSM parameter, beginning with a slash, got {path!r}"
    elif path and ECS_AMAZON_LINUX.match(path) and not path.endswith("/image_id"):
        yield "ami.ssm_parameter", f"must end with /image_id, because {path!r} has more than the AMI's id"
    if ami["follow"] and ami["image_id"]:
        yield "ami.follow", "needs ssm_parameter: an image_id never changes by itself"


def _instance_type(template: Mapping[str, Any]) -> Complaints:
    kind, path = template["instance_type"], template["ami"]["ssm_parameter"] or ""
    if bool(kind) == bool(template["instance_requirements"]):
        given = "both are" if kind else "neither is"
        yield "instance_type", f"either instance_type or instance_requirements is needed, {given} given"
    if not kind:
        return
    if not INSTANCE_TYPE.fullmatch(kind):
        yield "instance_type", bad_instance_type(kind)
        return
    is_arm = bool(ARM_TYPE.match(kind))
    if ECS_AMAZON_LINUX.match(path) and is_arm != ("/arm64/" in path):
        needed, has = ("arm64", "x86_64") if is_arm else ("x86_64", "arm64")
        yield "instance_type", f"{kind} needs an AMI for {needed}, and {path} is for {has}"
    burstable = kind.startswith("t") and not kind.startswith("trn")
    if template["credit_specification"] and not burstable:
        yield "credit_specification", f"is for burstable (T) instance types, got {kind}"


def _requirements(requirements: Mapping[str, Any] | None) -> Complaints:
    for name in ("vcpu_count", "memory_mib"):
        limits = (requirements or {}).get(name) or {}
        if limits and limits["max"] is not None and limits["max"] < limits["min"]:
            yield f"instance_requirements.{name}", f"max ({limits['max']}) is less than min ({limits['min']})"
    if requirements and requirements["allowed_instance_types"] and requirements["excluded_instance_types"]:
        yield "instance_requirements", "allowed_instance_types and excluded_instance_types cannot both be given"


def _cluster(template: Mapping[str, Any]) -> Complaints:
    cluster, path = template["cluster"], template["ami"]["ssm_parameter"] or ""
    if template["ecs_config"] and not cluster:
        yield "ecs_config", "needs cluster"
    for name, value in (template["ecs_config"] or {}).items():
        if name == "ECS_CLUSTER":
            yield "ecs_config", "ECS_CLUSTER is written from cluster"
        elif not SETTING.fullmatch(str(name)):
            yield "ecs_config", f"{name!r} is no setting of the ECS agent: these are in capital letters"
        elif isinstance(value, str) and "\n" in value:
            yield f"ecs_config.{name}", "must be one line"
    if not cluster:
        return
    if not CLUSTER_NAME.fullmatch(cluster):
        yield "cluster", f"must be a cluster's name of letters, digits, hyphens and underscores, got {cluster!r}"
    if "bottlerocket" in path or "windows" in path:
        yield "cluster", f"is written with a shell script, which {path} does not run: set it in user_data"
    if not template["instance_profile"]:
        yield "instance_profile", "is needed, because the ECS agent joins the cluster with its role"


def _user_data(template: Mapping[str, Any]) -> Complaints:
    own = template["user_data"]
    first = (own or "").lstrip().split("\n", 1)[0]
    if template["cluster"] and first.startswith(("#cloud-config", "MIME-Version", "Content-Type", "<powershell>")):
        yield "user_data", f"must be a shell script together with cluster, begins with {first!r}"
    if template["cluster"] and first.startswith("#!") and not SHEBANG.match(first):
        yield "user_data", f"runs in bash after the ECS settings, so that {first!r} would not take effect"
    text = user_data(template["cluster"], template["ecs_config"], own)
    size = len((text or "").encode())
    if size > USER_DATA_BYTES:
        yield "user_data", f"comes to {size} bytes with the ECS settings, EC2 allows {USER_DATA_BYTES}"


def _volume(mapping: Mapping[str, Any], template: Mapping[str, Any]) -> Complaints:
    path, ebs = f"block_device_mappings[{mapping['device_name']}]", mapping["ebs"]
    if not mapping["device_name"].startswith(("/dev/", "xvd")):
        yield f"{path}.device_name", f"must be a device such as /dev/xvda, got {mapping['device_name']!r}"
    size, kind = ebs["volume_size"], ebs["volume_type"]
    least, most = SIZES.get(kind, OTHER_SIZES)
    if size is None and not ebs["snapshot_id"] and mapping["device_name"] != "/dev/xvda":
        yield f"{path}.ebs.volume_size", "is needed, because there is no snapshot that has a size"
    if size is not None and not least <= size <= most:
        yield f"{path}.ebs.volume_size", f"must be between {least} and {most} GiB for {kind}, got {size}"
    elif size is not None and size < ROOT_GIB and _is_root(mapping, template):
        yield f"{path}.ebs.volume_size", f"must be at least {ROOT_GIB} GiB, the size of the AMI's snapshot, got {size}"
    yield from _performance(path, ebs)


def _is_root(mapping: Mapping[str, Any], template: Mapping[str, Any]) -> bool:
    ecs_ami = ECS_AMAZON_LINUX.match(template["ami"]["ssm_parameter"] or "")
    return bool(ecs_ami) and mapping["device_name"] == "/dev/xvda"


def _performance(path: str, ebs: Mapping[str, Any]) -> Complaints:
    kind, iops, throughput = ebs["volume_type"], ebs["iops"], ebs["throughput"]
    if iops is not None:
        if kind not in IOPS:
            yield f"{path}.ebs.iops", f"can be given for {', '.join(IOPS)} volumes, got {kind}"
        elif not IOPS[kind][0] <= iops <= IOPS[kind][1]:
            yield f"{path}.ebs.iops", f"must be between {IOPS[kind][0]} and {IOPS[kind][1]} for {kind}, got {iops}"
    elif kind in ("io1", "io2"):
        yield f"{path}.ebs.iops", f"is needed for {kind} volumes"
    if throughput is not None and kind != "gp3":
        yield f"{path}.ebs.throughput", f"can be given for gp3 volumes, got {kind}"
    elif throughput is not None and not THROUGHPUT[0] <= throughput <= THROUGHPUT[1]:
        yield f"{path}.ebs.throughput", f"must be between {THROUGHPUT[0]} and {THROUGHPUT[1]} MiB/s, got {throughput}"
    if ebs["kms_key_id"] and not ebs["encrypted"]:
        yield f"{path}.ebs.kms_key_id", "needs encrypted: true"
