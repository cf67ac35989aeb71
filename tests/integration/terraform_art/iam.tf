# Roles. Each keeps inside the boundary.
resource "aws_iam_policy" "boundary" {
  name = "art-boundary"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "cloudwatch:PutMetricData",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:Describe*",
        "ec2messages:*",
        "ecr:*",
        "ecs:*",
        "elasticloadbalancing:*",
        "kms:Decrypt",
        "logs:*",
        "secretsmanager:GetSecretValue",
        "ssm:*",
        "ssmmessages:*",
      ]
      Resource = "*"
    }]
  })
}

data "aws_iam_policy_document" "assume" {
  for_each = toset(["ecs", "ec2"])

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "assume_by_tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role" "service" {
  name                 = "art-ecs-service-role"
  assume_role_policy   = data.aws_iam_policy_document.assume["ecs"].json
  permissions_boundary = aws_iam_policy.boundary.arn
}

resource "aws_iam_role_policy_attachment" "service" {
  role       = aws_iam_role.service.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceRole"
}

resource "aws_iam_role" "instance" {
  name                 = "art-ecs-instance-role"
  assume_role_policy   = data.aws_iam_policy_document.assume["ec2"].json
  permissions_boundary = aws_iam_policy.boundary.arn
}

resource "aws_iam_role_policy_attachment" "instance" {
  role       = aws_iam_role.instance.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "instance" {
  name = "art-ecs-instance-role"
  role = aws_iam_role.instance.name
}

resource "aws_iam_role" "execution" {
  name                 = "art-sourcing-data-service-execution"
  assume_role_policy   = data.aws_iam_policy_document.assume_by_tasks.json
  permissions_boundary = aws_iam_policy.boundary.arn
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "task" {
  name                 = "art-sourcing-data-service-task"
  assume_role_policy   = data.aws_iam_policy_document.assume_by_tasks.json
  permissions_boundary = aws_iam_policy.boundary.arn
}

# Administrators, one for each AWS service type. What each may do is a document of its own.
locals {
  administrators = {
    for name in fileset("${path.module}/policies", "*.json") :
    trimsuffix(name, ".json") => file("${path.module}/policies/${name}")
  }
}

resource "aws_iam_user" "administrator" {
  for_each = local.administrators

  name = each.key
  path = "/administrators/"
}

resource "aws_iam_policy" "administrator" {
  for_each = local.administrators

  name   = each.key
  path   = "/administrators/"
  policy = each.value
}

resource "aws_iam_user_policy_attachment" "administrator" {
  for_each = local.administrators

  user       = aws_iam_user.administrator[each.key].name
  policy_arn = aws_iam_policy.administrator[each.key].arn
}
