{{/* Names, labels and images that every template shares. */}}

{{- define "heliostat.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: heliostat
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "heliostat.selector" -}}
app.kubernetes.io/name: {{ .name }}
{{- end }}

{{/* An image by registry, name and digest, or the tag of all. */}}
{{- define "heliostat.image" -}}
{{- $registry := .root.Values.image.registry | trimSuffix "/" -}}
{{- $name := ternary .image.name (printf "%s/%s" $registry .image.name) (empty $registry) -}}
{{- if .image.digest -}}
{{ $name }}@{{ .image.digest }}
{{- else -}}
{{ $name }}:{{ .root.Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "heliostat.gatewayUrl" -}}
http://heliostat-gateway.{{ .Release.Namespace }}:8081
{{- end }}

{{- define "heliostat.apiUrl" -}}
http://heliostat-api.{{ .Release.Namespace }}:8080
{{- end }}

{{/* Pods as the operator's settings name them. */}}
{{- define "heliostat.peer" -}}
{{ .root.Release.Namespace }}/app.kubernetes.io/name={{ .name }}:{{ .port }}
{{- end }}

{{/* What every run may reach. */}}
{{- define "heliostat.networkServices" -}}
{{ include "heliostat.peer" (dict "root" . "name" "heliostat-gateway" "port" 8081) }}
{{- if .Values.api.enabled }},{{ include "heliostat.peer" (dict "root" . "name" "heliostat-api" "port" 8080) }}{{ end }}
{{- end }}

{{/* Whether gateways share their ledger: then a writer keeps its rows. */}}
{{- define "heliostat.isShared" -}}
{{- if or .Values.redis.enabled .Values.redis.externalUrlSecret }}true{{ end -}}
{{- end }}

{{/* An upgrade keeps the mode that the operator has; one from a release without approvals observes. */}}
{{- define "heliostat.approvalsMode" -}}
{{- $mode := ternary "Observe" "Enforce" .Release.IsUpgrade -}}
{{- with lookup "apps/v1" "Deployment" .Release.Namespace "heliostat-operator" -}}
{{- $mode = "Observe" -}}
{{- range (first .spec.template.spec.containers).env -}}
{{- if eq .name "HELIOSTAT_OPERATOR_APPROVALS_MODE" }}{{ $mode = .value }}{{ end -}}
{{- end -}}
{{- end -}}
{{- (.Values.approvals).mode | default $mode -}}
{{- end }}

{{- define "heliostat.check" -}}
{{- $replicas := ternary .Values.api.replicas .Values.api.autoscaling.maxReplicas (eq .Values.api.store "sqlite") -}}
{{- if and .Values.redis.enabled .Values.redis.externalUrlSecret }}
{{- fail "redis.enabled and redis.externalUrlSecret: choose one; redis.enabled=false for a Redis of your own" }}
{{- end }}
{{- if and (eq .Values.api.store "firestore") (not .Values.api.googleCloudProject) }}
{{- fail "api.store firestore needs api.googleCloudProject" }}
{{- end }}
{{- if and (eq .Values.api.store "firestore") (not (include "heliostat.isShared" .)) (gt (int $replicas) 1) }}
{{- fail "api.autoscaling.maxReplicas above 1 needs a Redis: their event log" }}
{{- end }}
{{- if and (eq .Values.api.store "sqlite") (gt (int .Values.api.graceSeconds) 15) }}
{{- fail "api.graceSeconds above 15 with api.store sqlite: its pod is the only one, and nobody is served until it has gone" }}
{{- end }}
{{- if not (or .Values.api.guests .Values.api.env.HELIOSTAT_API_OIDC_ISSUER .Values.api.env.HELIOSTAT_API_IAP_AUDIENCE) }}
{{- fail "api.guests false leaves nobody who could enter: set HELIOSTAT_API_OIDC_ISSUER or HELIOSTAT_API_IAP_AUDIENCE in api.env" }}
{{- end }}
{{- if .Values.gke.iap.enabled }}
{{- if not .Values.gke.enabled }}
{{- fail "gke.iap.enabled needs gke.enabled" }}
{{- end }}
{{- if not .Values.gke.iap.oauthSecret }}
{{- fail "gke.iap.oauthSecret is missing: the Secret with the OAuth client" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.gke.iap.clientId) }}
{{- fail "gke.iap.clientId is missing: a GCPBackendPolicy names the OAuth client" }}
{{- end }}
{{- if not .Values.api.env.HELIOSTAT_API_IAP_AUDIENCE }}
{{- fail "gke.iap.enabled needs HELIOSTAT_API_IAP_AUDIENCE in api.env: without it the api does not believe the proxy" }}
{{- end }}
{{- end }}
{{- with .Values.cloudScheduler }}
{{- if and .location (not (and .target .account)) }}
{{- fail "cloudScheduler.location needs cloudScheduler.target and cloudScheduler.account: whom a job calls, and as whom" }}
{{- end }}
{{- end }}
{{- if and .Values.gke.iap.enabled .Values.cloudScheduler.location (not .Values.cloudScheduler.audience) }}
{{- fail "cloudScheduler.audience is missing: the Identity-Aware Proxy lets in no token but those for its OAuth client's id" }}
{{- end }}
{{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) (not .Values.api.enabled) }}
{{- fail "ingress.enabled and httpRoute.enabled lead to the api: api.enabled is false" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
{{- fail "ingress.host is missing: the name by which browsers find the dashboard" }}
{{- end }}
{{- end }}

{{/* Secrets that the operator makes once and never changes: NAME:KEY, .... */}}
{{- define "heliostat.keptSecrets" -}}
{{- $kept := list -}}
{{- if .Values.redis.enabled }}{{ $kept = append $kept (printf "%s:password" .Values.redis.passwordSecret) }}{{ end -}}
{{- if .Values.api.enabled }}{{ $kept = concat $kept (list (printf "%s:secret" .Values.api.sessionSecret) (printf "%s:private.pem" .Values.api.signingKeySecret)) }}{{ end -}}
{{- join "," $kept | quote -}}
{{- end }}
