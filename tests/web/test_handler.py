"""Promises of the function between the page and an endpoint."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import botocore
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from relabel.web import bundle
from relabel.web.handler import LONGEST, POLICY, WORDS, Limits, Settings

SECRET = "a text that nobody else may read"  # noqa: S105  # it is none
JSON = "application/json"


def failing(code: str, **more: object) -> ClientError:
    """Make what boto3 raises for a refusal of SageMaker; its words name the account."""
    message = f"Endpoint relabel-reviews of account 123456789012 refused {SECRET}"
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, "InvokeEndpoint")  # type: ignore[typeddict-item]


def of_model(status: int, message: str = "the model says why") -> ClientError:
    """Make what boto3 raises when the container refuses."""
    body = json.dumps({"error": {"code": "malformed", "message": message}})
    return failing("ModelError", OriginalStatusCode=status, OriginalMessage=body)


def test_a_text_goes_to_the_endpoint_and_its_prediction_comes_back(asking) -> None:
    """As JSON, with words asked for; the answer has class, probabilities, the names of the classes and words."""
    front = asking()
    answer = front.ask(body={"text": "A great film!"})
    (asked,) = front.endpoint.asked
    assert (asked["EndpointName"], asked["ContentType"], asked["Accept"]) == ("relabel-reviews", JSON, JSON)
    assert json.loads(asked["Body"]) == {"instances": ["A great film!"], "explain": WORDS}
    assert answer["statusCode"] == 200
    said = json.loads(answer["body"])
    assert (said["class"], said["classes"], said["probabilities"]) == (
        "positive",
        ["negative", "positive"],
        [0.02, 0.98],
    )
    assert said["words"] == [{"word": "great", "weight": 0.31}]


def test_an_answer_without_names_is_given_as_it_is(asking, endpoint) -> None:
    """An image of before says the class alone."""
    front = asking(endpoint(answer={"predictions": [{"label": 0, "class": "a", "probabilities": [1.0]}]}))
    assert json.loads(front.ask(body={"text": "x"})["body"])["classes"] == []


@given(st.text(min_size=1, max_size=50).filter(lambda text: text.strip()))
def test_any_text_arrives_as_it_was_sent(text) -> None:
    """Whether the body comes as text or in base64."""
    from relabel.web.handler import Asked, _text  # noqa: PLC0415  # of the unit alone

    body = json.dumps({"text": text})
    for sent, encoded in ((body, False), (base64.b64encode(body.encode()).decode(), True)):
        assert _text(Asked("POST", "/review", {}, sent, encoded, "", "")) == text


@pytest.mark.parametrize(
    ("body", "encoded", "expected"),
    [
        ({"text": "x" * LONGEST}, False, 200),
        ({"text": "\U0001f600" * LONGEST}, False, 200),
        ({"text": "x" * (LONGEST + 1)}, False, (413, "too_long")),
        ("x" * 250_000, False, (413, "too_long")),
        ("x" * 400_000, True, (413, "too_long")),
        ("{", False, (400, "malformed")),
        (None, False, (400, "malformed")),
        ("[" * 20_000, False, (400, "malformed")),
        ('{"text": "\\ud800"}', False, (400, "malformed")),
        ({"text": 7}, False, (400, "malformed")),
        ({"text": None}, False, (400, "malformed")),
        ({"words": "x"}, False, (400, "malformed")),
        (["x"], False, (400, "malformed")),
        ("no base64!", True, (400, "malformed")),
        (base64.b64encode(b"\xff\xfe").decode(), True, (400, "malformed")),
        ({"text": " \n"}, False, (400, "empty")),
    ],
)
def test_bodies_are_taken_or_refused_before_the_endpoint_is_asked(asking, body, encoded, expected) -> None:
    """The longest text is taken, also of characters that JSON writes as twelve; what is none, is empty or longer is refused."""
    front = asking()
    answer = front.ask(body=body, base64=encoded)
    if expected == 200:
        assert answer["statusCode"] == 200
        return
    assert front.refused(answer) == expected
    assert front.endpoint.asked == []


@pytest.mark.parametrize(
    ("fails", "status", "code", "after"),
    [
        (failing("ThrottlingException"), 503, "busy", True),
        (failing("ModelNotReadyException"), 503, "waking", True),
        (failing("ServiceUnavailable"), 503, "unreachable", True),
        (failing("ValidationError"), 502, "no_endpoint", False),
        (failing("AccessDeniedException"), 502, "not_allowed", False),
        (failing("SomethingNew"), 502, "failed", False),
        (ReadTimeoutError(endpoint_url="x"), 504, "waking", True),
        (ConnectTimeoutError(endpoint_url="x"), 503, "unreachable", True),
        (EndpointConnectionError(endpoint_url="x"), 503, "unreachable", True),
        (of_model(400), 400, "model_refused", False),
        (of_model(415), 415, "model_refused", False),
        (of_model(503), 503, "busy", True),
        (of_model(500), 502, "model_failed", False),
        (failing("ModelError", OriginalStatusCode=0, OriginalMessage=SECRET), 504, "waking", True),
        (failing("ModelError", OriginalStatusCode=500, OriginalMessage=SECRET), 502, "model_failed", False),
        (RuntimeError(SECRET), 500, "internal", False),
    ],
)
def test_whatever_the_endpoint_does_is_a_clear_answer(asking, endpoint, fails, status, *, code, after) -> None:
    """With the seconds after which to ask again where that helps; never a text, an account or a traceback, nor in the log."""
    front = asking(endpoint(fails))
    answer = front.ask(body={"text": SECRET})
    assert front.refused(answer) == (status, code)
    assert ("Retry-After" in answer["headers"]) == after
    assert not after or int(answer["headers"]["Retry-After"]) > 0
    for told in (answer["body"], *front.log):
        assert SECRET not in told
        assert "123456789012" not in told
        assert "Traceback" not in told
    (line,) = map(json.loads, front.log)
    assert (line["status"], line["request"]) == (status, "JKJaXmPLvHcESHA=")


@pytest.mark.parametrize("status", [400, 500])
def test_the_container_s_own_message_is_given(asking, endpoint, status) -> None:
    """It says what to do and repeats no text."""
    answer = asking(endpoint(of_model(status, "this model takes vectors"))).ask(body={"text": "x"})
    assert json.loads(answer["body"])["error"]["message"] == "this model takes vectors"


@pytest.mark.parametrize("answer", [b"", b"positive", b"[]", b'{"predictions": []}', b'{"predictions": [7]}', b"\xff"])
def test_an_endpoint_that_is_none_of_ours_is_said_to_be(asking, endpoint, answer) -> None:
    """Whatever it answers."""
    front = asking(endpoint(answer=answer))
    assert front.refused(front.ask(body={"text": "x"})) == (502, "not_understood")


def test_the_page_is_served_with_a_strict_policy(asking) -> None:
    """The page and each file that it names; nothing of it comes from elsewhere."""
    front = asking()
    page = front.ask("GET", "/")
    assert page["headers"]["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert page["headers"]["X-Content-Type-Options"] == "nosniff"
    for path in bundle.pages():
        answer = front.ask("GET", path)
        assert (answer["statusCode"], bool(answer["body"])) == (200, True)
        assert "://" not in answer["body"].replace("http://www.w3.org/2000/svg", "")
        assert front.ask("HEAD", path)["body"] == ""
    assert set(map(str, bundle.files())) >= {"index.html", "page.js", "page.css", "base.css", "icon.svg"}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/../handler.py", 404),
        ("GET", "/handler.py", 404),
        ("GET", "/index.html", 404),
        ("GET", "/review", 405),
        ("POST", "/", 405),
        ("DELETE", "/review", 405),
        ("PUT", "/page.js", 405),
        ("BREW", f"/{SECRET}", 404),
    ],
)
def test_other_paths_and_methods_are_refused(asking, method, path, expected) -> None:
    """A 405 says what there is; the log has no path that we do not have."""
    front = asking()
    answer = front.ask(method, path)
    assert answer["statusCode"] == expected
    assert ("Allow" in answer["headers"]) == (expected == 405)
    assert SECRET not in front.log[0]


def test_pages_of_listed_origins_may_ask_and_others_may_not(asking) -> None:
    """The page's own address may; a browser is told so, for refusals too, and nobody is asked for others."""
    front = asking(origins=("https://example.org",))
    own = "https://abc.execute-api.eu-west-1.amazonaws.com"
    for origin in (own, "https://example.org"):
        for method, body in (("OPTIONS", None), ("POST", {"text": "x"}), ("POST", "{")):
            answer = front.ask(method, body=body, headers={"origin": origin})
            assert answer["statusCode"] in (204, 200, 400)
            assert answer["headers"]["Access-Control-Allow-Origin"] == origin
            assert answer["headers"]["Access-Control-Expose-Headers"] == "Retry-After"
    asked = len(front.endpoint.asked)
    for origin in ("https://evil.example", "https://example.org.evil.example", "http://example.org", "null"):
        answer = front.ask(body={"text": "x"}, headers={"origin": origin})
        assert front.refused(answer) == (403, "forbidden")
        assert "Access-Control-Allow-Origin" not in answer["headers"]
        assert answer["headers"]["Vary"] == "Origin"
    assert len(front.endpoint.asked) == asked
    everybody = asking(origins=("*",)).ask(body={"text": "x"}, headers={"origin": "https://any.example"})
    assert everybody["headers"]["Access-Control-Allow-Origin"] == "https://any.example"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_of_another_page_can_send_is_refused(asking, kind) -> None:
    """Only JSON is taken, which a browser does not send to another site without asking."""
    front = asking()
    answer = front.ask(body={"text": "x"}, headers={"content-type": kind})
    assert front.refused(answer) == (415, "unsupported_media_type")


