{{/* Memory: what a pod gets follows from what the job says that a worker may take. */}}

{{/* Bytes of 1.5GiB, 500MB, 4Gi or a number. */}}
{{- define "zonalbatch.bytes" -}}
{{- if kindIs "string" . -}}
{{- $units := dict "" 1 "b" 1 "k" 1000 "kb" 1000 "ki" 1024 "kib" 1024 "m" 1000000 "mb" 1000000 "mi" 1048576 "mib" 1048576 "g" 1000000000 "gb" 1000000000 "gi" 1073741824 "gib" 1073741824 "t" 1000000000000 "tb" 1000000000000 "ti" 1099511627776 "tib" 1099511627776 -}}
{{- $number := regexFind "[0-9]+(\\.[0-9]+)?" . -}}
{{- $unit := regexFind "[A-Za-z]*\\s*$" . | trim | lower -}}
{{- if or (not $number) (not (hasKey $units $unit)) -}}
{{- fail (printf "%s is no amount of memory: write 4Gi, 1.5GiB or 500MB" .) -}}
{{- end -}}
{{- mulf (float64 $number) (get $units $unit) | int64 -}}
{{- else -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}

{{/* Bytes that a part of the job may take in a worker. */}}
{{- define "zonalbatch.jobMemory" -}}
{{- $limits := default dict .Values.job.limits -}}
{{- include "zonalbatch.bytes" (default .Values.workers.jobMemory $limits.memory) -}}
{{- end -}}

{{/* Bytes at which a worker process is ended: above the job's limit, to which parts are cut by an
     estimate, by a GiB or a quarter (as zonalbatch does with workers of its own). */}}
{{- define "zonalbatch.workerBytes" -}}
{{- $memory := include "zonalbatch.jobMemory" . | int64 -}}
{{- add $memory (max 1073741824 (div $memory 4)) -}}
{{- end -}}

{{/* Bytes beside the worker process: its nanny. */}}
{{- define "zonalbatch.nannyBytes" -}}268435456{{- end -}}

{{/* Memory of a pod: what values say, or what is needed, in Mi.
     Takes (dict "root" $ "part" "workers" "needed" bytes). */}}
{{- define "zonalbatch.podMemory" -}}
{{- $needed := printf "%dMi" (div (add .needed 1048575) 1048576) -}}
{{- $given := (default dict (index .root.Values .part).resources.limits).memory -}}
{{- if not $given -}}
{{- $needed -}}
{{- else if lt (include "zonalbatch.bytes" $given | int64) (int64 .needed) -}}
{{- $memory := div (include "zonalbatch.jobMemory" .root | int64) 1048576 -}}
{{- fail (printf "%s.resources.limits.memory is %v, but with limits.memory of %dMiB in the job the pod needs %s: leave it out, or lower limits.memory of the job" .part $given $memory $needed) -}}
{{- else -}}
{{- $given -}}
{{- end -}}
{{- end -}}

{{- define "zonalbatch.workerMemory" -}}
{{- $needed := add (include "zonalbatch.workerBytes" . | int64) (include "zonalbatch.nannyBytes" . | int64) -}}
{{- include "zonalbatch.podMemory" (dict "root" . "part" "workers" "needed" $needed) -}}
{{- end -}}

{{/* What a worker is told: the pod's memory without the nanny's. */}}
{{- define "zonalbatch.workerLimit" -}}
{{- sub (include "zonalbatch.bytes" (include "zonalbatch.workerMemory" .) | int64) (include "zonalbatch.nannyBytes" . | int64) -}}
{{- end -}}

{{/* Memory is limited and requested alike, as all of it is used.
     Takes (dict "given" resources "memory" "2816Mi" "cpu" 1). */}}
{{- define "zonalbatch.resources" -}}
{{- $limits := dict "memory" .memory -}}
{{- $requests := dict "memory" .memory "cpu" .cpu -}}
{{- include "zonalbatch.amounts" (merge (deepCopy .given) (dict "limits" $limits "requests" $requests)) -}}
{{- end -}}

{{/* Requests and limits as text: the operator's schemas take no number. */}}
{{- define "zonalbatch.amounts" -}}
{{- range $kind, $amounts := . }}
{{ $kind }}:
  {{- range $name, $amount := $amounts }}
  {{ $name }}: {{ toString $amount | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "zonalbatch.workerResources" -}}
{{- include "zonalbatch.resources" (dict "given" .Values.workers.resources "memory" (include "zonalbatch.workerMemory" .) "cpu" 1) -}}
{{- end -}}

{{/* Of the runner, who plans; workers within its pod come on top. */}}
{{- define "zonalbatch.runnerResources" -}}
{{- $own := 2147483648 -}}
{{- $workers := 0 -}}
{{- if include "zonalbatch.ownWorkers" . -}}
{{- $workers = int64 .Values.cron.workers -}}
{{- end -}}
{{- $needed := add $own (mul $workers (include "zonalbatch.workerBytes" . | int64)) -}}
{{- $memory := (default dict .Values.runner.resources.limits).memory -}}
{{- if or $workers (not $memory) -}}
{{- $memory = include "zonalbatch.podMemory" (dict "root" . "part" "runner" "needed" $needed) -}}
{{- end -}}
{{- include "zonalbatch.resources" (dict "given" .Values.runner.resources "memory" $memory "cpu" (max 1 $workers)) -}}
{{- end -}}
