--- models/b.sql
{{- ref('a') -}} x {{ ref('a') | upper }}
