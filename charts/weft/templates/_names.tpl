{{- define "weft.labels" -}}
app.kubernetes.io/name: weft
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: weft
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* What selects the pods of one component: it cannot change in an upgrade. Called with (list $ "webhook"). */}}
{{- define "weft.selector" -}}
app.kubernetes.io/name: weft
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "weft.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Namespaces whose pods are never injected: the release's own is always one of them. */}}
{{- define "weft.excludedNamespaces" -}}
{{- append (((.Values.mesh).injection).excludedNamespaces | default list) .Release.Namespace | uniq | sortAlpha | toYaml }}
{{- end }}

{{/* weft.yaml: values.mesh, with what only the chart knows. */}}
{{- define "weft.configuration" -}}
{{- $host := printf "weft-controller.%s.svc.%s" .Release.Namespace (.Values.mesh.clusterDomain | default "cluster.local") -}}
{{- $controlPlane := dict "namespace" .Release.Namespace "xds" (printf "%s:15010" $host) "ca" (printf "https://%s:15012" $host) "metrics" (printf "https://%s:3000" $host) -}}
{{- $images := dict "weft" (include "weft.image" .) "pullPolicy" .Values.image.pullPolicy "pullSecrets" .Values.image.pullSecrets -}}
{{- $injection := dict "excludedNamespaces" (include "weft.excludedNamespaces" . | fromYamlArray) -}}
{{- mergeOverwrite (deepCopy .Values.mesh) (dict "controlPlane" $controlPlane "images" $images "injection" $injection) | toYaml }}
{{- end }}

{{/* Pod Security level restricted. */}}
{{- define "weft.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1337
runAsGroup: 1337
fsGroup: 1337
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "weft.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where pods may run. Called with one component's values. */}}
{{- define "weft.scheduling" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "weft.podAnnotations" -}}
{{- $root := index . 0 -}}
checksum/config: {{ include "weft.configuration" $root | sha256sum }}
prometheus.io/scrape: "true"
prometheus.io/port: "9090"
{{- with (index . 1).podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "weft.environment" -}}
- name: NAMESPACE
  valueFrom:
    fieldRef: { fieldPath: metadata.namespace }
- name: POD_NAME
  valueFrom:
    fieldRef: { fieldPath: metadata.name }
- name: WEFT_LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- end }}
