variable "project_id" {
  description = "The project, which exists and has billing."
  type        = string
}

variable "region" {
  description = "Where the cluster, the images and the database are."
  type        = string
  default     = "us-central1"
}

variable "name" {
  description = "Name of the cluster, its network, its address and the repository of images."
  type        = string
  default     = "heliostat"

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$", var.name))
    error_message = "must be at most 20 lowercase letters, digits and dashes, a letter first"
  }
}

variable "namespace" {
  description = "Namespace of the Helm release, whose service accounts get identities."
  type        = string
  default     = "heliostat-system"
}

variable "host" {
  description = "Name of the dashboard in DNS; its record points to the output `address`."
  type        = string
}

variable "members" {
  description = "Who comes through the Identity-Aware Proxy: `user:ann@example.com`, `group:team@example.com`."
  type        = set(string)

  validation {
    condition     = !contains(var.members, "allUsers") && !contains(var.members, "allAuthenticatedUsers")
    error_message = "must name people or groups: everybody would be let in"
  }
}

variable "provider_keys" {
  description = "Providers' keys: a variable of the gateway, and the id of the secret that is made for it. Only the gateway may read it."
  type        = map(string)
  default     = { ANTHROPIC_API_KEY = "heliostat-anthropic-key" }

  validation {
    condition     = alltrue([for variable, _ in var.provider_keys : can(regex("^[A-Z][A-Z0-9_]*_API_KEY(_([2-9]|[1-9][0-9]{1,3}))?$", variable))])
    error_message = "must name variables like ANTHROPIC_API_KEY or ANTHROPIC_API_KEY_2"
  }

  validation {
    condition     = length(distinct(values(var.provider_keys))) == length(var.provider_keys)
    error_message = "must give each variable a secret of its own"
  }
}

variable "agent_secrets" {
  description = "Secrets of agents by their id, and the namespaces whose agents may name them."
  type        = map(set(string))
  default     = {}

  validation {
    condition     = alltrue([for _, namespaces in var.agent_secrets : length(join("_", namespaces)) <= 63])
    error_message = "must fit into a label of 63 characters, with an underscore between two namespaces"
  }
}

variable "cloud_scheduler" {
  description = "Whether Cloud Scheduler may be the trigger of schedules; without it the cluster's own timers are."
  type        = bool
  default     = false
}

variable "iap_client_id" {
  description = "Id of the Identity-Aware Proxy's OAuth client, which the console makes; with cloud_scheduler, whose calls come through the proxy."
  type        = string
  default     = ""
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the cluster and the database."
  type        = bool
  default     = true
}
