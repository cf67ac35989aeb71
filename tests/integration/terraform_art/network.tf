resource "aws_vpc" "art" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true

  tags = { Name = "art" }
}

resource "aws_internet_gateway" "art" {
  vpc_id = aws_vpc.art.id

  tags = { Name = "art" }
}

resource "aws_subnet" "public" {
  for_each = {
    a = { cidr_block = "10.0.0.0/24", zone = "us-east-1a" }
    b = { cidr_block = "10.0.1.0/24", zone = "us-east-1b" }
  }

  vpc_id                  = aws_vpc.art.id
  cidr_block              = each.value.cidr_block
  availability_zone       = each.value.zone
  map_public_ip_on_launch = true

  tags = { Name = "art-public-${each.key}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.art.id

  tags = { Name = "art-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.art.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

# Without a tag Name: the name of a security group says which one it is.
resource "aws_security_group" "load_balancer" {
  name        = "art-load-balancer"
  description = "HTTP from the internet to the load balancer"
  vpc_id      = aws_vpc.art.id
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  security_group_id = aws_security_group.load_balancer.id
  description       = "HTTP"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  security_group_id = aws_security_group.load_balancer.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "container_instances" {
  name        = "art-container-instances"
  description = "The load balancer to the container instances"
  vpc_id      = aws_vpc.art.id
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  security_group_id            = aws_security_group.container_instances.id
  description                  = "sourcing-data-service"
  ip_protocol                  = "tcp"
  from_port                    = 8082
  to_port                      = 8082
  referenced_security_group_id = aws_security_group.load_balancer.id
}

resource "aws_vpc_security_group_egress_rule" "container_instances" {
  security_group_id = aws_security_group.container_instances.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
