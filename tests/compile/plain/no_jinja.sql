--- models/b.sql
no jinja at all

