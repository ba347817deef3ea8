{% snapshot recorded %}
    {{ config(strategy='timestamp', unique_key='id', updated_at='changed_at', hard_deletes='new_record', alias='log') }}
    select id, name, city, changed_at from {{ ref('people') }}
{% endsnapshot %}
