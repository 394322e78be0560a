resource "google_compute_global_address" "dashboard" {
  project = var.project_id
  name    = var.name

  depends_on = [google_project_service.needed]
}

resource "google_compute_managed_ssl_certificate" "dashboard" {
  project = var.project_id
  name    = var.name

  managed {
    domains = [var.host]
  }

  depends_on = [google_project_service.needed]
}

# Cloud Scheduler's jobs call the api from outside, too.
resource "google_iap_web_iam_member" "scheduler" {
  count = var.cloud_scheduler ? 1 : 0

  project = var.project_id
  role    = "roles/iap.httpsResourceAccessor"
  member  = "serviceAccount:${google_service_account.caller[0].email}"

  depends_on = [google_project_service.needed]
}

# Who comes through the Identity-Aware Proxy. Its OAuth client is made in the console: Google has no
# API for that any more.
resource "google_iap_web_iam_member" "people" {
  for_each = var.members

  project = var.project_id
  role    = "roles/iap.httpsResourceAccessor"
  member  = each.key

  depends_on = [google_project_service.needed]
}
