select 'common' as package, '{{ var("currency") }}' as currency
