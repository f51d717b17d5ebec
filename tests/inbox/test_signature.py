"""Who may speak to us: Standard Webhooks signatures, judged by the specification's vector and its own library."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from worker.inbox.signature import (
    MAX_ID_CHARACTERS,
    MAX_SIGNATURES,
    TOLERANCE_SECONDS,
    SignedHeaders,
    Unverified,
    Verified,
    sign,
    verify,
)

SPEC_SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SPEC_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SPEC_TIME = 1614265330
SPEC_BODY = b'{"test": 2432232314}'
SPEC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

KEY, OTHER_KEY = b"k" * 24, b"o" * 64
NOW = 1_800_000_000
BODY = b'{"type":"loan.closed"}'


def headers(
    signature: str | None = None, webhook_id: str | None = "msg_1", timestamp: str | None = str(NOW)
) -> SignedHeaders:
    return SignedHeaders(webhook_id, timestamp, sign(KEY, "msg_1", NOW, BODY) if signature is None else signature)


def test_the_specifications_own_vector_is_signed_and_verified() -> None:
    assert sign(SPEC_SECRET, SPEC_ID, SPEC_TIME, SPEC_BODY) == SPEC_SIGNATURE
    spec_headers = SignedHeaders(SPEC_ID, str(SPEC_TIME), SPEC_SIGNATURE)
    assert verify([SPEC_SECRET], spec_headers, SPEC_BODY, SPEC_TIME) == Verified(SPEC_ID)


def test_without_a_secret_nobody_is_let_in() -> None:
    assert isinstance(verify((), headers(), BODY, NOW), Unverified)


@pytest.mark.parametrize("secrets", [(KEY, OTHER_KEY), (OTHER_KEY, KEY), (KEY,)])
def test_any_of_several_secrets_may_match(secrets: tuple[bytes, ...]) -> None:
    assert verify(secrets, headers(), BODY, NOW) == Verified("msg_1")


def test_any_of_several_signatures_may_match() -> None:
    other = sign(OTHER_KEY, "msg_1", NOW, BODY)
    ours = sign(KEY, "msg_1", NOW, BODY)
    for both in (f"{other} {ours}", f"{ours} {other}", f"v1a,xxxx {other} {ours}"):
        assert verify((KEY,), headers(both), BODY, NOW) == Verified("msg_1")


def test_a_retired_secret_no_longer_matches() -> None:
    assert isinstance(verify((OTHER_KEY,), headers(), BODY, NOW), Unverified)


@pytest.mark.parametrize("drift", [-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS])
def test_a_timestamp_within_the_tolerance_passes(drift: int) -> None:
    assert verify((KEY,), headers(), BODY, NOW + drift) == Verified("msg_1")


@pytest.mark.parametrize("drift", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1, NOW])
def test_a_timestamp_beyond_the_tolerance_is_refused_either_way(drift: int) -> None:
    assert isinstance(verify((KEY,), headers(), BODY, NOW + drift), Unverified)


@pytest.mark.parametrize(
    "hostile",
    [
        headers(webhook_id=None),
        headers(timestamp=None),
        SignedHeaders("msg_1", str(NOW), None),
        headers(webhook_id=""),
        headers(webhook_id="msg.1"),
        headers(webhook_id="msg 1"),
        headers(webhook_id="msg_\u00e9"),
        headers(webhook_id="msg_1\n"),
        headers(webhook_id="m" * (MAX_ID_CHARACTERS + 1)),
        headers(timestamp=""),
        headers(timestamp="now"),
        headers(timestamp="-1"),
        headers(timestamp=f"{NOW}.0"),
        headers(timestamp="1" * 5000),
        headers(timestamp="\u0661\u0662\u0663"),
        headers(signature=""),
        headers(signature=" "),
        headers(signature="v1"),
        headers(signature="v1,"),
        headers(signature="v1,\u00e9\udce9\ud800"),
        headers(signature=SPEC_SIGNATURE),
        headers(signature=sign(KEY, "msg_1", NOW, BODY)[:-2]),
        headers(signature=sign(KEY, "msg_1", NOW, BODY).replace("v1,", "v2,")),
        headers(signature=sign(KEY, "msg_1", NOW, BODY).replace(" ", "")[3:]),
    ],
)
def test_hostile_headers_are_unverified_and_never_an_error(hostile: SignedHeaders) -> None:
    assert isinstance(verify((KEY,), hostile, BODY, NOW), Unverified)


def test_a_crowd_of_signatures_is_refused_even_with_a_genuine_one_among_them() -> None:
    genuine = sign(KEY, "msg_1", NOW, BODY)
    few = " ".join(["v1,AAAA"] * (MAX_SIGNATURES - 1) + [genuine])
    many = " ".join([genuine] + ["v1,AAAA"] * 9_999)
    assert verify((KEY,), headers(few), BODY, NOW) == Verified("msg_1")
    assert isinstance(verify((KEY,), headers(many), BODY, NOW), Unverified)


@given(
    st.text(max_size=40) | st.none(), st.text(max_size=20) | st.none(), st.text(max_size=200) | st.none(), st.binary()
)
def test_whatever_is_sent_verifying_never_raises(
    webhook_id: str | None, timestamp: str | None, signature: str | None, body: bytes
) -> None:
    verdict = verify((KEY,), SignedHeaders(webhook_id, timestamp, signature), body, NOW)
    assert isinstance(verdict, Unverified)


ids = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="."), min_size=1, max_size=64)


@given(st.binary(min_size=24, max_size=64), ids, st.text(max_size=300))
def test_the_reference_library_accepts_what_we_sign(secret: bytes, webhook_id: str, body: str) -> None:
    now = int(time.time())
    sent = body.encode(errors="ignore")
    library = Webhook("whsec_" + base64.b64encode(secret).decode())
    library.verify(
        sent,
        {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(now),
            "webhook-signature": sign(secret, webhook_id, now, sent),
        },
        json_parse=False,
    )


@given(st.binary(min_size=24, max_size=64), ids, st.text(max_size=300), st.booleans(), st.booleans())
def test_we_agree_with_the_reference_library(
    secret: bytes, webhook_id: str, body: str, right_key: bool, right_body: bool
) -> None:
    now = int(time.time())
    sent = body.encode(errors="ignore")
    signed_by = secret if right_key else bytes(reversed(secret)) + b"!"
    signature = sign(signed_by[:64], webhook_id, now, sent if right_body else sent + b" ")
    library = Webhook("whsec_" + base64.b64encode(secret).decode())
    try:
        library.verify(
            sent,
            {"webhook-id": webhook_id, "webhook-timestamp": str(now), "webhook-signature": signature},
            json_parse=False,
        )
        expected = True
    except WebhookVerificationError:
        expected = False
    verdict = verify((secret,), SignedHeaders(webhook_id, str(now), signature), sent, now)
    assert isinstance(verdict, Verified) is expected
