select 'store' as package, '{{ var("currency") }}' as currency
