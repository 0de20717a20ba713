"""Promises of models by HTTP."""

from __future__ import annotations

import pytest

from relabel.errors import PlatformError, UserError
from relabel.model import artifact
from relabel.model.sources import http

PATH = "/reviews/model.tar.gz"


def test_what_has_not_changed_is_not_downloaded_again(fetch, web, packed) -> None:
    """The server is asked with the tag that it gave; a new model of the same name is taken."""
    web.files[PATH] = packed.path.read_bytes()
    first = fetch(web.url + PATH)
    assert fetch(web.url + PATH) == first
    assert web.given == [packed.size, 0]
    web.files[PATH] = packed.path.read_bytes() + bytes(512)
    assert fetch(web.url + PATH) != first
    assert web.given[2] == packed.size + 512


def test_a_server_without_tags_is_asked_anew_each_time(fetch, web, packed) -> None:
    """Unless a hash says what must be there."""
    web.files[PATH], web.tagged = packed.path.read_bytes(), False
    assert fetch(web.url + PATH) == fetch(web.url + PATH)
    assert web.given == [packed.size] * 2
    fetch(web.url + PATH, packed.sha256)
    assert len(web.asked) == 2


@pytest.mark.usefixtures("impatient")
def test_a_server_that_fails_for_a_moment_is_asked_again(fetch, web, packed) -> None:
    """After a fault of its own, a call for patience, or an answer that is cut off."""
    web.files[PATH], web.failures = packed.path.read_bytes(), [503, 429, 0]
    assert artifact.load(fetch(web.url + PATH)).classes
    assert len(web.asked) == 4


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("failure", "said"), [(500, "it answers 500, 4 times"), (0, "cut off, 4 times")])
def test_a_server_that_goes_on_failing_is_given_up(fetch, web, packed, failure, said) -> None:
    """After four tries, as the platform's fault, and nothing is kept."""
    web.files[PATH], web.failures = packed.path.read_bytes(), [failure] * 9
    with pytest.raises(PlatformError, match=said):
        fetch(web.url + PATH)
    assert len(web.asked) == 4


@pytest.mark.usefixtures("impatient")
def test_nobody_listening_and_no_such_host_are_the_platform_s_fault(fetch) -> None:
    """The message says what the system said of them."""
    with pytest.raises(PlatformError, match=r"http://127.0.0.1:9/m: Connection refused, 4 times"):
        fetch("http://127.0.0.1:9/m")
    with pytest.raises(PlatformError, match=r"https://no.such.host.invalid/m: "):
        fetch("https://no.such.host.invalid/m")


@pytest.mark.parametrize("status", [401, 403, 404, 410, 418])
def test_a_refusal_is_the_user_s_to_mend_and_asked_for_once(fetch, web, status) -> None:
    """With its number."""
    web.failures = [status]
    with pytest.raises(UserError, match=rf"model.tar.gz: .*status {status}"):
        fetch(web.url + PATH)
    assert len(web.asked) == 1


def test_no_secret_of_an_address_is_in_a_message(fetch, web, caplog) -> None:
    """Neither user and password nor a signature; the server is told them."""
    where = web.url.replace("http://", "http://ann:pass%21@")
    with pytest.raises(UserError) as refused:
        fetch(f"{where}{PATH}?X-Amz-Signature=hush")
    assert f"{web.url}{PATH}: " in str(refused.value)
    assert not [each for each in ("ann", "pass", "hush") if each in str(refused.value) + caplog.text]
    assert web.asked == [(f"{PATH}?X-Amz-Signature=hush", http.basic("ann", "pass!"), "")]


@pytest.mark.usefixtures("known_certificate")
def test_a_redirect_is_followed_and_tells_no_other_server_who_asks(fetch, web, secure_web, packed) -> None:
    """On the same server the credentials go along."""
    secure_web.files[PATH] = packed.path.read_bytes()
    secure_web.moved = {"/latest": PATH}
    web.moved = {"/elsewhere": f"{secure_web.url}/latest"}
    assert fetch(web.url.replace("http://", "http://ann:pass@") + "/elsewhere")
    assert [bool(said) for _, said, _ in web.asked + secure_web.asked] == [True, False, False]
    assert fetch(secure_web.url.replace("https://", "https://ann:pass@") + "/latest")
    assert [bool(said) for _, said, _ in secure_web.asked[2:]] == [True, True]


@pytest.mark.parametrize("to", ["http://10.0.0.1/m", "file:///etc/passwd", "ftp://127.0.0.1/m", "/round"])
def test_a_redirect_leads_to_no_place_that_would_not_have_been_taken_at_once(fetch, web, to) -> None:
    """Neither without TLS nor into files, and not for ever."""
    web.moved = {PATH: to, "/round": PATH}
    with pytest.raises(UserError):
        fetch(web.url + PATH)


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "169.254.169.254"])
def test_no_model_is_taken_without_tls_from_another_machine(fetch, host) -> None:
    """It could be changed on the way."""
    with pytest.raises(UserError, match="give an https:// address"):
        fetch(f"http://{host}/model.tar.gz")


def test_a_certificate_must_be_known(fetch, secure_web, packed, certificate, monkeypatch) -> None:
    """One of an authority of the user's own is, once SSL_CERT_FILE names it."""
    secure_web.files[PATH] = packed.path.read_bytes()
    with pytest.raises(UserError, match=r"certificate.*SSL_CERT_FILE"):
        fetch(secure_web.url + PATH)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert artifact.load(fetch(secure_web.url + PATH)).classes


def test_what_is_no_archive_is_refused(fetch, web) -> None:
    """A page that says to log in, for example; by its address."""
    web.files[PATH] = b"<html>please log in</html>"
    with pytest.raises(UserError, match=f"{web.url}{PATH}: no model.tar.gz can be read from it"):
        fetch(web.url + PATH)