def test_a_client_that_asks_too_often_waits_and_others_do_not(asking) -> None:
    """As many at once as a minute has; then one by one, after the seconds that are said. The page itself is never refused."""
    front = asking(rate=3)
    assert [front.ask(body={"text": "x"})["statusCode"] for _ in range(4)] == [200, 200, 200, 429]
    refused = front.ask(body={"text": "x"})
    assert front.refused(refused) == (429, "too_often")
    assert int(refused["headers"]["Retry-After"]) == 20
    assert front.ask(body={"text": "x"}, address="192.0.2.2")["statusCode"] == 200
    assert front.ask("GET", "/")["statusCode"] == 200
    front.now += 20
    assert [front.ask(body={"text": "x"})["statusCode"] for _ in range(2)] == [200, 429]


def test_addresses_of_one_household_are_one_client(asking) -> None:
    """Of version 6 the network counts; what is no address is one client too."""
    front = asking(rate=1)
    said = [front.ask(body={"text": "x"}, address=f"2001:db8:0:1::{n}")["statusCode"] for n in (1, 2)]
    assert said == [200, 429]
    assert front.ask(body={"text": "x"}, address="2001:db8:0:2::1")["statusCode"] == 200
    assert [front.ask(body={"text": "x"}, address=name)["statusCode"] for name in ("", "no")] == [200, 429]


