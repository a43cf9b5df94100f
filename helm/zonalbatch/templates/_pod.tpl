{{/* Pod: what all pods share, so that none of them has more rights than it needs. */}}

{{/* Takes (dict "root" $ "part" "runner"). */}}
{{- define "zonalbatch.podSettings" -}}
{{- $values := .root.Values -}}
{{- $own := index $values .part -}}
{{- $spot := fromYaml (include "zonalbatch.spot" .) -}}
serviceAccountName: {{ include "zonalbatch.serviceAccountName" .root }}
automountServiceAccountToken: false
{{/* Links of a Service called zonalbatch would be ZONALBATCH_SERVICE_PORT and the like, which look
     like settings of the service. */ -}}
enableServiceLinks: false
terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
  {{- range $key, $id := $values.securityContext }}
  {{- if not (kindIs "invalid" $id) }}
  {{ $key }}: {{ int64 $id }}
  {{- end }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with merge (deepCopy $own.nodeSelector) $spot.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat $own.tolerations $spot.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where spot nodes are, and the taint that keeps others off them; EKS sets no taint by itself. */}}
{{- define "zonalbatch.spot" -}}
{{- $spot := ternary .root.Values.workers.spot "none" (eq .part "workers") -}}
{{- $keys := dict "gke" "cloud.google.com/gke-spot" "eks" "eks.amazonaws.com/capacityType" "aks" "kubernetes.azure.com/scalesetpriority" "karpenter" "karpenter.sh/capacity-type" -}}
{{- $words := dict "gke" "true" "eks" "SPOT" "aks" "spot" "karpenter" "spot" -}}
{{- if eq $spot "none" -}}
nodeSelector: {}
tolerations: []
{{- else -}}
nodeSelector:
  {{ get $keys $spot }}: {{ get $words $spot | quote }}
tolerations:
  - key: {{ get $keys $spot }}
    operator: Equal
    value: {{ get $words $spot | quote }}
    effect: NoSchedule
{{- end -}}
{{- end -}}

{{/* Image, rights and mounts of a container. Takes (dict "root" $ "part" "runner"). */}}
{{- define "zonalbatch.containerSettings" -}}
{{- $values := .root.Values -}}
image: {{ include "zonalbatch.image" .root }}
imagePullPolicy: {{ $values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- if eq .part "runner" }}
  - name: job
    mountPath: /etc/zonalbatch
    readOnly: true
  {{- end }}
  {{- if $values.tls.existingSecret }}
  - name: tls
    mountPath: /etc/zonalbatch-tls
    readOnly: true
  {{- end }}
  {{- if ne .part "scheduler" }}
  {{- if include "zonalbatch.hasClaim" .root }}
  - name: output
    mountPath: /output
  {{- end }}
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- with $values.credentials.existingSecret }}
{{- if ne $.part "scheduler" }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "zonalbatch.volumes" -}}
{{- $values := .root.Values -}}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: {{ $values.tmp.sizeLimit }}
  {{- if eq .part "runner" }}
  - name: job
    configMap:
      name: {{ include "zonalbatch.jobName" .root }}
  {{- end }}
  {{- with $values.tls.existingSecret }}
  - name: tls
    secret:
      secretName: {{ . }}
      defaultMode: 0440
  {{- end }}
  {{- if ne .part "scheduler" }}
  {{- if include "zonalbatch.hasClaim" .root }}
  - name: output
    persistentVolumeClaim:
      claimName: {{ include "zonalbatch.claimName" .root }}
  {{- end }}
  {{- with $values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- define "zonalbatch.hasClaim" -}}
{{- with .Values.output.claim }}{{ if or .existing .size }}true{{ end }}{{ end -}}
{{- end -}}

{{- define "zonalbatch.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}
