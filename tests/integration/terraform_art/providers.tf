# The environment of inventories/art, as a team that works with Terraform would have written it.
terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  cluster    = "art-service-ecs-cluster"
  service    = "art-service-sourcing-data-service"

  tags = {
    Project   = "art"
    ManagedBy = "terraform"
  }
}

data "aws_caller_identity" "current" {}
