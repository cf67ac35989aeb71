resource "aws_ecs_cluster" "lms" {
  name = local.cluster

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "lms" {
  cluster_name       = aws_ecs_cluster.lms.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
    base              = 1
  }
}

resource "aws_cloudwatch_log_group" "backend" {
  name              = "/ecs/${local.service}"
  retention_in_days = 30
}

resource "aws_ecs_task_definition" "backend" {
  family                   = local.service
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 512
  memory                   = 1024
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  container_definitions = file("${path.module}/task-definitions/${local.service}.json")

  depends_on = [aws_cloudwatch_log_group.backend]
}

resource "aws_ecs_service" "backend" {
  name                               = local.service
  cluster                            = aws_ecs_cluster.lms.id
  task_definition                    = aws_ecs_task_definition.backend.arn
  desired_count                      = 2
  platform_version                   = "LATEST"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
    base              = 1
  }

  network_configuration {
    subnets          = local.subnets
    security_groups  = [aws_security_group.backend.id]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.backend.arn
    container_name   = "backend"
    container_port   = 4000
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # The pipeline deploys new images, the autoscaler sets the count.
  lifecycle {
    ignore_changes = [task_definition, desired_count]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.lms, aws_lb_listener.https]
}
