# One identity for each component that asks Google for something, bound to its service account in
# the cluster (Workload Identity).
locals {
  components = toset(["api", "gateway", "operator"])
}

resource "google_service_account" "component" {
  for_each = local.components

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = "Heliostat's ${each.key}"

  depends_on = [google_project_service.needed]
}

resource "google_service_account_iam_member" "component" {
  for_each = local.components

  service_account_id = google_service_account.component[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project_id}.svc.id.goog[${var.namespace}/heliostat-${each.key}]"

  # The pool of identities is made with the cluster.
  depends_on = [google_container_cluster.heliostat]
}

# The api keeps its documents in this one database.
resource "google_project_iam_member" "api_documents" {
  project = var.project_id
  role    = "roles/datastore.user"
  member  = google_service_account.component["api"].member

  condition {
    title      = "this database"
    expression = "resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.documents.name}\""
  }
}
