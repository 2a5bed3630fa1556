"""Which labels of one photo contradict each other."""

import pytest

from poxlens.data.duplicates import Compatible, read_compatible
from poxlens.errors import ManifestError

KNOWN = ("mpox", "others", "chickenpox", "measles")


def test_equal_labels_agree_and_others_do_not():
    assert Compatible().agree("mpox", "mpox")
    assert not Compatible().agree("mpox", "measles")


def test_a_coarse_label_agrees_with_its_finer_ones_both_ways_but_they_not_with_each_other():
    rule = read_compatible(["others=chickenpox, measles"], KNOWN)
    assert rule.agree("others", "measles")
    assert rule.agree("chickenpox", "others")
    assert not rule.agree("chickenpox", "measles")
    assert not rule.agree("others", "mpox")


def test_rules_add_up():
    rule = read_compatible(["others=chickenpox", "others=measles"], KNOWN)
    assert rule == read_compatible(["others=chickenpox,measles"], KNOWN)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("others", "LABEL=LABEL"),
        ("=measles", "LABEL=LABEL"),
        ("others=", "LABEL=LABEL"),
        ("others=,", "LABEL=LABEL"),
        ("others=mumps", "no row has the label mumps"),
        ("rest=measles", "no row has the label rest"),
    ],
)
def test_faults_are_named(rule, told):
    with pytest.raises(ManifestError, match=told):
        read_compatible([rule], KNOWN)
