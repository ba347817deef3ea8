--- models/b.sql
{{ ref('a') }} }}
