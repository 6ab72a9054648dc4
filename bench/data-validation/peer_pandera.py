"""The suite in pandera on pandas or polars; what it has no check for in the frame's own words."""

import sys

source, engine = sys.argv[1:]
is_parquet = source.endswith("parquet")
if engine == "pandas":
    import pandas as pd
    import pandera.pandas as pa

    frame = pd.read_parquet(source) if is_parquet else pd.read_csv(source, parse_dates=["ts"])
else:
    import pandera.polars as pa
    import polars as pl

    frame = pl.read_parquet(source) if is_parquet else pl.read_csv(source, try_parse_dates=True)
column, check = pa.Column, pa.Check
pa.DataFrameSchema(
    {
        "id": column(unique=True),
        "age": column(None, check.between(0, 150), nullable=True),
        "income": column(None, check.between(0, 100000), nullable=True),
        "score": column(nullable=True),
        "f1": column(None, check.between(0, 1000)),
        "f2": column(None, check.between(-5, 5)),
        "country": column(None, check.isin(["KR", "US", "JP", "UK"])),
        "plan": column(None, check.isin(["basic", "plus", "pro"])),
        "seg": column(nullable=True),
        "email": column(None, check.str_matches(r"^user[0-9]+@mail[0-9]+\.com$")),
        "ts": column(),
        "label": column(None, check.isin([0, 1])),
    }
).validate(frame)
rows = len(frame)
assert rows >= 10000
if engine == "pandas":
    assert frame.isnull().mean().max() <= 0.05 and frame.duplicated().mean() <= 0.01
    assert frame.label.value_counts(normalize=True).min() >= 0.1
else:
    assert max(frame.null_count().row(0)) <= 0.05 * rows and 1 - frame.n_unique() / rows <= 0.01
    assert frame["label"].value_counts()["count"].min() >= 0.1 * rows
print(rows)
