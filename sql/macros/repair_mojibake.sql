{#
    Repairs a text value whose UTF-8 bytes were once read as cp1252 ("CÃ©line" for "Céline").

    Each character is taken back to the byte it was read from (cp1252 leaves five bytes without a
    character; they come as the control characters of that number). If the bytes are UTF-8, they are the
    text that was meant; if not, the value was right as it stood, and stays. A value is looked at only if
    every character can come from a byte and some pair of them could be such a sequence.
#}
{% macro repair_mojibake(column) -%}
    {%- set characters = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ" -%}
    {%- set bytes = [
        "80", "82", "83", "84", "85", "86", "87", "88", "89", "8A", "8B", "8C", "8E", "91",
        "92", "93", "94", "95", "96", "97", "98", "99", "9A", "9B", "9C", "9E", "9F",
    ] -%}
    case
        when
            regexp_matches({{ column }}, '[Â-ô][\x{80}-\x{BF}{{ characters }}]')
            and regexp_full_match({{ column }}, '[\x{01}-\x{FF}{{ characters }}]*')
            then coalesce(
                try(decode(unhex(array_to_string(
                    list_transform(
                        string_split(
                            translate(
                                {{ column }},
                                '{{ characters }}',
                                decode(unhex('{% for byte in bytes %}C2{{ byte }}{% endfor %}'))
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
