--- models/b.sql
{% if true %}{{ ref('a') }}{% endif %} {# note #}
