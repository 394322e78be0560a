{{/* Rules that several NetworkPolicies share. Link-local addresses hold a cloud's metadata. */}}

{{/* A network or several. Of all addresses those stay closed where clouds have their metadata. */}}
{{- define "heliostat.networks" -}}
{{- range ternary . (list .) (kindIs "slice" .) }}
- ipBlock:
    cidr: {{ . | quote }}
    {{- if hasSuffix "/0" . }}
    except: {{ ternary "[fe80::/10, fd00:ec2::254/128]" "[169.254.0.0/16]" (contains ":" .) }}
    {{- end }}
{{- end }}
{{- end }}

{{- define "heliostat.apiServer" -}}
- to:
    {{- include "heliostat.networks" .Values.network.apiServer.cidr | trim | nindent 4 }}
  ports:
    {{- range .Values.network.apiServer.ports }}
    - {port: {{ . }}}
    {{- end }}
{{- end }}

{{- define "heliostat.outside" -}}
- to:
    {{- include "heliostat.networks" .Values.network.providers.cidr | trim | nindent 4 }}
  ports:
    {{- range .Values.network.providers.ports }}
    - {port: {{ . }}}
    {{- end }}
{{- include "heliostat.metadata" . }}
{{- end }}

{{/* Who may ask a cloud's metadata server for its identity. */}}
{{- define "heliostat.metadata" -}}
{{- if .Values.network.metadata }}
- to:
    - ipBlock: {cidr: 169.254.169.254/32}
    - ipBlock: {cidr: 169.254.169.252/32}
  ports: [{port: 80}, {port: 988}]
{{- end }}
{{- end }}

{{- define "heliostat.toRedis" -}}
- to:
    {{- if .Values.redis.enabled }}
    - podSelector: {matchLabels: {app.kubernetes.io/name: heliostat-redis}}
    {{- else }}
    - ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}
    {{- end }}
  ports: [{port: {{ ternary 6379 (int .Values.redis.externalPort) .Values.redis.enabled }}}]
{{- end }}

{{/* Where names are looked up: a namespace or a CIDR, and a port. */}}
{{- define "heliostat.toNames" -}}
{{- range .Values.network.dns }}
{{- $port := regexFind "[0-9]+$" . }}
{{- $where := trimSuffix (printf ":%s" $port) . }}
- to:
    {{- if contains "/" $where }}
    - ipBlock: {cidr: {{ $where | quote }}}
    {{- else }}
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ $where }}}}
    {{- end }}
  ports: [{port: {{ $port }}, protocol: UDP}, {port: {{ $port }}, protocol: TCP}]
{{- end }}
{{- end }}

{{/* The collector of traces, in the cluster or outside. */}}
{{- define "heliostat.toCollector" -}}
{{- with .Values.telemetry.otlpEndpoint }}
{{- $named := regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" }}
- to:
    - namespaceSelector: {}
    - ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}
  ports: [{port: {{ $named | default (ternary 443 80 (hasPrefix "https:" .)) }}}]
{{- end }}
{{- end }}

{{/* Prometheus, from the namespaces that values name. */}}
{{- define "heliostat.scrapers" -}}
{{- range .Values.network.scrapers }}
- from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}
  ports: [{port: http}]
{{- end }}
{{- end }}
