# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a declaration of the layer `network`; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.resources import ec2_default, ec2_rules

Options = Mapping[str, Any]
Found = tuple[str, str]

LARGEST, SMALLEST = 16, 28
NAME_TEXT = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+")
NAME_CHARACTERS = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"
SUFFIX_LENGTH = 7
LONGEST_TEXT = 255
LONGEST_TAG = 256
DESTINATIONS = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")
TARGETS = {
    "internet_gateway": "",
    "nat_gateway": "",
    "gateway_id": "vgw-",
    "transit_gateway_id": "tgw-",
    "vpc_peering_connection_id": "pcx-",
    "vpc_endpoint_id": "vpce-",
    "network_interface_id": "eni-",
    "egress_only_internet_gateway_id": "eigw-",
}
PROTOCOLS = ("tcp", "udp", "icmp", "icmpv6", "-1")
SOURCES = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")


DEFAULT_SUBNETS = 2
MOST_DEFAULT_SUBNETS = 26
# What would be made in a VPC.
MADE = ("internet_gateway", "subnets", "route_tables")


def vpc_name(options: Options) -> str:
    """The name of the VPC; empty where a declaration lacks it."""
    return ec2_default.VPC if options["vpc"]["default"] else str(options["vpc"]["name"] or "")


def default_subnets(options: Options) -> int:
    """How many default subnets are counted on."""
    if not options["vpc"]["default"]:
        return 0
    number = options["default_subnets"]
    return DEFAULT_SUBNETS if number is None else int(number)


def problems(options: Options, region: str) -> Iterator[Found]:
    """Each problem: the variable and what is wrong with it."""
    if options["vpc"]["default"]:
        yield from _default_vpc(options)
    else:
        if options["default_subnets"] is not None:
            yield "network.default_subnets", "needs network.vpc.default: true"
        yield from _vpc(options["vpc"])
    yield from _names(options)
    yield from _subnets(options, region)
    yield from _nat(options)
    for table in options["route_tables"]:
        yield from _route_table(table)
    yield from _associations(options["route_tables"])
    for group in options["security_groups"]:
        yield from _group(group, options["rules_per_security_group"])


def warnings(options: Options) -> Iterator[Found]:
    """What is allowed and has no effect, or another than one would expect."""
    if options["nat"] != "none" and all(subnet["public"] for subnet in options["subnets"]):
        yield "network.nat", f"is {options['nat']}, but no private subnet is declared, so no NAT gateway is made"
    ours = not (options["vpc"]["existing"] or options["vpc"]["default"])
    if ours and options["vpc"]["enable_dns_hostnames"] is False:
        yield "network.vpc.enable_dns_hostnames", "is off: private DNS names of VPC endpoints will not work"


def destination(route: Options) -> str:
    """Where a route leads to, as AWS writes it."""
    value = next((str(route[name]) for name in DESTINATIONS if route[name]), "")
    parsed, _message = network(value)
    return value if parsed is None else str(parsed)


def network(block: str, version: int = 0) -> tuple[IPv4Network | IPv6Network | None, str]:
    """A CIDR block, or what is wrong with it."""
    try:
        parsed = ip_network(block, strict=False)
    except ValueError:
        example = "2001:db8::/32" if version == 6 else "10.0.0.0/16"
        return None, f"{block!r} is no CIDR block; write it like {example}"
    if "/" not in block:
        return None, f"{block!r} has no prefix length; for one address write {parsed}"
    if version and parsed.version != version:
        return None, f"{block!r} is an IPv{parsed.version} CIDR block, wanted is IPv{version}"
    if parsed.network_address != ip_network(block.partition("/")[0]).network_address:
        return None, f"{block!r} has host bits set; did you mean {parsed}?"
    return parsed, ""


def _sized(block: str, where: str) -> Iterator[Found]:
    parsed, message = network(block, 4)
    if parsed is None:
        yield where, message
    elif not LARGEST <= parsed.prefixlen <= SMALLEST:
        yield where, f"{block} has a prefix length of /{parsed.prefixlen}; AWS allows /{LARGEST} to /{SMALLEST}"


