from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poxlens.photo.decode import UNREADABLE
from poxlens.photo.quality import ADVICE, QualityCheck
from poxlens.screen.context import Context
from poxlens.screen.decision import CONCERN, Decision, Outcome, combine, decide, with_context
from poxlens.screen.reasons import DISCLAIMER, REASONS, Reason, reason

CLASSES = ["mpox", "chickenpox", "measles", "hfmd", "acne", "other-rash", "healthy"]
GOOD = (QualityCheck("blur", 30.0, 4.0, True, "quality.blur", ADVICE["quality.blur"]),)
BLURRED = (QualityCheck("blur", 2.0, 4.0, False, "quality.blur", ADVICE["quality.blur"]),)
EMPTY = Reason("unreadable.empty", UNREADABLE["unreadable.empty"])
DARK = (QualityCheck("dark", 2.0, 50.0, False, "quality.dark", ADVICE["quality.dark"]),)


@pytest.fixture(scope="module")
def manifest(tiny):
    """Rule-out 0.1, rule-in 0.5, top probability 0.6, novelty limit 30, not skin below 0.1."""
    return tiny.manifest()


def chances(mpox, top=0.7):
    """Probabilities with mpox and a second class given, the rest shared evenly."""
    rest = (1.0 - mpox - top) / 5
    return {"mpox": mpox, "chickenpox": top, **dict.fromkeys(CLASSES[2:], rest)}


def judged(manifest, **given_):
    fields = {
        "quality": GOOD,
        "novelty": 1.0,
        "probabilities": chances(0.05),
        "prediction_set": ("chickenpox",),
    }
    return decide(manifest, **{**fields, **given_})


def codes(decision):
    return [r.code for r in decision.reasons]


TABLE = [
    # 1. unreadable comes first, whatever else is known
    ({"unreadable": EMPTY, "quality": BLURRED}, "cannot_assess", ["unreadable.empty"]),
    # 2. quality before novelty; every failed check is told
    ({"quality": BLURRED + GOOD + DARK, "novelty": 99.0}, "cannot_assess", ["quality.blur", "quality.dark"]),
    # 3. novelty before probability; the limit itself passes; not a number does not
    ({"novelty": 30.0001, "probabilities": chances(0.9, 0.05)}, "cannot_assess", ["novel.unknown"]),
    ({"novelty": 30.0001, "skin_fraction": 0.0999}, "cannot_assess", ["novel.not_skin"]),
    ({"novelty": 30.0001, "skin_fraction": 0.1}, "cannot_assess", ["novel.unknown"]),
    ({"novelty": 30.0, "skin_fraction": 0.0}, "not_suspected", ["not_suspected.probability"]),
    ({"novelty": float("nan")}, "cannot_assess", ["novel.unknown"]),
    # 4. the thresholds: rule-in belongs to refer, rule-out to uncertain
    ({"probabilities": chances(0.5, 0.4)}, "refer", ["refer.probability"]),
    ({"probabilities": chances(0.4999, 0.5), "prediction_set": ()}, "uncertain",
     ["uncertain.between", "uncertain.empty_set", "uncertain.top_probability"]),
    ({"probabilities": chances(0.1, 0.8)}, "uncertain", ["uncertain.between"]),
    ({"probabilities": chances(0.0999, 0.8)}, "not_suspected", ["not_suspected.probability"]),
    ({"prediction_set": ("mpox", "chickenpox")}, "uncertain", ["uncertain.possible"]),
    ({"prediction_set": ()}, "uncertain", ["uncertain.empty_set"]),
    ({"probabilities": chances(0.05, 0.6)}, "not_suspected", ["not_suspected.probability"]),
    ({"probabilities": chances(0.05, 0.5999)}, "uncertain", ["uncertain.top_probability"]),
    ({"probabilities": chances(0.2, 0.3), "prediction_set": ("mpox",)}, "uncertain",
     ["uncertain.between", "uncertain.possible", "uncertain.top_probability"]),
    # refer does not ask for the prediction set
    ({"probabilities": chances(0.9, 0.05), "prediction_set": ()}, "refer", ["refer.probability"]),
    # 5. the context
    ({"context": Context(contact_with_case_21d=True)}, "refer", ["context.contact"]),
    ({"context": Context(fever=True, swollen_lymph_nodes=True)}, "refer", ["context.fever_and_nodes"]),
    ({"context": Context(fever=True)}, "not_suspected", ["not_suspected.probability"]),
    ({"context": Context(fever=True, swollen_lymph_nodes=False)}, "not_suspected",
     ["not_suspected.probability"]),
    ({"context": Context(exposure=True, risk_group=True, age=30, sex="male")}, "not_suspected",
     ["not_suspected.probability"]),
    ({"quality": BLURRED, "context": Context(contact_with_case_21d=True)}, "refer",
     ["context.contact", "quality.blur"]),
    ({"unreadable": EMPTY, "context": Context(contact_with_case_21d=True)}, "refer",
     ["context.contact", "unreadable.empty"]),
    ({"probabilities": chances(0.9, 0.05), "context": Context(contact_with_case_21d=True)}, "refer",
     ["refer.probability", "context.contact"]),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "outcome", "expected"), TABLE)
