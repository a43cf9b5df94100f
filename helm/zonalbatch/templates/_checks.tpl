{{/* Checks: what the schema of the values cannot say. */}}

{{- define "zonalbatch.checks" -}}
{{- with .Values.workers }}
{{- if not (kindIs "invalid" .maximum) }}
{{- if lt (int .maximum) (int .minimum) }}
{{- fail (printf "workers.maximum is %d and workers.minimum %d: give a maximum that is not below the minimum" (int .maximum) (int .minimum)) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.tls.existingSecret (hasPrefix "tcp://" (include "zonalbatch.schedulerAddress" .)) }}
{{- fail (printf "tls.existingSecret is given, but the scheduler's address %s is not tls://…: correct one of them" (include "zonalbatch.schedulerAddress" .)) }}
{{- end }}
{{- if eq .Values.mode "service" }}
{{- if and .Values.service.jobs (gt (int .Values.service.replicas) 1) }}
{{- fail (printf "service.replicas is %d, but one service alone may have the folder of jobs: set it to 1, or service.jobs to false" (int .Values.service.replicas)) }}
{{- end }}
{{- $seconds := default 30 .Values.service.settings.seconds }}
{{- if gt (addf $seconds 5) (float64 .Values.terminationGracePeriodSeconds) }}
{{- fail (printf "terminationGracePeriodSeconds is %d, but an answer may take service.settings.seconds, %v: let a pod have 5 seconds more to end" (int .Values.terminationGracePeriodSeconds) $seconds) }}
{{- end }}
{{- end }}
{{- end -}}
