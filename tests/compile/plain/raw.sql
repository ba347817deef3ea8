--- models/b.sql
{% raw %}{{ ref('a') }}{% endraw %}
