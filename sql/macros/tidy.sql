{#
    A text without outer and repeated white space, no-break and zero-width
    spaces included; null where nothing is left.
#}
{% macro tidy(column) -%}
    nullif(
        trim(
            regexp_replace(
                {{ column }},
                '[\s\x{A0}\x{2000}-\x{200D}\x{202F}\x{3000}\x{FEFF}]+',
                ' ',
                'g'
            )
        ),
        ''
    )
{%- endmacro %}
