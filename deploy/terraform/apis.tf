resource "google_project_service" "needed" {
  for_each = toset(concat(
    [
      "artifactregistry.googleapis.com",
      "compute.googleapis.com",
      "container.googleapis.com",
      "firestore.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "iap.googleapis.com",
      "secretmanager.googleapis.com",
    ],
    var.cloud_scheduler ? ["cloudscheduler.googleapis.com"] : [],
  ))

  project            = var.project_id
  service            = each.key
  disable_on_destroy = false
}
