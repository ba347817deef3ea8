select count(*) as songs, sum(twice) as twice from {{ ref("by_pandas") }}
