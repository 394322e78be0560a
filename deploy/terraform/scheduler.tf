# Cloud Scheduler as the trigger of schedules: the operator keeps the jobs, a job calls the api with
# a token of the caller's account.
resource "google_service_account" "caller" {
  count = var.cloud_scheduler ? 1 : 0

  project      = var.project_id
  account_id   = "${var.name}-scheduler"
  display_name = "Calls of Heliostat's Cloud Scheduler jobs; has no rights of its own"

  depends_on = [google_project_service.needed]
}

resource "google_project_iam_custom_role" "jobs" {
  count = var.cloud_scheduler ? 1 : 0

  project     = var.project_id
  role_id     = "${replace(var.name, "-", "_")}_scheduler"
  title       = "Heliostat: jobs of Cloud Scheduler"
  description = "What the operator does with its jobs, and nothing else of Cloud Scheduler."

  permissions = [
    "cloudscheduler.jobs.create",
    "cloudscheduler.jobs.delete",
    "cloudscheduler.jobs.enable",
    "cloudscheduler.jobs.get",
    "cloudscheduler.jobs.list",
    "cloudscheduler.jobs.pause",
    "cloudscheduler.jobs.update",
  ]
}

resource "google_project_iam_member" "operator_jobs" {
  count = var.cloud_scheduler ? 1 : 0

  project = var.project_id
  role    = google_project_iam_custom_role.jobs[0].id
  member  = google_service_account.component["operator"].member
}

# A job may only be made to call as an account that its maker may use.
resource "google_service_account_iam_member" "operator_caller" {
  count = var.cloud_scheduler ? 1 : 0

  service_account_id = google_service_account.caller[0].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.component["operator"].member
}
