{{/* Job: the document that the runner is given. */}}

{{/* Where the result goes, as a pod sees it. */}}
{{- define "zonalbatch.outputPath" -}}
{{- default (printf "/output/%s" .Values.output.folder) .Values.output.bucket -}}
{{- end -}}

{{/* The job of the values with the cluster and the path of the output put in. */}}
{{- define "zonalbatch.job" -}}
{{- $job := deepCopy .Values.job -}}
{{- $output := merge (dict "path" (include "zonalbatch.outputPath" .)) (default dict $job.output) -}}
{{- $_ := set $job "output" $output -}}
{{- $_ := set $job "cluster" (include "zonalbatch.jobCluster" . | fromYaml) -}}
{{- toYaml $job -}}
{{- end -}}

{{/* Whether workers are processes of the runner's own pod. */}}
{{- define "zonalbatch.ownWorkers" -}}
{{- if and (eq .Values.mode "cron") (not .Values.cron.address) }}true{{ end -}}
{{- end -}}

{{/* Certificates are said by the environment of the pod. */}}
{{- define "zonalbatch.jobCluster" -}}
{{- if eq .Values.mode "standalone" -}}
kind: listen
address: {{ include "zonalbatch.scheme" . }}://0.0.0.0:8786
dashboard: ":8787"
{{- else if include "zonalbatch.ownWorkers" . -}}
kind: local
workers: {{ int .Values.cron.workers }}
{{- else -}}
kind: address
address: {{ include "zonalbatch.schedulerAddress" . }}
{{- end -}}
{{- end -}}

{{/* Arguments of the runner. */}}
{{- define "zonalbatch.runArgs" -}}
- zonalbatch
- run
- /etc/zonalbatch/job.yaml
- --wait
- {{ .Values.run.wait | quote }}
{{- if .Values.run.okWithFailures }}
- --ok-with-failures
{{- end }}
{{- if .Values.run.retryFailed }}
- --retry-failed
{{- end }}
{{- if .Values.run.verify }}
- --verify
{{- end }}
{{- if .Values.run.prune }}
- --prune
{{- end }}
{{- if .Values.run.allowCode }}
- --allow-code
{{- end }}
{{- end -}}

{{/* A wrong job (2) and an output that cannot be written (4) fail at once. So do failures of single
     files that were recorded (3): rows are there. An eviction counts for nothing. */}}
{{- define "zonalbatch.runnerFailurePolicy" -}}
{{- if semverCompare ">=1.29-0" .Capabilities.KubeVersion.Version }}
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes:
        containerName: runner
        operator: In
        values: [2, 3, 4]
    - action: Ignore
      onPodConditions:
        - type: DisruptionTarget
          status: "True"
{{- end }}
{{- end -}}

{{- define "zonalbatch.runnerEnv" -}}
{{- concat (include "zonalbatch.tlsEnv" . | fromYamlArray) .Values.extraEnv | toYaml -}}
{{- end -}}
