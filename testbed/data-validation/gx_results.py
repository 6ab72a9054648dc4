"""Reads exported results as Great Expectations reads its own, and makes its pages of them: writes what it found as JSON."""

import html
import json
import sys
import warnings

warnings.filterwarnings("ignore")
# Great Expectations logs to where it finds standard output.
answer, sys.stdout = sys.stdout, sys.stderr

from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResultSchema
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

found = []
for written in json.load(sys.stdin):
    result = ExpectationSuiteValidationResultSchema().load(written)
    again = result.to_json_dict()
    for each in result.results:
        # The expectation as an object: a type it knows, with parameters it takes.
        assert each.expectation.expectation_type == each.expectation_config.type
        each.render()
    severity = result.get_max_severity_failure()
    found.append(
        {
            "success": result.success,
            "asset": result.asset_name,
            "evaluated": result.statistics["evaluated_expectations"],
            "successful": sum(each.success for each in result.results),
            "failed": len(result.get_failed_validation_results().results),
            "raised": sum(each.exception_info["raised_exception"] for each in result.results),
            "severity": None if severity is None else severity.value,
            "same": all(again[key] == value for key, value in written.items()),
            "page": html.unescape(DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))),
        }
    )
json.dump(found, answer)
