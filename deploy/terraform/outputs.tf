data "google_project" "this" {
  project_id = var.project_id
}

# Only what Terraform knows; the rest stands in values-gke-autopilot.yaml.
locals {
  values = {
    image = {
      registry = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
    }
    gateway = {
      serviceAccountAnnotations = { "iam.gke.io/gcp-service-account" = google_service_account.component["gateway"].email }
    }
    operator = {
      serviceAccountAnnotations = { "iam.gke.io/gcp-service-account" = google_service_account.component["operator"].email }
    }
    api = {
      serviceAccountAnnotations = { "iam.gke.io/gcp-service-account" = google_service_account.component["api"].email }
      store                     = "firestore"
      googleCloudProject        = var.project_id
      firestoreDatabase         = google_firestore_database.documents.name
      publicUrl                 = "https://${var.host}"
      guests                    = false
      # Nobody enters until the backend's number is known: it is made with the Ingress.
      env = { HELIOSTAT_API_IAP_AUDIENCE = "/projects/${data.google_project.this.number}/global/backendServices/0" }
    }
    ingress = {
      enabled = true
      host    = var.host
      annotations = {
        "kubernetes.io/ingress.class"                 = "gce"
        "kubernetes.io/ingress.allow-http"            = "false"
        "kubernetes.io/ingress.global-static-ip-name" = google_compute_global_address.dashboard.name
        "ingress.gcp.kubernetes.io/pre-shared-cert"   = google_compute_managed_ssl_certificate.dashboard.name
      }
    }
    gke = {
      iap = { enabled = true, oauthSecret = "heliostat-iap" }
    }
    secretManager = {
      providerKeys = { for variable, secret in var.provider_keys : variable => "projects/${var.project_id}/secrets/${secret}" }
    }
    cloudScheduler = {
      location = var.cloud_scheduler ? "projects/${var.project_id}/locations/${var.region}" : ""
      target   = var.cloud_scheduler ? "https://${var.host}" : ""
      audience = var.cloud_scheduler ? var.iap_client_id : ""
      account  = var.cloud_scheduler ? google_service_account.caller[0].email : ""
    }
  }
}

output "address" {
  description = "IP address that the host's record in DNS points to."
  value       = google_compute_global_address.dashboard.address
}

output "images" {
  description = "Where our images are pushed to and pulled from."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

output "credentials_command" {
  description = "What gives kubectl access to the cluster."
  value       = "gcloud container clusters get-credentials ${google_container_cluster.heliostat.name} --region ${var.region} --project ${var.project_id}"
}

output "helm_values" {
  description = "Values for the chart, after values-gke-autopilot.yaml."
  value       = yamlencode(local.values)
}
