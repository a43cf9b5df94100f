{{/* Labels: how resources are found, and by which policies select pods. */}}

{{- define "zonalbatch.labels" -}}
{{ include "zonalbatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Of all pods of the release, whoever makes them. */}}
{{- define "zonalbatch.selector" -}}
app.kubernetes.io/name: {{ include "zonalbatch.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels and annotations of the pods of a part: runner, scheduler, workers, service. Labels by
     which pods are found go before those of values.
     Takes (dict "root" $ "part" "runner"). */}}
{{- define "zonalbatch.podMetadata" -}}
{{- $own := index .root.Values .part -}}
{{- $labels := include "zonalbatch.selector" .root | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/component" .part -}}
{{- if has .root.Values.mode (list "operator" "standalone") -}}
{{- $_ := set $labels "zonalbatch/revision" (toString .root.Release.Revision) -}}
{{- end -}}
{{- $keep := dict -}}
{{- if and .root.Values.runner.keepOnNode (has .part (list "runner" "scheduler")) -}}
{{- $keep = dict "karpenter.sh/do-not-disrupt" "true" "cluster-autoscaler.kubernetes.io/safe-to-evict" "false" -}}
{{- end -}}
labels:
  {{- merge $labels (deepCopy $own.labels) | toYaml | nindent 2 }}
{{- with merge (deepCopy $own.annotations) $keep }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