def _default_vpc(options: Options) -> Iterator[Found]:
    """Nothing of it is ours, so nothing of it can be declared."""
    vpc, where = options["vpc"], "network.vpc"
    if vpc["name"] not in (None, ec2_default.VPC):
        yield f"{where}.name", f"the default VPC has the name {ec2_default.VPC!r}, got {vpc['name']!r}"
    for name in ("cidr_block", "secondary_cidr_blocks", "instance_tenancy", "tags"):
        if vpc[name] is not None:
            yield f"{where}.{name}", "cannot be given with default: true, which only refers to the default VPC"
    for name in MADE:
        if options[name]:
            yield f"network.{name}", "cannot be given with vpc.default: true: only security groups are made there"
    if options["nat"] != "none":
        yield "network.nat", "cannot be given with vpc.default: true: only security groups are made there"
    number = options["default_subnets"]
    if number is not None and not 0 <= number <= MOST_DEFAULT_SUBNETS:
        yield "network.default_subnets", f"must be between 0 and {MOST_DEFAULT_SUBNETS}, got {number}"


def _vpc(vpc: Options) -> Iterator[Found]:
    where = "network.vpc"
    if vpc["name"] is None:
        yield f"{where}.name", "is required, unless default: true refers to the region's default VPC"
        return
    if vpc["name"] == ec2_default.VPC and not vpc["existing"]:
        yield f"{where}.name", f"{ec2_default.VPC!r} means the region's default VPC; choose another name"
    if vpc["existing"]:
        for name in ("cidr_block", "secondary_cidr_blocks", "instance_tenancy", "tags"):
            if vpc[name] is not None:
                yield f"{where}.{name}", f"cannot be given with existing: true, which only refers to {vpc['name']!r}"
        return
    if re.fullmatch(r"vpc-[0-9a-f]+", vpc["name"]):
        yield f"{where}.name", f"{vpc['name']!r} is an id; give a name, or existing: true to refer to that VPC"
    if vpc["cidr_block"] is None:
        yield f"{where}.cidr_block", "is required, unless existing: true refers to a VPC that is there already"
        return
    yield from _sized(vpc["cidr_block"], f"{where}.cidr_block")
    blocks = [vpc["cidr_block"], *(vpc["secondary_cidr_blocks"] or ())]
    for block in blocks[1:]:
        yield from _sized(block, f"{where}.secondary_cidr_blocks")
    for one, other in _overlaps(blocks):
        yield f"{where}.secondary_cidr_blocks", f"{other} overlaps with {one}"
    if vpc["enable_dns_hostnames"] and not vpc["enable_dns_support"]:
        yield f"{where}.enable_dns_hostnames", "true needs enable_dns_support: true"


def _overlaps(blocks: Sequence[str]) -> Iterator[tuple[str, str]]:
    parsed = [(block, net) for block in blocks if (net := network(block, 4)[0]) is not None]
    for (one, first), (other, second) in combinations(parsed, 2):
        if first.overlaps(second):
            yield one, other


def _names(options: Options) -> Iterator[Found]:
    """Names are tags and must be different within a kind, those of automatic route tables included."""
    vpc, gateway = vpc_name(options), options["internet_gateway"]
    named = {
        "network.vpc.name": [vpc] if vpc else [],
        "network.internet_gateway.name": [gateway["name"]] if gateway else [],
        **{
            f"network.{key}": [item["name"] for item in options[key]]
            for key in ("subnets", "route_tables", "security_groups")
        },
    }
    for where, names in named.items():
        for name, count in Counter(names).items():
            if not name.strip() or len(name) > LONGEST_TAG:
                yield where, f"the name {name!r} must have 1 to {LONGEST_TAG} characters"
            if count > 1:
                yield where, f"the name {name!r} is given {count} times"
    for key, prefix in {"subnets": "subnet-", "route_tables": "rtb-"}.items():
        for item in options[key]:
            if re.fullmatch(rf"{prefix}[0-9a-f]+", item["name"]):
                yield f"network.{key}", f"the name {item['name']!r} looks like an id of AWS; choose another one"
    for item in options["subnets"]:
        if ec2_default.is_default_subnet(item["name"]):
            yield "network.subnets", f"the name {item['name']!r} means a default subnet; choose another one"
    yield from _automatic_tables(options)


def _automatic_tables(options: Options) -> Iterator[Found]:
    vpc = vpc_name(options)
    named = {name for table in options["route_tables"] for name in table["subnets"]}
    automatic = [item for item in options["subnets"] if item["name"] not in named]
    tables = {f"{vpc}-public"} if any(item["public"] for item in automatic) else set()
    private = [item for item in automatic if not item["public"]]
    if options["nat"] == "single" and private:
        tables.add(f"{vpc}-private")
    if options["nat"] == "one_per_zone":
        tables |= {f"{vpc}-private-{item['availability_zone']}" for item in private}
    for table in options["route_tables"]:
        if table["name"] in tables:
            yield (
                f"network.route_tables[{table['name']}]",
                "has the name of the automatic route table; name all of its subnets here, or choose another name",
            )


