"""The skops of genredb's own, which starts faster, allows what skops allows and nothing else."""

import json
import subprocess
import sys
from typing import Any

import pytest

# Started as a process, since other tests import skops itself.
SCRIPT = """
import json, sys
import numpy as np, scipy.special
names = {*dir(np), *dir(scipy.special)}
from genredb.songs.learn.classifiers import CLASSIFIERS
from genredb.songs.learn.quick_skops import QUICK, judge
said = {"is_hidden": "skops" not in sys.modules}
x, y = np.arange(60.0).reshape(20, 3) % 7, np.array(["pop", "rock"] * 10, dtype=object)
said["slow"] = []
for name, spec in CLASSIFIERS.items():
    content = QUICK.dumps(spec.make(20).fit(np.nan_to_num(x), y))
    skops, unknown = judge(content, spec.trusts)
    if unknown or skops is not QUICK:
        said["slow"].append(name)

import skops.io
from inspect import signature
from skops.io.exceptions import UnsupportedTypeException
from sklearn.utils import all_estimators
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import FunctionTransformer
said["is_whole"] = skops.io is not QUICK and names <= {*dir(np), *dir(scipy.special)}
asked = [GaussianMixture(), FunctionTransformer(np.log1p), FunctionTransformer(scipy.special.expit),
         FunctionTransformer(np.trapezoid)]
asked += [one() for _, one in all_estimators() if all(p.default is not p.empty for p in signature(one).parameters.values())]
said["asked"], said["other"], said["too_many"] = 0, [], []
for one in asked:
    try:
        content = skops.io.dumps(one)
    except UnsupportedTypeException:
        continue
    said["asked"] += 1
    allowed = skops.io.get_untrusted_types(data=content)
    if judge(content, [])[1] != allowed:
        said["other"].append(repr(one))
    if not set(allowed) <= set(QUICK.get_untrusted_types(data=content)):
        said["too_many"].append(repr(one))
said["refused"] = judge(skops.io.dumps(FunctionTransformer(np.trapezoid)), [])[1]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_built_in_classifiers_need_no_other_skops(said: dict[str, Any]) -> None:
    assert said["slow"] == []


def test_others_see_skops_as_it_is(said: dict[str, Any]) -> None:
    assert said["is_hidden"]
    assert said["is_whole"]


def test_it_allows_what_skops_allows(said: dict[str, Any]) -> None:
    assert said["asked"] > 150
    assert said["other"] == []
    assert said["too_many"] == []
    assert said["refused"]
