{{ config(materialized='table', meta={'owner': 'nobody', 'level': 3}) }}
{% set ns = namespace(total=0) %}
{% for number in range(5) %}{% if number == 3 %}{% break %}{% endif %}{% set ns.total = ns.total + number %}{% endfor %}
{% set pairs = zip(var('colours'), ['a', 'b']) | list %}
{% set parsed = fromjson('{"k": [1, 2]}') %}
select
    '{{ model.name }}' as model_name,
    '{{ model.alias }}' as alias_name,
    '{{ project_name }}' as project,
    '{{ target.schema }}' as target_schema,
    '{{ target.type }}' as kind,
    '{{ this.schema }}' as own_schema,
    '{{ config.get("meta")["owner"] }}' as owner,
    {{ config.get('nothing', default=9) }} as fallback,
    {{ ns.total }} as total,
    '{{ pairs[1][1] }}' as pair,
    {{ var('limits')['high'] }} as high,
    {{ var('unset', 42) }} as unset,
    '{{ env_var("JINJA_WORD", "hello") }}' as word,
    {{ shout('dbt') }} as loud,
    '{% call wrapped("name") %} inside {% endcall %}' as called,
    '{{ many(1, 2, last="z") }}' as many_arguments,
    {{ parsed.k | length }} as parsed_length,
    '{{ tojson({"a": 1}) }}' as as_json,
    '{{ local_md5("x") }}' as hashed,
    '{{ modules.datetime.date(2020, 2, 29).isoformat() }}' as leap_day,
    '{{ modules.re.sub("[aeiou]", "_", "vowels") }}' as no_vowels,
    {{ (set([1, 1, 2]) | length) }} as distinct_numbers,
    '{{ "yes" if flags.FULL_REFRESH else "no" }}' as is_full_refresh,
    '{{ jinjas.shout("own") | replace("'", "") }}' as by_package,
    {{ 'true' if is_incremental() else 'false' }} as is_incremental