def _subnets(options: Options, region: str) -> Iterator[Found]:
    vpc = options["vpc"]
    blocks = [vpc["cidr_block"], *(vpc["secondary_cidr_blocks"] or ())] if vpc["cidr_block"] else []
    around = [net for block in blocks if (net := network(block, 4)[0]) is not None]
    for subnet in options["subnets"]:
        where = f"network.subnets[{subnet['name']}]"
        yield from _sized(subnet["cidr_block"], f"{where}.cidr_block")
        net = network(subnet["cidr_block"], 4)[0]
        if net is not None and around and not any(net.subnet_of(outer) for outer in around):  # type: ignore[arg-type]
            yield f"{where}.cidr_block", f"{net} is outside the VPC's {', '.join(str(outer) for outer in around)}"
        zone = subnet["availability_zone"]
        if region and not re.fullmatch(rf"{re.escape(region)}(-[a-z]+-\d+)?[a-z]", zone):
            yield f"{where}.availability_zone", f"{zone!r} is no zone of the region {region}, such as {region}a"
        if subnet["public"] and options["internet_gateway"] is None:
            yield f"{where}.public", "true needs network.internet_gateway"
    by_block = [(item["name"], item["cidr_block"]) for item in options["subnets"]]
    for (one, first), (other, second) in combinations(by_block, 2):
        if any(True for _pair in _overlaps([first, second])):
            yield f"network.subnets[{other}].cidr_block", f"{second} overlaps with {first} of {one}"


def _nat(options: Options) -> Iterator[Found]:
    named = {name for table in options["route_tables"] for name in table["subnets"]}
    private = [item for item in options["subnets"] if not item["public"] and item["name"] not in named]
    zones = {item["availability_zone"] for item in options["subnets"] if item["public"]}
    if options["nat"] == "single" and private and not zones:
        yield "network.nat", "single needs a public subnet for the NAT gateway, and none is declared"
    if options["nat"] == "one_per_zone":
        for zone in sorted({item["availability_zone"] for item in private} - zones):
            names = ", ".join(item["name"] for item in private if item["availability_zone"] == zone)
            yield "network.nat", f"one_per_zone needs a public subnet in {zone}, where {names} is; none is declared"


def _route_table(table: Options) -> Iterator[Found]:
    where = f"network.route_tables[{table['name']}]"
    for route in table["routes"]:
        ends = [name for name in DESTINATIONS if route[name]]
        if len(ends) != 1:
            yield f"{where}.routes", f"a route needs exactly one of {', '.join(DESTINATIONS)}, got {_got(ends)}"
        targets = [name for name in TARGETS if route[name]]
        if len(targets) != 1:
            yield f"{where}.routes", f"a route needs exactly one target of {', '.join(TARGETS)}, got {_got(targets)}"
        for name, version in {"destination_cidr_block": 4, "destination_ipv6_cidr_block": 6}.items():
            if route[name]:
                message = network(route[name], version)[1]
                if message:
                    yield f"{where}.routes.{name}", message
        if route["destination_prefix_list_id"]:
            yield from _prefix(route, "destination_prefix_list_id", "pl-", f"{where}.routes")
        for name in targets:
            yield from _prefix(route, name, TARGETS[name], f"{where}.routes")
    for value, count in Counter(destination(route) for route in table["routes"]).items():
        if value and count > 1:
            yield f"{where}.routes", f"the destination {value} is given {count} times"


def _got(names: Sequence[str]) -> str:
    return " and ".join(names) or "none"


def _prefix(values: Options, name: str, prefix: str, where: str) -> Iterator[Found]:
    if not values[name].startswith(prefix):
        yield f"{where}.{name}", f"{values[name]!r} must be an id that begins with {prefix}"


def _associations(tables: Sequence[Options]) -> Iterator[Found]:
    pairs = [(subnet, table["name"]) for table in tables for subnet in table["subnets"]]
    for subnet, count in Counter(subnet for subnet, _table in pairs).items():
        if count > 1:
            names = ", ".join(table for name, table in pairs if name == subnet)
            yield "network.route_tables", f"subnet {subnet!r} can have one route table, and is named in {names}"