def test_only_our_own_cdn_is_believed_about_addresses(asking) -> None:
    """With its key, the last address before its own counts; without it, what anybody claims does not."""
    front = asking(rate=1, front="key")
    claimed = [{"x_forwarded_for": f"198.51.100.{n}"} for n in range(2)]
    assert [front.ask(body={"text": "x"}, headers=one)["statusCode"] for one in claimed] == [200, 429]
    ours = {"x_relabel_front": "key"}
    hops = [{**ours, "x_forwarded_for": f"198.51.100.7, 203.0.113.{n}, 192.0.2.1"} for n in (1, 2, 2)]
    assert [front.ask(body={"text": "x"}, headers=one)["statusCode"] for one in hops] == [200, 200, 429]
    guessed = {"x_relabel_front": "guess", "x_forwarded_for": "203.0.113.9"}
    assert front.ask(body={"text": "x"}, headers=guessed)["statusCode"] == 429


def test_clients_are_not_remembered_without_bound() -> None:
    """The ones that were not seen for longest are forgotten."""
    limits = Limits(1, lambda: 0.0, most=3)
    assert [limits.wait(name) for name in "abcd"] == [0, 0, 0, 0]
    assert limits.wait("d") == 60
    assert limits.wait("a") == 0


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 20))
def test_no_client_gets_more_than_its_share(pauses, rate) -> None:
    """Whenever it asks: in any time no more than what flowed in, and what was saved up."""
    now = 0.0
    limits, given_out = Limits(rate, lambda: now), 0
    for pause in pauses:
        now += pause
        given_out += limits.wait("a") == 0
        assert given_out <= rate + now * rate / 60 + 1e-6


