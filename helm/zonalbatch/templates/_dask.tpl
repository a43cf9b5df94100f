{{/* Dask: how scheduler and workers are called, and what they are set to. */}}

{{- define "zonalbatch.scheme" -}}
{{ ternary "tls" "tcp" (not (empty .Values.tls.existingSecret)) }}
{{- end -}}

{{/* Where clients find the scheduler. */}}
{{- define "zonalbatch.schedulerAddress" -}}
{{- if and (eq .Values.mode "cron") .Values.cron.address -}}
{{ .Values.cron.address }}
{{- else if and (eq .Values.mode "service") .Values.service.cluster.address -}}
{{ .Values.service.cluster.address }}
{{- else -}}
{{ include "zonalbatch.scheme" . }}://{{ include "zonalbatch.schedulerHost" . }}:8786
{{- end -}}
{{- end -}}

{{/* Of a cluster that stays by a Service of this chart, which outlives it. */}}
{{- define "zonalbatch.schedulerHost" -}}
{{- $name := include "zonalbatch.clusterName" . -}}
{{- if include "zonalbatch.ownCluster" . }}{{ $name = include "zonalbatch.fullname" . }}{{ end -}}
{{ $name }}-scheduler.{{ .Release.Namespace }}.svc
{{- end -}}

{{/* Where workers find theirs, by a name that no other cluster has. */}}
{{- define "zonalbatch.workersAddress" -}}
{{ include "zonalbatch.scheme" . }}://{{ include "zonalbatch.clusterName" . }}-scheduler.{{ .Release.Namespace }}.svc:8786
{{- end -}}

{{/* As zonalbatch.clusters.SETTINGS says, which holds for clusters that zonalbatch starts itself. */}}
{{- define "zonalbatch.settings" -}}
- {name: DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION, value: "1.0"}
- {name: DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES, value: "0"}
- {name: DASK_DISTRIBUTED__SCHEDULER__DEFAULT_TASK_DURATIONS, value: "{'part': '60s'}"}
- {name: DASK_DISTRIBUTED__WORKER__MEMORY__TARGET, value: "False"}
- {name: DASK_DISTRIBUTED__WORKER__MEMORY__SPILL, value: "False"}
- {name: DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE, value: "False"}
- {name: DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE, value: "1.0"}
{{- end -}}

{{/* Dask's own routes and its API, by which the operator asks how many workers are wanted and
     retires them; with TLS there is no other way for it. */}}
{{- define "zonalbatch.routes" -}}
- name: DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES
  value: >-
    ["distributed.http.scheduler.prometheus", "distributed.http.scheduler.info",
    "distributed.http.scheduler.json", "distributed.http.scheduler.api",
    "distributed.http.health", "distributed.http.proxy", "distributed.http.statics"]
{{- end -}}

{{/* The certificates, by Dask's own settings: scheduler, workers and clients find what is theirs.
     Not of workers within the runner's pod: they speak tcp on its loopback, which would be refused. */}}
{{- define "zonalbatch.tlsEnv" -}}
{{- if and .Values.tls.existingSecret (not (include "zonalbatch.ownWorkers" .)) }}
- {name: DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION, value: "True"}
- {name: DASK_DISTRIBUTED__COMM__TLS__CA_FILE, value: /etc/zonalbatch-tls/ca.crt}
{{- range list "SCHEDULER" "WORKER" "CLIENT" }}
- {name: DASK_DISTRIBUTED__COMM__TLS__{{ . }}__CERT, value: /etc/zonalbatch-tls/tls.crt}
- {name: DASK_DISTRIBUTED__COMM__TLS__{{ . }}__KEY, value: /etc/zonalbatch-tls/tls.key}
{{- end }}
{{- end }}
{{- end -}}

{{/* The operator adds an address of its own, which is always tcp://, where there is none. */}}
{{- define "zonalbatch.tlsAddress" -}}
{{- if .Values.tls.existingSecret }}
- {name: DASK_SCHEDULER_ADDRESS, value: {{ include "zonalbatch.workersAddress" . | quote }}}
{{- end }}
{{- end -}}

{{- define "zonalbatch.schedulerArgs" -}}
- dask
- scheduler
- --protocol
- {{ include "zonalbatch.scheme" . }}
- --host
- 0.0.0.0
- --port
- "8786"
- --dashboard-address
- ":8787"
{{- end -}}

{{/* Takes (dict "root" $ "name" of the worker); a scheduler's address may follow. Of the operator's
     workers the name is that of their Deployment, by which it takes away those that were retired. */}}
{{- define "zonalbatch.workerArgs" -}}
- zonalbatch
- worker
- --name
- {{ .name }}
- --memory-limit
- {{ include "zonalbatch.workerLimit" .root | quote }}
- --death-timeout
- {{ .root.Values.workers.deathTimeout | quote }}
{{- end -}}