def test_the_rule(manifest, given_, outcome, expected):
    decision = judged(manifest, **given_)
    assert (decision.outcome, codes(decision)) == (outcome, expected)
    assert decision.readable == ("unreadable" not in given_)


def test_thresholds_may_cross(manifest):
    """A model that separates well has its rule-in point below its rule-out point: nothing lies between."""
    crossed = replace(
        manifest,
        rule_in=replace(manifest.rule_in, threshold=0.2),
        rule_out=replace(manifest.rule_out, threshold=0.4),
    )
    assert judged(crossed, probabilities=chances(0.2, 0.7)).outcome is Outcome.refer
    assert judged(crossed, probabilities=chances(0.199, 0.7)).outcome is Outcome.not_suspected


def test_the_rule_needs_its_numbers(manifest):
    with pytest.raises(ValueError, match="needs its novelty and probabilities"):
        decide(manifest, quality=GOOD)


probability_lists = st.lists(st.floats(0.001, 1.0), min_size=7, max_size=7).map(
    lambda raw: {name: value / sum(raw) for name, value in zip(CLASSES, raw, strict=True)}
)
contexts = st.builds(
    Context,
    contact_with_case_21d=st.sampled_from([None, True, False]),
    fever=st.sampled_from([None, True, False]),
    swollen_lymph_nodes=st.sampled_from([None, True, False]),
    exposure=st.sampled_from([None, True, False]),
)


@st.composite
def decisions(draw, manifest):
    return judged(
        manifest,
        quality=draw(st.sampled_from([GOOD, GOOD, BLURRED])),
        novelty=draw(st.floats(0, 60)),
        probabilities=draw(probability_lists),
        prediction_set=tuple(draw(st.lists(st.sampled_from(CLASSES), unique=True))),
    )


def concern(decision):
    return CONCERN.index(decision.outcome)


@given(data=st.data(), context=contexts)
def test_context_never_makes_milder_and_refers_exactly_when_it_must(manifest, data, context):
    before = data.draw(decisions(manifest))
    after = with_context(before, context)
    must = context.contact_with_case_21d is True or (
        context.fever is True and context.swollen_lymph_nodes is True
    )
    assert concern(after) >= concern(before)
    assert after.outcome is (Outcome.refer if must else before.outcome)
    assert after.reasons
    assert with_context(after, context).reasons == after.reasons


@given(data=st.data())
def test_every_decision_has_reasons_with_texts(manifest, data):
    decision = data.draw(decisions(manifest))
    assert decision.reasons
    texts = {**REASONS, **UNREADABLE, **ADVICE}
    for why in decision.reasons:
        assert why.text == texts[why.code]


@given(data=st.data())
def test_a_photo_more_never_lowers_a_person_s_outcome(manifest, data):
    photos = data.draw(st.lists(decisions(manifest), min_size=1, max_size=5))
    before = combine(photos)
    for extra in [judged(manifest, probabilities=chances(0.9, 0.05)), data.draw(decisions(manifest))]:
        after = combine([*photos, extra])
        assert concern(after) >= concern(before)
        assert concern(after) == max(concern(before), concern(extra))
    assert combine([*photos, judged(manifest, probabilities=chances(0.9, 0.05))]).outcome is Outcome.refer