def test_settings_come_from_the_environment() -> None:
    """An empty value is none."""
    said = {
        "RELABEL_WEB_ENDPOINT": "e",
        "RELABEL_WEB_ORIGINS": "https://A.example/, https://b.example",
        "RELABEL_WEB_RATE": "5",
    }
    assert Settings.of(said) == Settings("e", ("https://a.example", "https://b.example"), 5.0)
    assert Settings.of({"RELABEL_WEB_ENDPOINT": "e", "RELABEL_WEB_RATE": ""}) == Settings("e")


def test_the_page_knows_the_longest_text() -> None:
    """The same number stands in its script."""
    assert f"LONGEST = {LONGEST};" in bundle.files()["asking.js"]


def test_the_archive_runs_where_there_is_nothing_but_boto3(tmp_path) -> None:
    """Unpacked in an interpreter without relabel it serves the page and answers; it opens no connection before it is asked."""
    with zipfile.ZipFile(io.BytesIO(bundle.zipped())) as archive:
        archive.extractall(tmp_path / "task")
    packages = tmp_path / "packages"
    packages.mkdir()
    site = Path(boto3.__file__).parents[1]
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"):
        (packages / name).symlink_to(site / name)
    program = (
        "import json, sys, handler\n"
        "def ask(method, path, body=None):\n"
        "    http = {'method': method, 'path': path, 'sourceIp': '192.0.2.1'}\n"
        "    event = {'rawPath': path, 'headers': {'content-type': 'application/json'}, 'requestContext': {'http': http}, 'body': body}\n"
        "    return handler.lambda_handler(event, None)\n"
        "page, answer = ask('GET', '/'), ask('POST', '/review', '{\"text\": \"x\"}')\n"
        "print(json.dumps([page['statusCode'], answer['statusCode'], json.loads(answer['body'])['error']['code'],"
        " sorted({name.partition('.')[0] for name in sys.modules} & {'relabel', 'flask', 'numpy'})]))\n"
    )
    variables = {
        "PYTHONPATH": f"{tmp_path / 'task'}:{packages}",
        "RELABEL_WEB_ENDPOINT": "relabel-reviews",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *log, said = done.stdout.splitlines()
    assert json.loads(said) == [200, 503, "unreachable", []]
    assert [json.loads(line)["path"] for line in log] == ["/", "/review"]
    assert botocore.__version__


def test_the_archive_is_the_same_for_the_same_files() -> None:
    """To the byte, so that its name says what is in it."""
    assert bundle.zipped() == bundle.zipped()
    assert bundle.key(b"a") != bundle.key(b"b")
    assert bundle.key(bundle.zipped()).startswith("data/web/")
