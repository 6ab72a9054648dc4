"""Writes reference.json: texts of metrics, with what prometheus_client's parsers read from them.

Run it where prometheus_client 0.26 is installed, then `npm run format`; the tests read only the file. Half the texts are written by
prometheus_client itself from random registries, in both formats; the others are put together by hand, to hold what its writers never
write: timestamps, odd spacing, escapes, numbers in every form, quoted names.
"""

import json
import math
import pathlib
import random

import prometheus_client as client
from prometheus_client import exposition
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

rng = random.Random(20261121)
CHARS = ["a", "B", "7", " ", "\\", '"', "\n", "{", "}", ",", "=", "#", "é", "模", "\u2028", "\t"]


def text():
    return "".join(rng.choice(CHARS) for _ in range(rng.randrange(8)))


def number():
    return rng.choice([0.0, 1.0, rng.random(), rng.random() * 1e9, rng.random() * 1e-9, float(rng.randrange(1000)), math.inf])


def shown(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return value


def random_registry():
    registry = client.CollectorRegistry()
    for index in range(rng.randrange(1, 5)):
        kind = rng.choice(["counter", "gauge", "histogram", "summary", "info", "enum"])
        labels = ["model_name", "version"][: rng.randrange(3)]
        name, about = f"{kind}_{index}", text()
        settings = {"labelnames": labels, "registry": registry}
        values = [[text() for _ in labels] for _ in range(rng.randrange(1, 3))] if labels else [[]]
        if kind == "counter":
            metric = client.Counter(name, about, **settings)
        elif kind == "gauge":
            metric = client.Gauge(name, about, **settings)
        elif kind == "histogram":
            metric = client.Histogram(name, about, buckets=sorted({0.1, 1, 2.5, rng.random(), 1e6}), **settings)
        elif kind == "summary":
            metric = client.Summary(name, about, **settings)
        elif kind == "info":
            metric = client.Info(name, about, **settings)
        else:
            metric = client.Enum(name, about, states=["starting", "ready"], **settings)
        for value in values:
            one = metric.labels(*value) if labels else metric
            for _ in range(rng.randrange(4)):
                if kind == "counter":
                    exemplar = {"trace_id": "a1"} if rng.random() < 0.5 else None
                    one.inc(rng.random() * 10, exemplar)
                elif kind == "gauge":
                    one.set(rng.choice([number(), -number(), math.nan]))
                elif kind == "histogram":
                    exemplar = {"trace_id": f"t{rng.randrange(99)}"} if rng.random() < 0.5 else None
                    one.observe(rng.random() * 4, exemplar)
                elif kind == "summary":
                    one.observe(rng.random() * 4)
                elif kind == "info":
                    one.info({"build": text()})
                else:
                    one.state("ready")
    return registry


PROMETHEUS = [
    "",
    "\n\n# just a comment\n#HELP a not metadata to Python\n",
    'a 1\nb{c="d"} 2\n',
    'a{b="c",} 1\n',
    'a { b = "c" , d = "e" } 1 \n',
    "a\t1\t1234\n",
    "a 1 -1500000000000\n",
    'a{b="\\\\ \\" \\n"} 1\n',
    'a{b="\\x"} 1\n',
    'a{b="}"} 1\na{b="{,="} 2\na{b="#"} 3\n',
    "a +Inf\nb -Inf\nc NaN\nd 1e3\ne .5\nf 5.\ng +3\nh -2E-3\ni Inf\nj nan\n",
    "# HELP a line one\\nline two \\\\ end\n# TYPE a gauge\na 1\n",
    "# TYPE a counter\na_total 1\n",
    "# TYPE a_total counter\na_total 1\n",
    "# TYPE a counter\na 1\n",
    '# TYPE h histogram\nh_bucket{le="0.1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3.5\nh_count 2\n',
    '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 3\ns_count 2\n',
    "# TYPE g gauge\ng 1\ng_sum 2\n",
    "h_bucket 1\n# TYPE k untyped\nk 2\n",
    "a:b:c 1\n:d 2\n_e 3\n",
    '{"a.b"} 1\n{"c d",e="f"} 2\n',
    '# TYPE "a.b" gauge\n{"a.b","é"="x"} 1\n',
    "# HELP a \n# TYPE a gauge\na 0\n",
    "# UNIT a seconds\na 1\n",
]
OPENMETRICS = [
    "# EOF\n",
    "# TYPE a counter\n# HELP a x\na_total 1\n# EOF\n",
    "# TYPE a counter\na_total 1 1.5\na_created 1.25 1.5\n# EOF\n",
    "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n# HELP a_seconds say \\\"it\\\"\\nnow\na_seconds 1\n# EOF\n",
    '# TYPE a counter\na_total 1 # {id="x"} 0.5 1.5\n# EOF\n',
    '# TYPE h histogram\nh_bucket{le="1.0"} 1 # {id="x"} 0.5\nh_bucket{le="+Inf"} 2\nh_count 2\nh_sum 3\n# EOF\n',
    '# TYPE h gaugehistogram\nh_bucket{le="1.0"} 1\nh_bucket{le="+Inf"} 2\nh_gcount 2\nh_gsum 3\n# EOF\n',
    '# TYPE i info\ni_info{v="1"} 1\n# EOF\n',
    '# TYPE s stateset\ns{s="on"} 1\ns{s="off"} 0\n# EOF\n',
    "# TYPE u unknown\nu 1\n# EOF\n",
    "a 1\n# EOF\n",
    '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 3\ns_count 2\ns_created 1\n# EOF\n',
    '# TYPE "a.b" gauge\n{"a.b",c="d"} 1\n# EOF\n',
]
WRONG = [
    ("prometheus", "a\n"),
    ("prometheus", "a b\n"),
    ("prometheus", 'a{b="c} 1\n'),
    ("prometheus", 'a{b=c} 1\n'),
    ("prometheus", 'a{b="c" 1\n'),
    ("prometheus", 'a{b="1",b="2"} 1\n'),
    ("prometheus", "# TYPE a nonsense\na 1\n"),
    ("openmetrics", "a 1\n"),
    ("openmetrics", "a 1\n# EOF\na 2\n"),
    ("openmetrics", "# TYPE a counter\n# TYPE a counter\na_total 1\n# EOF\n"),
    ("openmetrics", "# HELP a x\n# HELP a y\na 1\n# EOF\n"),
    ("openmetrics", "# TYPE a counter\na_total 1 # 0.5\n# EOF\n"),
    ("openmetrics", "a 1 x\n# EOF\n"),
    ("openmetrics", "# TYPE a\na 1\n# EOF\n"),
]


def read(form, written):
    parse = read_openmetrics if form == "openmetrics" else read_prometheus
    families = []
    for family in parse(written):
        samples = []
        for sample in family.samples:
            entry = {"name": sample.name, "labels": sample.labels, "value": shown(sample.value)}
            if sample.timestamp is not None:
                entry["timestamp"] = float(sample.timestamp)
            if sample.exemplar is not None:
                exemplar = sample.exemplar
                entry["exemplar"] = {"labels": exemplar.labels, "value": shown(exemplar.value)}
                if exemplar.timestamp is not None:
                    entry["exemplar"]["timestamp"] = float(exemplar.timestamp)
            samples.append(entry)
        families.append({"name": family.name, "type": family.type, "help": family.documentation, "samples": samples})
    return families


def case(form, written):
    return {"format": form, "text": written, "families": read(form, written)}


cases = []
for _ in range(60):
    registry = random_registry()
    cases.append(case("prometheus", exposition.generate_latest(registry).decode()))
    cases.append(case("openmetrics", openmetrics.generate_latest(registry).decode()))
cases += [case("prometheus", written) for written in PROMETHEUS]
cases += [case("openmetrics", written) for written in OPENMETRICS]

wrong = []
for form, written in WRONG:
    try:
        read(form, written)
    except ValueError:
        wrong.append({"format": form, "text": written})
    else:
        raise SystemExit(f"prometheus_client reads {written!r}")

path = pathlib.Path(__file__).parent / "reference.json"
path.write_text(json.dumps({"prometheus_client": "0.26.0", "cases": cases, "wrong": wrong}, ensure_ascii=True) + "\n")
