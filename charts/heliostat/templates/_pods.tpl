{{/* What every pod of ours has: nobody's root, nothing writable but its volumes. */}}

{{- define "heliostat.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "heliostat.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "heliostat.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 1
  failureThreshold: 120
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{/* One pod of a kind to a node, as far as that goes. */}}
{{- define "heliostat.spread" -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "heliostat.selector" . | nindent 6 }}
{{- end }}

{{- define "heliostat.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Plain variables of a component's own, from values. Numbers of a file come as floating point: 5e+06. */}}
{{- define "heliostat.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ ternary (int64 $value) $value (kindIs "float64" $value) | quote }}
{{- end }}
{{- end }}

{{/* REDIS_URL, from our own Redis or from a Secret with the whole address. */}}
{{- define "heliostat.redisEnv" -}}
{{- if .Values.redis.enabled }}
- name: REDIS_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ .Values.redis.passwordSecret }}, key: password}}
- name: REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@heliostat-redis:6379/0
{{- else if .Values.redis.externalUrlSecret }}
- name: REDIS_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.redis.externalUrlSecret }}, key: url}}
{{- end }}
{{- end }}

{{- define "heliostat.priority" -}}
{{- if .Values.priorityClasses.create }}
priorityClassName: heliostat-system
{{- end }}
{{- end }}

{{/* Secret Manager, for the gateway and the operator. */}}
{{- define "heliostat.secretManagerEnv" -}}
{{- with .root.Values.secretManager }}
- {name: {{ $.prefix }}_SECRET_MANAGER_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: {{ $.prefix }}_SECRET_REFRESH_SECONDS, value: {{ .refreshSeconds | quote }}}
- {name: {{ $.prefix }}_SECRET_KEEP_SECONDS, value: {{ .keepSeconds | quote }}}
{{- end }}
{{- end }}

{{- define "heliostat.providerKeys" -}}
{{- $pairs := list -}}
{{- range $variable, $secret := .Values.secretManager.providerKeys }}{{ $pairs = append $pairs (printf "%s=%s" $variable $secret) }}{{ end -}}
{{- join "," $pairs | quote -}}
{{- end }}

{{/* What the gateway uses is no agent's: the operator knows it by name, whatever its labels say. */}}
{{- define "heliostat.gatewaySecrets" -}}
{{- $names := list -}}
{{- range .Values.secretManager.providerKeys }}{{ $names = append $names (regexReplaceAll "/versions/.*$" . "") }}{{ end -}}
{{- join "," (uniq $names) | quote -}}
{{- end }}
