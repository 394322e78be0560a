resource "google_compute_network" "cluster" {
  project                 = var.project_id
  name                    = var.name
  auto_create_subnetworks = false

  depends_on = [google_project_service.needed]
}

resource "google_compute_subnetwork" "cluster" {
  project                  = var.project_id
  name                     = var.name
  region                   = var.region
  network                  = google_compute_network.cluster.id
  ip_cidr_range            = "10.0.0.0/20"
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.4.0.0/14"
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.8.0.0/20"
  }
}

# Nodes have no address of their own: what goes to providers and to agents' hosts leaves here.
resource "google_compute_router" "outside" {
  project = var.project_id
  name    = var.name
  region  = var.region
  network = google_compute_network.cluster.id
}

resource "google_compute_router_nat" "outside" {
  project                            = var.project_id
  name                               = var.name
  region                             = var.region
  router                             = google_compute_router.outside.name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}