@given(data=st.data(), context=contexts)
def test_the_order_of_photos_does_not_change_a_person(manifest, data, context):
    photos = data.draw(st.lists(decisions(manifest), min_size=1, max_size=5))
    one, other = combine(photos, context=context), combine(photos[::-1], context=context)
    assert one.outcome is other.outcome
    assert {r.code for r in one.reasons} == {r.code for r in other.reasons}
    assert concern(one) >= concern(combine(photos))


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        ("nn", "not_suspected"),
        ("nc", "not_suspected"),
        ("nu", "uncertain"),
        ("uc", "uncertain"),
        ("ncur", "refer"),
        ("cc", "cannot_assess"),
        ("r", "refer"),
    ],
)
def test_several_photos(manifest, kinds, outcome):
    made = {
        "n": judged(manifest),
        "u": judged(manifest, prediction_set=()),
        "r": judged(manifest, probabilities=chances(0.9, 0.05)),
        "c": judged(manifest, quality=BLURRED),
    }
    person = combine([made[kind] for kind in kinds])
    assert person.outcome == outcome
    assert person.photos == len(kinds)
    assert ("person.refused" in codes(person)) == ("c" in kinds and outcome != "cannot_assess")


def test_the_photo_that_speaks_most_for_mpox_leads(manifest):
    weak, strong = (judged(manifest, probabilities=chances(p, 0.05)) for p in (0.6, 0.9))
    person = combine([weak, strong, weak])
    assert person.probabilities["mpox"] == 0.9
    # A photo that was refused but referred for its context never leads over an assessed one.
    refused = judged(manifest, quality=BLURRED, context=Context(contact_with_case_21d=True))
    assert combine([refused, weak]).probabilities["mpox"] == 0.6
    assert combine([refused, weak]).assessed


def test_combine_refuses_what_makes_no_sense(manifest):
    with pytest.raises(ValueError, match="at least one photo"):
        combine([])
    with pytest.raises(ValueError, match="one bundle"):
        combine([judged(manifest, bundle="a"), judged(manifest, bundle="b")])


def test_json_is_pure_and_hides_what_a_refused_photo_computed(manifest):
    shown = judged(manifest, novelty=31.0, probabilities=chances(0.9, 0.05)).to_json()
    assert shown["probabilities"] == {}
    assert shown["prediction_set"] == []
    assert shown["novelty"] == 31.0
    shown = json.loads(json.dumps(judged(manifest, bundle="b").to_json(), allow_nan=False))
    assert list(shown) == [
        "outcome",
        "reasons",
        "probabilities",
        "prediction_set",
        "novelty",
        "quality",
        "skin_tone",
        "bundle",
        "ms",
    ]
    assert shown["probabilities"] == {k: round(v, 6) for k, v in chances(0.05).items()}
    assert shown["quality"] == [{"name": "blur", "value": 30.0, "limit": 4.0, "passed": True}]
    assert judged(manifest, context=Context(fever=True)).to_json()["context"] == {"fever": True}


def test_not_a_number_is_null_in_json(manifest):
    decision = judged(manifest, novelty=float("nan"))
    assert json.loads(json.dumps(decision.to_json(), allow_nan=False))["novelty"] is None


def test_the_wording_claims_nothing():
    for code, text in REASONS.items():
        assert reason(code).text == text
        assert text.endswith(".")
        assert "diagnos" not in text.lower()
        for disease in ("chickenpox", "measles", "hand, foot"):
            assert disease not in text.lower()
    assert "not a diagnosis" in DISCLAIMER
    assert "PCR" in DISCLAIMER
    assert "does not rule it out" in REASONS["not_suspected.probability"]


def test_decisions_are_values_of_a_photo():
    assert Decision(Outcome.uncertain, (reason("uncertain.between"),)).to_json()["skin_tone"] is None
