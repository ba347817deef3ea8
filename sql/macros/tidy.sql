{#
    A text without outer and repeated white space, no-break and zero-width
    spaces included; null where nothing is left. A single space is no match, so
    that few texts have one to replace.
#}
{% macro tidy(column) -%}
    {%- set odd = "\\t\\n\\f\\r\\x{A0}"
        ~ "\\x{2000}-\\x{200D}\\x{202F}\\x{3000}\\x{FEFF}" -%}
    nullif(
        trim(
            regexp_replace(
                {{ column }},
                '[{{ odd }}][ {{ odd }}]*| [ {{ odd }}]+',
                ' ',
                'g'
            )
        ),
        ''
    )
{%- endmacro %}
