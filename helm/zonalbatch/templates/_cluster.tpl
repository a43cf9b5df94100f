{{/* Cluster: scheduler and workers as the Dask operator makes them, of a DaskJob and of a cluster
     that stays. */}}

{{- define "zonalbatch.clusterSpec" -}}
scheduler:
  metadata:
    {{- include "zonalbatch.podMetadata" (dict "root" . "part" "scheduler") | nindent 4 }}
  spec:
    {{- $part := dict "root" . "part" "scheduler" }}
    {{- include "zonalbatch.podSettings" $part | nindent 4 }}
    {{- include "zonalbatch.volumes" $part | nindent 4 }}
    containers:
      - name: scheduler
        {{- include "zonalbatch.containerSettings" $part | nindent 8 }}
        args:
          {{- include "zonalbatch.schedulerArgs" . | nindent 10 }}
        env:
          {{- include "zonalbatch.settings" . | nindent 10 }}
          {{- include "zonalbatch.routes" . | nindent 10 }}
          {{- with include "zonalbatch.tlsEnv" . }}{{ . | trim | nindent 10 }}{{ end }}
        ports:
          - {name: tcp-comm, containerPort: 8786, protocol: TCP}
          - {name: http-dashboard, containerPort: 8787, protocol: TCP}
        # Its pages are plain HTTP, also where it speaks TLS to workers and clients.
        readinessProbe:
          httpGet: {path: /health, port: http-dashboard}
          periodSeconds: 5
          timeoutSeconds: 5
        livenessProbe:
          httpGet: {path: /health, port: http-dashboard}
          initialDelaySeconds: 30
          periodSeconds: 20
          timeoutSeconds: 15
          failureThreshold: 6
        resources:
          {{- include "zonalbatch.amounts" .Values.scheduler.resources | trim | nindent 10 }}
  service:
    type: {{ ternary "ClusterIP" .Values.scheduler.serviceType (not (empty (include "zonalbatch.ownCluster" .))) }}
    selector:
      dask.org/cluster-name: {{ include "zonalbatch.clusterName" . }}
      dask.org/component: scheduler
    ports:
      - {name: tcp-comm, protocol: TCP, port: 8786, targetPort: tcp-comm}
      - {name: http-dashboard, protocol: TCP, port: 8787, targetPort: http-dashboard}
worker:
  replicas: {{ include "zonalbatch.replicas" . }}
  metadata:
    {{- include "zonalbatch.podMetadata" (dict "root" . "part" "workers") | nindent 4 }}
  spec:
    {{- $part := dict "root" . "part" "workers" }}
    {{- include "zonalbatch.podSettings" $part | nindent 4 }}
    {{- include "zonalbatch.volumes" $part | nindent 4 }}
    containers:
      - name: worker
        {{- include "zonalbatch.containerSettings" $part | nindent 8 }}
        args:
          {{- include "zonalbatch.workerArgs" (dict "root" . "name" "$(DASK_WORKER_NAME)") | nindent 10 }}
          {{- if .Values.tls.existingSecret }}
          - {{ include "zonalbatch.workersAddress" . }}
          {{- end }}
        env:
          {{- include "zonalbatch.settings" . | nindent 10 }}
          {{- with include "zonalbatch.tlsEnv" . }}{{ . | trim | nindent 10 }}{{ end }}
          {{- with include "zonalbatch.tlsAddress" . }}{{ . | trim | nindent 10 }}{{ end }}
          {{- with .Values.extraEnv }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
        resources:
          {{- include "zonalbatch.workerResources" . | trim | nindent 10 }}
{{- end -}}

{{/* Workers to begin with; where nothing scales them, as many as there may be. */}}
{{- define "zonalbatch.replicas" -}}
{{- with .Values.workers -}}
{{- if kindIs "invalid" .maximum }}{{ int .replicas }}{{ else if eq $.Values.mode "standalone" }}{{ int .maximum }}{{ else }}{{ int .minimum }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "zonalbatch.autoscaled" -}}
{{- with .Values.workers }}{{ if not (kindIs "invalid" .maximum) }}{{ if gt (int .maximum) (int .minimum) }}true{{ end }}{{ end }}{{ end -}}
{{- end -}}

{{/* Whether the release has a DaskCluster of its own. */}}
{{- define "zonalbatch.ownCluster" -}}
{{- if or (eq .Values.mode "cluster") (and (eq .Values.mode "service") .Values.service.jobs (not .Values.service.cluster.address)) }}true{{ end -}}
{{- end -}}

{{/* Whether it runs the job of the values. */}}
{{- define "zonalbatch.runsJob" -}}
{{- if has .Values.mode (list "operator" "standalone" "cron") }}true{{ end -}}
{{- end -}}
