# Values are added by hand (gcloud secrets versions add): Terraform's state never holds one.
locals {
  reading = toset(["roles/secretmanager.viewer", "roles/secretmanager.secretAccessor"])
}

resource "google_secret_manager_secret" "provider" {
  for_each = toset(values(var.provider_keys))

  project   = var.project_id
  secret_id = each.key
  labels    = { heliostat-use = "gateway" }

  replication {
    auto {}
  }

  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret_iam_member" "gateway" {
  for_each = { for pair in setproduct(values(var.provider_keys), local.reading) : join(" ", pair) => pair }

  project   = var.project_id
  secret_id = google_secret_manager_secret.provider[each.value[0]].secret_id
  role      = each.value[1]
  member    = google_service_account.component["gateway"].member
}

resource "google_secret_manager_secret" "agents" {
  for_each = var.agent_secrets

  project   = var.project_id
  secret_id = each.key

  labels = {
    heliostat-use        = "agents"
    heliostat-namespaces = join("_", each.value)
  }

  replication {
    auto {}
  }

  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret_iam_member" "operator" {
  for_each = { for pair in setproduct(keys(var.agent_secrets), local.reading) : join(" ", pair) => pair }

  project   = var.project_id
  secret_id = google_secret_manager_secret.agents[each.value[0]].secret_id
  role      = each.value[1]
  member    = google_service_account.component["operator"].member
}
