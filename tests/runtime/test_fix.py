"""The emergency creation of observer-secrets: the guide's command, values that survive bash, and nothing shown."""

from __future__ import annotations

import subprocess

import pytest

from playbook.errors import UsageError
from playbook.guide.expected import SECRET_KEYS
from playbook.resources import folder
from playbook.runtime.emergency import COMMAND, MASK, checked, fill, keys, masked, prompts, question

TEXT = (folder("commands") / f"{COMMAND}.sh").read_bytes().decode()
VALUES = {
    "POSTGRES_PASSWORD": "pass word",
    "DB_PASSWORD": 'it\'s "$HOME" `id` \\ !',
    "PGPASSWORD": "",
    "KIS_APP_KEY": "'",
    "KIS_APP_SECRET": "한글;&|<key>",
    "KIS_HTS_ID": "@id",
}


def test_the_thirteen_keys() -> None:
    found = keys(TEXT)
    assert tuple(sorted(key.name for key in found)) == SECRET_KEYS
    assert {key.name: key.fixed for key in found if key.fixed} == {
        "POSTGRES_USER": "observer", "POSTGRES_DB": "observer", "DB_USER": "observer", "PGHOST": "postgres", "PGPORT": "5432",
        "PGDATABASE": "observer", "PGUSER": "observer",
    }  # fmt: skip
    assert [(key.name, key.placeholder) for key in prompts(TEXT)] == [
        ("POSTGRES_PASSWORD", "password"), ("DB_PASSWORD", "password"), ("PGPASSWORD", "password"), ("KIS_APP_KEY", "key"),
        ("KIS_APP_SECRET", "secret"), ("KIS_HTS_ID", "id"),
    ]  # fmt: skip
    assert all(key.hidden for key in prompts(TEXT)) and not any(key.hidden for key in found if key.fixed)
    assert [key.name for key in found if key.same_as] == ["DB_PASSWORD", "PGPASSWORD"]


def test_bash_hands_every_value_on_unchanged() -> None:
    script = 'kubectl() { printf "%s\\0" "$@"; }\n' + fill(TEXT, VALUES)
    got = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True).stdout.decode().split("\0")
    wanted = dict(VALUES, PGPASSWORD=VALUES["POSTGRES_PASSWORD"])
    for key in keys(TEXT):
        assert f"--from-literal={key.name}={key.fixed or wanted[key.name]}" in got
    assert got[:4] == ["create", "secret", "generic", "observer-secrets"] and got[-3:] == ["-n", "observer-prod", ""]
    assert len(got) == 4 + 13 + 2 + 1


def test_only_the_placeholders_change() -> None:
    values = dict.fromkeys(VALUES, "")
    values |= {
        "POSTGRES_PASSWORD": "<password>",
        "KIS_APP_KEY": "<key>",
        "KIS_APP_SECRET": "<secret>",
        "KIS_HTS_ID": "<id>",
    }
    assert fill(TEXT, values) == TEXT


def test_what_is_shown_has_the_guides_form_and_no_value() -> None:
    shown = masked(TEXT)
    assert shown.count(f"'{MASK}'") == 6 and "<" not in shown
    assert len(shown.splitlines()) == len(TEXT.splitlines())


@pytest.mark.parametrize("value", ["", "a\nb", "a\rb", "a\0b", "\udcff"])
def test_values_that_cannot_be_used_are_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(UsageError) as refused:
        fill(TEXT, {**VALUES, "KIS_APP_KEY": value})
    assert "KIS_APP_KEY" in str(refused.value)
    assert not value or value not in str(refused.value)
    assert refused.value.__cause__ is None


def test_missing_and_unknown_keys_are_refused() -> None:
    with pytest.raises(UsageError):
        fill(TEXT, {name: value for name, value in VALUES.items() if name != "KIS_HTS_ID"})
    with pytest.raises(UsageError):
        fill(TEXT, {**VALUES, "POSTGRES_USER": "root"})
    with pytest.raises(UsageError):
        keys(TEXT.replace("'<key>'", '"<key>"'))


def test_questions() -> None:
    asked = {key.name: str(question(key)) for key in prompts(TEXT)}
    assert (
        "POSTGRES_PASSWORD" in asked["DB_PASSWORD"]
        and "empty" in asked["PGPASSWORD"]
        and "empty" not in asked["KIS_HTS_ID"]
    )
    password = prompts(TEXT)[1]
    assert checked(password, "") == ""
