"""The suite as somebody who knows SQL writes it: three statements."""

import sys

import duckdb

source = f"'{sys.argv[1]}'"
columns = "id age income score f1 f2 country plan seg email ts label".split()
database = duckdb.connect()
counts = ", ".join(f"count({column})" for column in columns)
row = database.execute(
    f"""SELECT count(*), {counts},
      count(*) FILTER (age NOT BETWEEN 0 AND 150), count(*) FILTER (income NOT BETWEEN 0 AND 100000),
      count(*) FILTER (f1 NOT BETWEEN 0 AND 1000), count(*) FILTER (f2 NOT BETWEEN -5 AND 5),
      count(*) FILTER (country NOT IN ('KR', 'US', 'JP', 'UK')), count(*) FILTER (plan NOT IN ('basic', 'plus', 'pro')),
      count(*) FILTER (NOT regexp_full_match(email, 'user[0-9]+@mail[0-9]+\\.com')), count(DISTINCT id)
    FROM {source}"""
).fetchone()
labels = database.execute(f"SELECT label, count(*) FROM {source} GROUP BY 1").fetchall()
(rows,) = database.execute(
    f"SELECT count(*) FROM (SELECT hash({', '.join(columns)}) AS h FROM {source} GROUP BY 1)"
).fetchone()
assert min(row[1:13]) >= 0.95 * row[0] and not any(row[13:20]) and row[20] == row[0] == rows, row
assert min(count for _, count in labels) >= 0.1 * row[0], labels
print(row[0])
