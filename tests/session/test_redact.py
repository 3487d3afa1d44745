"""Secrets are planted in every form and stream, and looked for after masking."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import FIXTURES, made, runs_of, states

from playbook.guide.ids import ENV as ENV_COMMAND
from playbook.session.redact.forms import forms_of
from playbook.session.redact.redactor import Redactor
from playbook.session.redact.values import CONFIG_SETTINGS, ORDINARY

PLANTED = "pl/ant+ed \"q\" \\ <v&l>'ue' é"
ENV = (
    f"DB_HOST=postgres\nDB_PASSWORD={PLANTED}\nDB_PORT=5432\n"
    "KIS_APP_KEY=k3y-pl4nted\nKIS_HTS_ID=me-pl4nted\nTZ=Asia/Seoul\n"
)

FORMS: dict[str, Callable[[str], str]] = {
    "raw": lambda value: value,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of a line": lambda value: base64.b64encode(value.encode() + b"\n").decode(),
    "base64, no padding": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "base64, url-safe": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "quote": quote,
    "quote, no slash": lambda value: quote(value, safe=""),
    "quote_plus": quote_plus,
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON, not ASCII": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)[1:-1])[1:-1],
    "JSON by Go": lambda value: re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value)[1:-1]),
    "escapes": lambda value: "".join(f"\\u{ord(char):04x}" for char in value if ord(char) < 0x10000),
    "repr": lambda value: repr(value)[1:-1],
}  # fmt: skip

values = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_characters="*", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]),
    min_size=8, max_size=40,
).filter(lambda value: value.encode() not in ORDINARY)  # fmt: skip


def taught(*more: str) -> Redactor:
    redactor = Redactor()
    redactor.learn(*(value.encode() for value in more))
    return redactor


@pytest.mark.parametrize("form", FORMS)
@given(value=values, before=st.text(max_size=20), after=st.text(max_size=20))
@example(value=PLANTED, before="", after="")
@example(value="한글-비밀번호", before="노드 ", after=" x")
def test_a_learned_value_is_gone_in_every_form(form: str, value: str, before: str, after: str) -> None:
    planted = FORMS[form](value)
    text = f"{before} {planted} {after}"
    masked = taught(value).mask_text(text)
    assert planted not in masked
    assert len(masked) == len(text)
    assert taught(value).mask_text(masked) is masked


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@given(value=values, place=st.integers(min_value=1, max_value=200))
def test_a_line_end_within_it_does_not_save_it(form: str, end: str, value: str, place: int) -> None:
    planted = FORMS[form](value)
    place = 1 + place % (len(planted) - 1)
    text = f"NAME READY\nx {planted[:place]}{end}{planted[place:]} y\n"
    masked = taught(value).mask_text(text)
    assert planted not in re.sub(r"[\r\n]", "", masked)
    assert list(map(len, masked.split("\n"))) == list(map(len, text.split("\n")))
    assert masked.count("\r") == text.count("\r")


@given(value=values, user=st.text("abcdefgh", min_size=1, max_size=9), tail=st.binary(max_size=9))
def test_inside_longer_base64(value: str, user: str, tail: bytes) -> None:
    whole = base64.b64encode(f"{user}:{value}".encode() + tail).decode()
    masked = taught(value).mask_text(whole)
    seen = re.sub(rb"[^A-Za-z0-9+/]", b"A", masked.encode())
    assert value.encode() not in base64.b64decode(seen + b"A" * (-len(seen) % 4))
    hidden = masked.count("*") * 6 / 8
    assert hidden >= len(value.encode()) - 1


@pytest.mark.parametrize("stream", ["stdout", "stderr", "note"])
def test_every_stream_of_a_run(stream: str) -> None:
    redactor = Redactor()
    redactor.mask(made(ENV_COMMAND, ENV))
    said = f"connect as x with {PLANTED}, k3y-pl4nted, me-pl4nted"
    run = replace(made("step6-3-logs-observer"), **{stream: said if stream == "note" else said.encode()})
    masked = redactor.mask(run)
    got = getattr(masked, stream)
    text = got if isinstance(got, str) else got.decode()
    assert "pl4nted" not in text
    assert PLANTED not in text
    assert len(text) == len(said)
    assert text.startswith("connect as x with ***")
    assert redactor.mask(masked) is masked


def test_a_run_without_secrets_comes_back_as_it_is() -> None:
    run = made("step0-nodes", "NAME   STATUS\noracle-obs-arm   Ready\n", "Unable to use a TTY\n")
    assert taught("k3y-pl4nted").mask(run) is run
    data = b"x" * 1000
    assert taught("k3y-pl4nted").mask_bytes(data) is data


def test_what_was_recorded_before_6_4_is_masked_the_second_time() -> None:
    redactor = Redactor()
    early = made("step6-3-logs-observer", "using k3y-pl4nted\n")
    assert redactor.mask(early) is early
    assert redactor.learn_from_env(ENV.encode())
    assert redactor.mask(early).stdout == b"using ***********\n"
    assert not redactor.learn_from_env(ENV.encode())


def test_6_4_keeps_names_and_open_settings() -> None:
    output = ENV + "EMPTY_SECRET=\nODD=thing\nAPI_URL=http://u:p4ssw0rd@h/\nOBSERVER_PORT=tcp://10.43.10.1:8000\n" \
        "OBSERVER_PORT_8000_TCP_ADDR=10.43.10.1\nFOO_SERVICE_PORT=not-a-port\nKIS_TOKEN_CACHE_DIR=/opt/x\n"  # fmt: skip
    redactor = Redactor()
    masked = redactor.mask(made(ENV_COMMAND, output)).out
    assert masked == (
        "DB_HOST=postgres\nDB_PASSWORD=********\nDB_PORT=5432\n"
        "KIS_APP_KEY=********\nKIS_HTS_ID=********\nTZ=Asia/Seoul\n"
        "EMPTY_SECRET=\nODD=********\nAPI_URL=********\nOBSERVER_PORT=tcp://10.43.10.1:8000\n"
        "OBSERVER_PORT_8000_TCP_ADDR=10.43.10.1\nFOO_SERVICE_PORT=********\nKIS_TOKEN_CACHE_DIR=/opt/x\n"
    )
    assert redactor.mask_text("thing /opt/x p4ssw0rd") == "***** /opt/x ********"


def test_6_4_keeps_a_name_that_holds_a_secret_s_value() -> None:
    masked = Redactor().mask(made(ENV_COMMAND, "DB_PASSWORD=ASSW0RD\nLOG_LEVEL=ASSW0RD\n"))
    assert masked.out == "DB_PASSWORD=********\nLOG_LEVEL=ASSW0RD\n"
    masked = Redactor().mask(made(ENV_COMMAND, "DB_PASSWORD=ASSW0RD\nDB_NAME=xASSW0RD\n"))
    assert masked.out == "DB_PASSWORD=********\nDB_NAME=x*******\n"


def test_6_4_with_carriage_returns() -> None:
    redactor = Redactor()
    masked = redactor.mask(made(ENV_COMMAND, "DB_PASSWORD=pl4nted-x\r\nTZ=Asia/Seoul\r\n")).out
    assert masked == "DB_PASSWORD=********\r\nTZ=Asia/Seoul\r\n"
    assert redactor.mask_text("pl4nted-x") == "*********"


def test_6_4_with_a_value_of_several_lines_scattered_by_sort() -> None:
    lines = ["MIIEpAIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun",
             "hbkGbx5QWs0yyA==", "KEY_PEM=-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
             "HOME=/home/app"]  # fmt: skip
    redactor = Redactor()
    masked = redactor.mask(made(ENV_COMMAND, "\n".join(lines) + "\n")).out.split("\n")
    assert masked == ["********", "********", "KEY_PEM=********", "********", "HOME=/home/app", ""]
    later = redactor.mask_text(f"log: {lines[0]} and {lines[1]}\n")
    assert lines[0] not in later
    assert lines[1] not in later


@given(
    st.lists(
        st.tuples(st.sampled_from(["DB_PASSWORD", "KIS_APP_KEY", "X_TOKEN", "A_SECRET", "GCP_CREDENTIALS"]), values),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_no_value_of_6_4_survives_anywhere(variables: list[tuple[str, str]]) -> None:
    redactor = Redactor()
    env = redactor.mask(made(ENV_COMMAND, "".join(f"{name}={value}\n" for name, value in variables)))
    assert env.out == "".join(f"{name}=********\n" for name, _ in variables)
    assert redactor.mask(env) is env
    for _, value in variables:
        log = redactor.mask(made("step6-3-logs-observer", f"a {value} b\n", json.dumps({"error": value})))
        assert value not in log.out
        assert value not in log.err
        assert redactor.mask(log) is log


@pytest.mark.parametrize("value", ["", "abc", "12345", "observer", "postgres", "********", "Running", "Asia/Seoul"])
def test_short_and_ordinary_values_are_masked_in_6_4_only(value: str) -> None:
    redactor = Redactor()
    masked = redactor.mask(made(ENV_COMMAND, f"DB_PASSWORD={value}\nLOG_LEVEL=INFO\n"))
    assert masked.out == f"DB_PASSWORD={'********' if value else ''}\nLOG_LEVEL=INFO\n"
    text = f"pod observer is {value} in Asia/Seoul"
    assert redactor.mask_text(text) is text


def test_a_secret_equal_to_a_setting_seen_later_is_let_go() -> None:
    redactor = Redactor()
    redactor.learn_from_env(b"DB_PASSWORD=node-a-17\n")
    redactor.learn_from_env(b"HOSTNAME=node-a-17\n")
    assert redactor.mask_text("on node-a-17") == "on node-a-17"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.DEF-1\n", "Authorization: Bearer *********\n"),
        ("authorization: Basic dXNlcjpwYXNz\n", "authorization: Basic ************\n"),
        ("    token: abcdef\n", "    token: ******\n"),
        ("?token=abc&x=1", "?token=***&x=1"),
        ("password: it's", "password: ****"),
        ('{"msg": "password=abc", "n": 1}', '{"msg": "password=***", "n": 1}'),
        ('{\\"msg\\": \\"password=abc\\"}', '{\\"msg\\": \\"password=***\\"}'),
        ('{"status": "ok", "password": "a\\"b c", "n": 1}', '{"status": "ok", "password": "******", "n": 1}'),
        ('{\\"password\\":\\"abc\\",\\"n\\":1}', '{\\"password\\":\\"***\\",\\"n\\":1}'),
        ("{'password': 'a b', 'n': 1}", "{'password': '***', 'n': 1}"),
        ("    client-key-data: LS0tLS1CRUdJTg==\n", "    client-key-data: ****************\n"),
        ("certificate-authority-data: LS0t\n", "certificate-authority-data: ****\n"),
        ("postgresql://observer:pa55@postgres:5432/observer", "postgresql://observer:****@postgres:5432/observer"),
        ("DB_PASSWORD=abc", "DB_PASSWORD=***"),
        ("DB_PASSWORD: abc def", "DB_PASSWORD: *** def"),
        ('"KIS_APP_KEY":"abc"', '"KIS_APP_KEY":"***"'),
        ("KIS_APP_SECRET=abc, KIS_HTS_ID=me", "KIS_APP_SECRET=***, KIS_HTS_ID=**"),
        ("--from-literal=KIS_APP_KEY='a b' \\", "--from-literal=KIS_APP_KEY='***' \\"),
        ("--from-literal=POSTGRES_PASSWORD=abc \\", "--from-literal=POSTGRES_PASSWORD=*** \\"),
        ('{"auths":{"ghcr.io":{"auth":"dTpw"}}}', '{"auths":{"ghcr.io":{"auth":"****"}}}'),
        ("got eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrIn0.c2ln", "got " + "*" * 41),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\nAB==\n-----END PRIVATE KEY-----\n",
         "-----BEGIN PRIVATE KEY-----\n****\n****\n-----END PRIVATE KEY-----\n"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "-----BEGIN RSA PRIVATE KEY-----\n****\n"),
    ],
)  # fmt: skip
def test_what_says_of_itself_that_it_is_a_secret(text: str, masked: str) -> None:
    redactor = Redactor()
    assert redactor.mask_text(text) == masked
    assert redactor.mask_text(masked) is masked


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'KIS_APP_KEY'\n",
        "DB_PASSWORD\nDB_USER\nKIS_APP_KEY\nKIS_APP_SECRET\nKIS_HTS_ID\nPGPASSWORD\n",
        '    app_key = os.environ["KIS_APP_KEY"]\n',
        "      DB_PASSWORD:   <set to the key 'DB_PASSWORD' in secret 'observer-secrets'>  Optional: false\n",
        "  --from-literal=KIS_APP_KEY='<key>' \\\n  --from-literal=POSTGRES_PASSWORD='<password>' \\\n",
        '{"status": "ok", "token": null, "errors": 0}',
        "KIS_TOKEN_CACHE_DIR: /opt/platform/runtime/observer/data/kis_token\n",
        'FATAL:  password authentication failed for user "observer"\n',
        "ghcr-secret   kubernetes.io/dockerconfigjson   1      3d\n",
        "default-token-x2x9p   kubernetes.io/service-account-token   3      3d\n",
        "Image ID: docker-pullable://ghcr.io/o/observer@sha256:0123456789abcdef\n",
        "Kubernetes control plane is running at https://127.0.0.1:6443\n",
        'Error from server (NotFound): secrets "observer-secrets" not found\n',
        "TokenExpirationSeconds:  3607\nkey: value\npass: 3\n",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_left(text: str) -> None:
    assert Redactor().mask_text(text) is text


noise = st.text(st.sampled_from("ab*=:;,\"'\\ \n\r@/{}&."), max_size=60)


@given(noise, st.sampled_from(
    ["password", "token", "api_key", "Bearer ", "://u:", "eyJhbGciOiJSUzI1NiJ9", "-----BEGIN PRIVATE KEY-----"]
), noise)  # fmt: skip
def test_masking_twice_is_masking_once(before: str, word: str, after: str) -> None:
    redactor = taught('a"b=a:b', "b a,b'a", "a*b*a*b")
    text = before + word + after
    masked = redactor.mask_text(text)
    assert redactor.mask_text(masked) is masked
    assert list(map(len, masked.split("\n"))) == list(map(len, text.split("\n")))


@given(st.binary(max_size=200), st.binary(min_size=6, max_size=20))
def test_bytes_that_are_no_text_are_masked_too(around: bytes, value: bytes) -> None:
    redactor = Redactor()
    redactor.learn(value)
    if "1 values" in repr(redactor):
        joined = value.translate(None, b"\r\n")
        masked = redactor.mask_bytes(around + value + around)
        assert len(joined) < 6 or joined not in masked.translate(None, b"\r\n")
        assert redactor.mask_bytes(masked) is masked


def test_a_redactor_does_not_show_what_it_knows() -> None:
    redactor = taught("k3y-pl4nted")
    assert repr(redactor) == str(redactor) == "Redactor(1 values)"
    assert "pl4nted" not in repr(list(forms_of(b"k3y-pl4nted")))


def test_a_large_output_is_masked_in_no_time() -> None:
    redactor = Redactor()
    redactor.learn_from_env(ENV.encode())
    line = b"2026-11-22 22:57:01,123 INFO observer.tick symbol=005930 price=71200 saved to data/20261122/ticks.jsonl\n"
    data = line * (20_000_000 // len(line))
    began = time.process_time()
    assert redactor.mask_bytes(data) is data
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "unit",
    [
        b"token=",
        b"password\\",
        b"authorization:",
        b"eyJ",
        b"-----BEGIN PRIVATE KEY-----",
        b"://a:",
        b"client-key-data=",
    ],
)
def test_the_time_is_linear_for_hostile_text_too(unit: bytes) -> None:
    redactor = taught("k3y-pl4nted")
    began = time.process_time()
    redactor.mask_bytes(unit * (1_000_000 // len(unit)))
    assert time.process_time() - began < 10.0


def test_the_configmap_s_fifteen_keys_are_open() -> None:
    listed = runs_of("1.20/healthy", "step4-configmap-keys").last("step4-configmap-keys").stdout.split()
    assert set(listed) == CONFIG_SETTINGS
    assert len(listed) == 15


@pytest.mark.parametrize("state", states())
def test_masking_leaves_a_fixture_as_it_is(state: str) -> None:
    redactor = Redactor()
    runs = runs_of(state)
    assert runs
    for run in runs:
        assert redactor.mask(run) is run, run.command


def test_no_fixture_holds_a_secret_value() -> None:
    marker = b"S3" + b"cret"  # what every made-up secret of the cluster held; here in two halves so as not to be one
    forms = {form.anchor for form in forms_of(marker)}
    assert len(forms) > 3
    files = [path for path in FIXTURES.rglob("*") if path.is_file()]
    assert len(files) > 1500
    for path in files:
        joined = path.read_bytes().translate(None, b"\r\n")
        assert not [form for form in forms if form in joined], path


@pytest.mark.parametrize("state", states())
def test_6_4_of_a_fixture_shows_no_secret(state: str) -> None:
    [run] = runs_of(state, ENV_COMMAND)
    for line in run.out.splitlines():
        name, _, value = line.partition("=")
        if re.search("PASSW|SECRET|KEY|TOKEN|HTS_ID", name) and name.encode() not in CONFIG_SETTINGS:
            assert value == "********", name
