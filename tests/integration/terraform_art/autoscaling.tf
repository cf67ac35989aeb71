data "aws_ssm_parameter" "ami" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
}

resource "aws_launch_template" "container_instances" {
  name                   = "art-container-instances"
  image_id               = data.aws_ssm_parameter.ami.insecure_value
  instance_type          = "t3.small"
  update_default_version = true

  user_data = base64encode(<<-SCRIPT
    #!/bin/bash
    cat <<'END' >> /etc/ecs/ecs.config
    ECS_CLUSTER=${aws_ecs_cluster.art.name}
    ECS_ENABLE_SPOT_INSTANCE_DRAINING=true
    ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM=ec2_instance
    ECS_AWSVPC_BLOCK_IMDS=true
    END
  SCRIPT
  )

  iam_instance_profile {
    name = aws_iam_instance_profile.instance.name
  }

  network_interfaces {
    device_index                = 0
    associate_public_ip_address = true
    delete_on_termination       = true
    security_groups             = [aws_security_group.container_instances.id]
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 30
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "volume"]

    content {
      resource_type = tag_specifications.value
      tags          = merge(local.tags, { Name = "art-container-instances" })
    }
  }

  # A new AMI is a change of its own.
  lifecycle {
    ignore_changes = [image_id]
  }
}

resource "aws_autoscaling_group" "container_instances" {
  name                  = "art-container-instances"
  min_size              = 1
  max_size              = 4
  protect_from_scale_in = true
  vpc_zone_identifier   = [for subnet in aws_subnet.public : subnet.id]

  launch_template {
    id      = aws_launch_template.container_instances.id
    version = aws_launch_template.container_instances.latest_version
  }

  # The provider's default tags do not reach Auto Scaling groups; ECS looks for the first.
  dynamic "tag" {
    for_each = merge({ AmazonECSManaged = "true" }, local.tags)

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # ECS scales the group.
  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_ecs_capacity_provider" "container_instances" {
  name = "art-container-instances"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.container_instances.arn
    managed_termination_protection = "ENABLED"
    managed_draining               = "ENABLED"

    managed_scaling {
      status          = "ENABLED"
      target_capacity = 100
    }
  }
}
