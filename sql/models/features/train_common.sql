with

train as (
    select * from {{ ref('train') }}
),

genres as (
    select * from {{ ref('genres') }}
),

final as (
    select train.*
    from train
    inner join genres on train.genre = genres.genre
    where genres.is_common
)

select * from final
