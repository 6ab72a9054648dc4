"""What Great Expectations says of each expectation, one by one: reads {path, expectations} lists as JSON, writes verdicts."""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import great_expectations as gx
import pandas as pd
from great_expectations.expectations.registry import get_expectation_impl

context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False, "metric_calculations": False}
source = context.data_sources.add_pandas("pandas")


def frame_of(path):
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


verdicts = []
for number, table in enumerate(json.load(sys.stdin)):
    asset = source.add_dataframe_asset(f"table {number}")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame_of(table["path"])})
    suite = gx.ExpectationSuite(name=f"suite {number}")
    asked = []
    for entry in table["expectations"]:
        try:
            expectation = get_expectation_impl(entry["type"])(**entry["kwargs"], meta={"at": len(asked)})
            suite.expectations.append(expectation)
            asked.append(None)
        except Exception as error:
            asked.append({"verdict": "error", "said": f"{type(error).__name__}: {error}"[:300]})
    for result in batch.validate(suite).to_json_dict()["results"]:
        info = result["exception_info"]
        raised = any(isinstance(each, dict) and each.get("raised_exception") for each in [info, *info.values()])
        found = result.get("result") or {}
        asked[result["expectation_config"]["meta"]["at"]] = {
            "verdict": "error" if raised else "pass" if result["success"] else "fail",
            "unexpected": found.get("unexpected_count"),
            "observed": str(found.get("observed_value"))[:100],
            "said": str(info)[:300] if raised else None,
        }
    verdicts.extend(asked)
json.dump(verdicts, sys.stdout, default=str)
