"""Reads policies of IAM, a line of JSON each, and writes what parliament finds in each, a line of JSON each: [{issue, detail}]."""

import json
import sys

import parliament

for line in sys.stdin:
    policy = parliament.analyze_policy_string(line, ignore_private_auditors=True)
    found = [{"issue": one.issue, "detail": one.detail or str(one.location)} for one in policy.findings]
    print(json.dumps(found, default=str), flush=True)
