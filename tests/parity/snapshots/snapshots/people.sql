{# Two in a file. #}
{% snapshot by_time %}
    {{ config(strategy='timestamp', unique_key='id', updated_at='changed_at') }}
    select * exclude (first_day, last_day) from {{ ref('people') }}
{% endsnapshot %}

{% snapshot with_deletes %}
    {{
        config(
            target_schema='kept',
            strategy='timestamp',
            unique_key="id || '-' || name",
            updated_at='changed_at',
            invalidate_hard_deletes=True
        )
    }}
    select id, name, city, changed_at from {{ ref('people') }}
{% endsnapshot %}
