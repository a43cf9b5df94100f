{{/* Names: what the resources of a release are called. */}}

{{- define "zonalbatch.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's and the chart's name, or one of them where it says both. */}}
{{- define "zonalbatch.fullname" -}}
{{- $name := include "zonalbatch.name" . -}}
{{- $release := replace "." "-" .Release.Name -}}
{{- $both := ternary $release (printf "%s-%s" $release $name) (contains $name $release) -}}
{{- $full := default $both .Values.fullnameOverride -}}
{{- if gt (len $full) 40 -}}
{{- fail (printf "the name %s has %d characters, and 40 at most leave room for what is added to it: install under a shorter name, or set fullnameOverride" $full (len $full)) -}}
{{- end -}}
{{- $full -}}
{{- end -}}

{{/* Of what cannot be changed once it is there: a DaskJob (the operator hears of creation only), a
     Job, and what belongs to it. Each revision has its own. */}}
{{- define "zonalbatch.revisionName" -}}
{{ include "zonalbatch.fullname" . }}-r{{ .Release.Revision }}
{{- end -}}

{{/* Of the ConfigMap. A run of a CronJob that an upgrade meets may be tried again after it, and finds
     the job by the same name. */}}
{{- define "zonalbatch.jobName" -}}
{{- if eq .Values.mode "cron" }}{{ include "zonalbatch.fullname" . }}{{ else }}{{ include "zonalbatch.revisionName" . }}{{ end -}}
{{- end -}}

{{- define "zonalbatch.serviceAccountName" -}}
{{- default (ternary (include "zonalbatch.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "zonalbatch.claimName" -}}
{{- default (printf "%s-output" (include "zonalbatch.fullname" .)) .Values.output.claim.existing -}}
{{- end -}}

{{/* Of scheduler and workers: as the job's they are there for; or of a DaskCluster that stays, by
     what it is made of: the operator does not change one that is there, so another image or other
     resources make another cluster. A number of workers it does change. */}}
{{- define "zonalbatch.clusterName" -}}
{{- if has .Values.mode (list "operator" "standalone") -}}
{{ include "zonalbatch.revisionName" . }}
{{- else -}}
{{- $shared := pick .Values "image" "output" "credentials" "extraEnv" "extraVolumes" "extraVolumeMounts" "tls" "serviceAccount" "securityContext" "tmp" "terminationGracePeriodSeconds" "runner" "scheduler" -}}
{{- $workers := omit .Values.workers "replicas" "minimum" "maximum" -}}
{{- $made := dict "shared" $shared "workers" $workers "chart" .Chart.Version "app" .Chart.AppVersion -}}
{{ include "zonalbatch.fullname" . }}-{{ toJson $made | sha256sum | trunc 8 }}
{{- end -}}
{{- end -}}