def _group(group: Options, quota: int) -> Iterator[Found]:
    where = f"network.security_groups[{group['name']}]"
    if group["name"].startswith("sg-"):
        yield f"{where}.name", "must not begin with sg-, which AWS keeps for ids"
    yield from _text(group["name"], f"{where}.name", LONGEST_TEXT - SUFFIX_LENGTH)
    if group["description"] is not None:
        yield from _text(group["description"], f"{where}.description", LONGEST_TEXT)
    for direction in ("ingress", "egress"):
        declared = group[direction] or ()
        for number, rule in enumerate(declared):
            yield from _rule(rule, f"{where}.{direction}[{number}]")
        count = sum(len(rule[name]) for rule in declared for name in SOURCES)
        if count > quota:
            yield (
                f"{where}.{direction}",
                f"has {count} rules (each source counts), the quota is {quota}; "
                "use a prefix list, or set rules_per_security_group to your account's quota",
            )
        yield from _same_rules(declared, f"{where}.{direction}")


def _text(text: str, where: str, longest: int) -> Iterator[Found]:
    if not 0 < len(text) <= longest:
        yield where, f"must have 1 to {longest} characters, has {len(text)}"
    if text and not NAME_TEXT.fullmatch(text):
        wrong = sorted({character for character in text if not NAME_TEXT.fullmatch(character)})
        yield where, f"{text!r} has characters that AWS refuses ({' '.join(wrong)}); allowed are {NAME_CHARACTERS}"


def _rule(rule: Options, where: str) -> Iterator[Found]:
    if not any(rule[name] for name in SOURCES):
        yield where, f"names no source or destination; give one of {', '.join(SOURCES)}"
    for name, version in {"cidr_blocks": 4, "ipv6_cidr_blocks": 6}.items():
        for block in rule[name]:
            message = network(block, version)[1]
            if message:
                yield f"{where}.{name}", message
    for value in rule["prefix_list_ids"]:
        if not value.startswith("pl-"):
            yield f"{where}.prefix_list_ids", f"{value!r} must be an id that begins with pl-"
    if rule["description"]:
        yield from _text(rule["description"], f"{where}.description", LONGEST_TEXT)
    protocol = ec2_rules.protocol_of(rule["protocol"])
    if protocol not in PROTOCOLS and not (protocol.isdigit() and int(protocol) <= 255):
        yield f"{where}.protocol", f"{rule['protocol']!r} is none of {', '.join(PROTOCOLS)}, all, or a number up to 255"
    else:
        yield from _ports(rule, protocol, where)


def _ports(rule: Options, protocol: str, where: str) -> Iterator[Found]:
    first, last = rule["from_port"], rule["to_port"]
    if protocol in ec2_rules.WITH_PORTS:
        if first is None:
            yield f"{where}.from_port", f"is required with protocol {protocol}; all ports are 0 to 65535"
            return
        last = first if last is None else last
        for name, port in {"from_port": first, "to_port": last}.items():
            if not 0 <= port <= 65535:
                yield f"{where}.{name}", f"{port} is no port; ports are 0 to 65535"
        if first > last:
            yield where, f"from_port {first} is greater than to_port {last}"
    elif protocol in ec2_rules.WITH_TYPES:
        for name, value in {"from_port": first, "to_port": last}.items():
            if value is None or not -1 <= value <= 255:
                meaning = "type" if name == "from_port" else "code"
                yield f"{where}.{name}", f"is the {protocol} {meaning}: 0 to 255, or -1 for all; got {value}"
        if first == -1 and last not in (None, -1):
            yield f"{where}.to_port", f"must be -1 where from_port is -1 (all types), got {last}"
    elif first not in (None, -1) or last not in (None, -1):
        yield where, f"protocol {rule['protocol']} has no ports; leave out from_port and to_port"


def _same_rules(declared: Sequence[Options], where: str) -> Iterator[Found]:
    """AWS takes a rule once, whatever its description."""
    seen = Counter(
        (ec2_rules.protocol_of(rule["protocol"]), rule["from_port"], _last(rule), name, value)
        for rule in declared
        for name in SOURCES
        for value in rule[name]
    )
    for (protocol, first, last, _name, value), count in seen.items():
        if count > 1:
            ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
            yield where, f"the rule {protocol}{ports} for {value} is given {count} times"


def _last(rule: Options) -> Any:
    return rule["from_port"] if rule["to_port"] is None else rule["to_port"]
