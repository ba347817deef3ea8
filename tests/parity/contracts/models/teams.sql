select i::integer as id, i * 2 as double_id, 'team ' || i as name from range(1, {{ var('last') }} + 1) as t(i)
