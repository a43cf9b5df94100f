{{/* Network: who may speak to whom. */}}

{{- define "zonalbatch.ownPods" -}}
- podSelector:
    matchLabels:
      {{- include "zonalbatch.selector" . | nindent 6 }}
{{- end -}}

{{/* The part of the release in whose pod the scheduler is; nothing where it has none. */}}
{{- define "zonalbatch.schedulerPart" -}}
{{- if eq .Values.mode "standalone" -}}
runner
{{- else if or (eq .Values.mode "operator") (include "zonalbatch.ownCluster" .) -}}
scheduler
{{- end -}}
{{- end -}}
