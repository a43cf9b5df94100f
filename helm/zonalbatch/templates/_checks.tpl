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
{{- end -}}
