"""The suite in Great Expectations on pandas; what it has no expectation for (repeated rows, class shares) in pandas."""

import sys

import great_expectations as gx
import pandas as pd

source = sys.argv[1]
frame = pd.read_parquet(source) if source.endswith("parquet") else pd.read_csv(source, parse_dates=["ts"])
columns = "id age income score f1 f2 country plan seg email ts label".split()
context = gx.get_context(mode="ephemeral")
asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("rows")
batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
expect = gx.expectations
suite = gx.ExpectationSuite(
    name="suite",
    expectations=[
        expect.ExpectTableRowCountToBeBetween(min_value=10000),
        expect.ExpectTableColumnsToMatchSet(column_set=columns, exact_match=False),
        *(expect.ExpectColumnValuesToNotBeNull(column=column, mostly=0.95) for column in columns),
        expect.ExpectColumnValuesToBeBetween(column="age", min_value=0, max_value=150),
        expect.ExpectColumnValuesToBeBetween(column="income", min_value=0, max_value=100000),
        expect.ExpectColumnValuesToBeBetween(column="f1", min_value=0, max_value=1000),
        expect.ExpectColumnValuesToBeBetween(column="f2", min_value=-5, max_value=5),
        expect.ExpectColumnValuesToBeInSet(column="country", value_set=["KR", "US", "JP", "UK"]),
        expect.ExpectColumnValuesToBeInSet(column="plan", value_set=["basic", "plus", "pro"]),
        expect.ExpectColumnValuesToBeUnique(column="id"),
        expect.ExpectColumnValuesToMatchRegex(column="email", regex=r"^user[0-9]+@mail[0-9]+\.com$"),
    ],
)
result = batch.validate(suite)
assert result.success, [each.expectation_config.type for each in result.results if not each.success]
assert frame.duplicated().mean() <= 0.01 and frame.label.value_counts(normalize=True).min() >= 0.1
print(len(frame))
