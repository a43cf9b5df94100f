{{/* Test: pods of `helm test`. */}}

{{- define "zonalbatch.testMetadata" -}}
metadata:
  name: {{ include "zonalbatch.fullname" . }}-test
  labels:
    {{- include "zonalbatch.labels" . | nindent 4 }}
    app.kubernetes.io/component: test
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation
{{- end -}}

{{- define "zonalbatch.testResources" -}}
requests: {cpu: 100m, memory: 512Mi}
limits: {memory: 1Gi}
{{- end -}}
