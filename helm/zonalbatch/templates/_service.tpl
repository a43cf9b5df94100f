{{/* Service: its settings, as environment. */}}

{{- define "zonalbatch.serviceEnv" -}}
{{- range $name, $value := .Values.service.settings }}
- name: ZONALBATCH_SERVICE_{{ upper $name }}
  value: {{ include "zonalbatch.settingText" $value | quote }}
{{- end }}
{{- with .Values.service.keys }}
{{- if .existingSecret }}
- name: ZONALBATCH_SERVICE_KEYS
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- if .Values.service.jobs }}
- name: ZONALBATCH_SERVICE_JOBS
  value: {{ include "zonalbatch.outputPath" . | quote }}
- name: ZONALBATCH_SERVICE_JOB_MEMORY
  value: {{ .Values.workers.jobMemory | quote }}
- name: ZONALBATCH_SERVICE_CLUSTER
  value: {{ include "zonalbatch.jobCluster" . | fromYaml | toJson | quote }}
{{- end }}
{{- end -}}

{{/* A list with commas, an object as JSON, a number without an exponent. */}}
{{- define "zonalbatch.settingText" -}}
{{- if kindIs "slice" . -}}
{{ join "," . }}
{{- else if kindIs "map" . -}}
{{ toJson . }}
{{- else if kindIs "string" . -}}
{{ . }}
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end -}}
