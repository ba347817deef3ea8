{#
    Repairs a text value whose UTF-8 bytes were once read as cp1252 ("CÃ©line" for "Céline").

    Each character is taken back to the byte it was read from (cp1252 leaves five bytes without a
    character; they come as the control characters of that number), and the bytes are read as UTF-8. That
    is done only where every character beyond ASCII belongs to a sequence that misread UTF-8 plausibly
    leaves: a Latin letter or sign (two characters, the first of Â Ã Ä Å), Greek or Cyrillic letters (two
    characters, the first of Î Ï Ð Ñ, at least twice in a row somewhere), or longer sequences (from à on).
    So "Céline", "Strauß’s" and "CAFÉ’S" stay as they are.
#}
{% macro repair_mojibake(column) -%}
    {%- set characters = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ" -%}
    {%- set byte = "[\\x{80}-\\x{BF}" ~ characters ~ "]" -%}
    {%- set bytes = [
        "80", "82", "83", "84", "85", "86", "87", "88", "89", "8A", "8B", "8C", "8E", "91",
        "92", "93", "94", "95", "96", "97", "98", "99", "9A", "9B", "9C", "9E", "9F",
    ] -%}
    case
        when
            regexp_matches({{ column }}, '[Â-ô]')
            and regexp_full_match(
                {{ column }},
                '([\x{01}-\x{7F}]|[ÂÃÄÅÎÏÐÑ]{{ byte }}|[à-ï]{{ byte }}{2}|[ð-ô]{{ byte }}{3})*'
            )
            and (
                not regexp_matches({{ column }}, '[ÎÏÐÑ]{{ byte }}')
                or regexp_matches({{ column }}, '([ÎÏÐÑ]{{ byte }}){2}')
            )
            then coalesce(
                try(decode(unhex(array_to_string(
                    list_transform(
                        string_split(
                            translate(
                                {{ column }},
                                '{{ characters }}',
                                decode(unhex('{% for number in bytes %}C2{{ number }}{% endfor %}'))
                            ),
                            ''
                        ),
                        lambda character: format('{:02X}', unicode(character))
                    ),
                    ''
                )))),
                {{ column }}
            )
        else {{ column }}
    end
{%- endmacro %}
