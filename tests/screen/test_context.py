from __future__ import annotations

import pytest

from poxlens.screen.context import Context, ContextError


def test_answers_are_read_from_json():
    text = '{"fever": true, "swollen_lymph_nodes": false, "age": 31, "sex": "female", "exposure": null}'
    context = Context.from_json(text)
    assert context == Context(fever=True, swollen_lymph_nodes=False, age=31, sex="female")
    assert context.to_json() == {"fever": True, "swollen_lymph_nodes": False, "age": 31, "sex": "female"}
    assert Context.from_json(b"{}") == Context()
    assert Context.from_json({"contact_with_case_21d": True}).override == ("context.contact",)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("[" * 100_000, "not valid JSON"),
        ('{"feever": true}', "unknown field 'feever'; known are contact_with_case_21d"),
        ('{"fever": "yes"}', "fever must be true, false or null, not 'yes'"),
        ('{"fever": 1}', "fever must be true, false or null, not 1"),
        ('{"age": -1}', "age must be a number of years from 0 to 130, not -1"),
        ('{"age": 131}', "age must be"),
        ('{"age": true}', "age must be"),
        ('{"age": NaN}', "age must be"),
        ('{"sex": "x"}', "sex must be one of female, male, other"),
        ('{"sex": []}', "sex must be one of"),
    ],
)
def test_wrong_answers_are_named(source, message):
    with pytest.raises(ContextError, match=message):
        Context.from_json(source)


def test_files_are_named(tmp_path):
    path = tmp_path / "answers.json"
    with pytest.raises(ContextError, match="cannot read"):
        Context.from_file(path)
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(ContextError, match=r"answers\.json"):
        Context.from_file(path)
    path.write_bytes(b" " * 70_000)
    with pytest.raises(ContextError, match="more than 64000 bytes"):
        Context.from_file(path)
    path.write_text('{"fever": true}')
    assert Context.from_file(path) == Context(fever=True)
