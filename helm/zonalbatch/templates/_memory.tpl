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

{{/* Memory of a worker's pod, in Mi; what values say, where that is enough. */}}
{{- define "zonalbatch.workerMemory" -}}
{{- $needed := add (include "zonalbatch.workerBytes" .) (include "zonalbatch.nannyBytes" .) -}}
{{- $given := (default dict .Values.workers.resources.limits).memory -}}
{{- if not $given -}}
{{- div (add $needed 1048575) 1048576 -}}Mi
{{- else if lt (include "zonalbatch.bytes" $given | int64) (int64 $needed) -}}
{{- fail (printf "workers.resources.limits.memory is %v, but a job whose limits.memory is %v MiB needs %v Mi in a worker's pod: leave it out, or lower limits.memory of the job" $given (div (include "zonalbatch.jobMemory" . | int64) 1048576) (div (add $needed 1048575) 1048576)) -}}
{{- else -}}
{{- $given -}}
{{- end -}}
{{- end -}}

{{/* What `dask worker` is told: the pod's memory without the nanny's. */}}
{{- define "zonalbatch.workerLimit" -}}
{{- sub (include "zonalbatch.bytes" (include "zonalbatch.workerMemory" .)) (include "zonalbatch.nannyBytes" .) -}}
{{- end -}}

{{/* Resources of a worker: memory is limited and requested alike, as its limit is used. */}}
{{- define "zonalbatch.workerResources" -}}
{{- $memory := include "zonalbatch.workerMemory" . -}}
{{- $given := deepCopy .Values.workers.resources -}}
{{- merge $given (dict "limits" (dict "memory" $memory)) (dict "requests" (dict "memory" $memory)) | toYaml -}}
{{- end -}}

{{/* Resources of the runner; workers within its pod come on top. */}}
{{- define "zonalbatch.runnerResources" -}}
{{- if and (eq .Values.mode "cron") (not .Values.cron.address) -}}
{{- $workers := mul (int64 .Values.cron.workers) (include "zonalbatch.workerBytes" . | int64) -}}
{{- $needed := add $workers 1073741824 -}}
{{- $memory := printf "%dMi" (div (add $needed 1048575) 1048576) -}}
{{- $given := deepCopy .Values.runner.resources -}}
{{- $cpu := dict "requests" (dict "cpu" (.Values.cron.workers | toString)) -}}
{{- merge (dict "limits" (dict "memory" $memory) "requests" (dict "memory" $memory)) $cpu $given | toYaml -}}
{{- else -}}
{{- toYaml .Values.runner.resources -}}
{{- end -}}
{{- end -}}
