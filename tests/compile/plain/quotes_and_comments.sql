--- models/b.sql
select '{' || '}' from {{ ref( 'small' , 'a' ) }} -- {{ ref('a') }}
