# From an empty project to what docs/gke.md installs into: copy this folder, or use it as it is.
terraform {
  required_version = ">= 1.6"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "6.50.0"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}

variable "project_id" {
  description = "The project, which exists and has billing."
  type        = string
}

variable "region" {
  description = "Where everything is."
  type        = string
  default     = "us-central1"
}

variable "host" {
  description = "Name of the dashboard in DNS."
  type        = string
}

variable "members" {
  description = "Who may open the dashboard."
  type        = set(string)
}

module "heliostat" {
  source = "../"

  project_id = var.project_id
  region     = var.region
  host       = var.host
  members    = var.members

  agent_secrets = {
    crm-token = ["heliostat-agents"]
  }
}

output "address" {
  description = "IP address that the host's record in DNS points to."
  value       = module.heliostat.address
}

output "images" {
  description = "Where our images are pushed to and pulled from."
  value       = module.heliostat.images
}

output "credentials_command" {
  description = "What gives kubectl access to the cluster."
  value       = module.heliostat.credentials_command
}

output "helm_values" {
  description = "Values for the chart, after values-gke-autopilot.yaml."
  value       = module.heliostat.helm_values
}
