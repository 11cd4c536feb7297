"""The envelope against wechat-contract.md §1.2 to §1.5."""

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import PrpCrypto, WeChatCrypto

from bot.clock import FrozenClock
from bot.emulator.wire import Wire
from bot.wechat.crypto import AesEnvelope, CallbackCrypto, CallbackKeys, Mode, sign
from bot.wechat.errors import (
    BadAesKey,
    BadCiphertext,
    BadSignature,
    CallbackRefused,
    ForeignAppId,
    MalformedMessage,
    MissingParameter,
    StaleRequest,
    WrongMode,
)
from bot.wechat.xml import read_fields
from tests.bot.wechat.samples import (
    AES_KEY,
    APP_ID,
    AT,
    ENCRYPT,
    MSG_SIGNATURE,
    NONCE,
    OPENID,
    PUSH,
    QUERY,
    SIGNATURE,
    TIMESTAMP,
    TOKEN,
    XML,
    account_keys,
    callback_keys,
)
from tests.settings import make_settings

ADDRESS_QUERY = {"signature": SIGNATURE, "timestamp": TIMESTAMP, "nonce": NONCE, "echostr": "5838479218127813673"}


def crypto(mode: Mode = Mode.SAFE, *, seconds_later: float = 0, app_id: str = APP_ID) -> CallbackCrypto:
    return CallbackCrypto(callback_keys(mode, app_id=app_id), FrozenClock(AT + timedelta(seconds=seconds_later)))


def pushed(mode: Mode, xml: str = XML) -> tuple[dict[str, str], bytes]:
    query, body = Wire(account_keys(mode)).push(xml, OPENID, TIMESTAMP, NONCE)
    return dict(query), body


class TestVector:
    """§1.4"""

    def test_signature_is_that_of_the_document(self) -> None:
        assert sign(TOKEN, TIMESTAMP, NONCE) == SIGNATURE

    def test_message_signature_is_that_of_the_document(self) -> None:
        assert sign(TOKEN, TIMESTAMP, NONCE, ENCRYPT) == MSG_SIGNATURE

    def test_encrypted_message_opens(self) -> None:
        assert AesEnvelope(AES_KEY, APP_ID).open(ENCRYPT) == XML.encode()

    def test_push_opens(self) -> None:
        assert crypto().open_envelope(QUERY, PUSH) == XML.encode()

    def test_wechatpy_reads_the_vector_alike(self) -> None:
        assert WeChatCrypto(TOKEN, AES_KEY, APP_ID).decrypt_message(PUSH, MSG_SIGNATURE, TIMESTAMP, NONCE) == XML


class TestAesEnvelope:
    @pytest.mark.parametrize("surplus", ["G", "E", "F", "H"])
    def test_surplus_bits_of_the_key_are_ignored(self, surplus: str) -> None:
        """§1.4 point 1: 43 characters carry two bits more than the key."""
        assert AesEnvelope(AES_KEY[:-1] + surplus, APP_ID).open(ENCRYPT) == XML.encode()

    @pytest.mark.parametrize("key", ["", AES_KEY[:-1], AES_KEY + "A", AES_KEY[:-1] + "=", AES_KEY[:-1] + "文"])
    def test_key_of_another_form_is_refused(self, key: str) -> None:
        with pytest.raises(BadAesKey):
            AesEnvelope(key, APP_ID)

    @pytest.mark.parametrize("length", range(33))
    def test_every_padding_length_goes_round_trip(self, length: int) -> None:
        """§1.4 point 2: blocks of 32, a whole one when already aligned."""
        envelope, message = AesEnvelope(AES_KEY, APP_ID), b"m" * length
        assert envelope.open(envelope.seal(message)) == message
        assert len(base64.b64decode(envelope.seal(message))) % 32 == 0

    def test_what_went_before_changes_nothing(self) -> None:
        """The ciphers last: neither other messages nor refused ones may be seen in what follows."""
        envelope, reader = AesEnvelope(AES_KEY, APP_ID), PrpCrypto(base64.b64decode(AES_KEY + "="))
        good = reader.encrypt("一", APP_ID).decode()
        part = base64.b64encode(base64.b64decode(good)[:-5]).decode()
        for number in range(5):
            with pytest.raises(BadCiphertext):
                envelope.open(part)
            with pytest.raises(BadCiphertext):
                envelope.open(base64.b64encode(bytes(48)).decode())
            assert envelope.open(good) == "一".encode()
            assert reader.decrypt(envelope.seal(b"m" * number), APP_ID) == "m" * number

    def test_same_message_is_sealed_differently_each_time(self) -> None:
        envelope = AesEnvelope(AES_KEY, APP_ID)
        assert envelope.seal(b"m") != envelope.seal(b"m")

    def test_message_for_another_app_id_is_refused(self) -> None:
        """§1.4 point 4"""
        with pytest.raises(ForeignAppId):
            AesEnvelope(AES_KEY, "wxffffffffffffffff").open(ENCRYPT)

    @pytest.mark.parametrize(
        "sealed",
        [
            "",
            "=",
            "A",
            "AAAA",
            "文",
            "Q3st YC6h",
            ENCRYPT[:-4],
            ENCRYPT[4:],
            ENCRYPT + "AAAA",
            ENCRYPT.replace("+", "-"),
        ],
    )
    def test_broken_ciphertext_is_refused_by_name(self, sealed: str) -> None:
        with pytest.raises(BadCiphertext):
            AesEnvelope(AES_KEY, APP_ID).open(sealed)

    def test_length_beyond_the_end_is_refused(self) -> None:
        cipher = PrpCrypto(base64.b64decode(AES_KEY + "=")).cipher
        plain = b"r" * 16 + (10**6).to_bytes(4, "big") + b"m" + APP_ID.encode()
        padding = 32 - len(plain) % 32
        sealed = base64.b64encode(cipher.encrypt(plain + bytes([padding]) * padding)).decode()
        with pytest.raises(BadCiphertext):
            AesEnvelope(AES_KEY, APP_ID).open(sealed)

    @given(st.binary(max_size=200))
    def test_whatever_was_encrypted_with_the_right_key_raises_named_errors_only(self, plain: bytes) -> None:
        cipher = PrpCrypto(base64.b64decode(AES_KEY + "=")).cipher
        sealed = base64.b64encode(cipher.encrypt(plain + bytes(-len(plain) % 16))).decode()
        with pytest.raises(CallbackRefused):
            AesEnvelope(AES_KEY, APP_ID).open(sealed)


class TestAddressVerification:
    """§1.2"""

    @pytest.mark.parametrize("mode", Mode)
    def test_echostr_comes_back_in_every_mode(self, mode: Mode) -> None:
        assert crypto(mode).verify_address(ADDRESS_QUERY) == "5838479218127813673"

    def test_wrong_signature_is_refused(self) -> None:
        with pytest.raises(BadSignature):
            crypto().verify_address(ADDRESS_QUERY | {"signature": SIGNATURE.replace("e", "f")})

    @pytest.mark.parametrize("name", list(ADDRESS_QUERY))
    def test_missing_parameter_is_refused(self, name: str) -> None:
        with pytest.raises(MissingParameter):
            crypto().verify_address({key: value for key, value in ADDRESS_QUERY.items() if key != name})

    @pytest.mark.parametrize("signature", ["文", "\udcff", SIGNATURE.upper(), SIGNATURE[:-1], SIGNATURE + "0"])
    def test_odd_signature_is_refused(self, signature: str) -> None:
        with pytest.raises(BadSignature):
            crypto().verify_address(ADDRESS_QUERY | {"signature": signature})


class TestFreshness:
    """§1.5: our own policy, five minutes back and one ahead"""

    @pytest.mark.parametrize("seconds_later", [-60, -59, 0, 299, 300])
    def test_inside_the_window_is_accepted(self, seconds_later: int) -> None:
        assert crypto(seconds_later=seconds_later).open_envelope(QUERY, PUSH)

    @pytest.mark.parametrize("seconds_later", [-61, 301, 10**6])
    def test_outside_the_window_is_refused(self, seconds_later: int) -> None:
        with pytest.raises(StaleRequest):
            crypto(seconds_later=seconds_later).open_envelope(QUERY, PUSH)

    def test_window_is_a_setting(self) -> None:
        clock = FrozenClock(AT + timedelta(hours=1))
        patient = CallbackCrypto(callback_keys(Mode.SAFE), clock, past=timedelta(hours=2))
        assert patient.open_envelope(QUERY, PUSH)

    @pytest.mark.parametrize("timestamp", ["soon", "-1", "1e9", "١٧٦٣٦٨٣٢٠٠", "9" * 30, " 1763683200"])
    def test_signed_timestamp_that_is_no_number_is_refused(self, timestamp: str) -> None:
        query = {"timestamp": timestamp, "nonce": NONCE, "signature": sign(TOKEN, timestamp, NONCE), "echostr": "1"}
        with pytest.raises(StaleRequest):
            crypto().verify_address(query)

    def test_signature_is_judged_before_freshness(self) -> None:
        with pytest.raises(BadSignature):
            crypto(seconds_later=10**6).verify_address(ADDRESS_QUERY | {"signature": "0" * 40})


class TestModes:
    """§1.3"""

    @pytest.mark.parametrize("mode", Mode)
    def test_push_in_the_configured_mode_opens(self, mode: Mode) -> None:
        assert crypto(mode).open_envelope(*pushed(mode)) == XML.encode()

    @pytest.mark.parametrize("configured", Mode)
    @pytest.mark.parametrize("sent", Mode)
    def test_push_in_another_mode_is_refused(self, configured: Mode, sent: Mode) -> None:
        if configured is sent:
            return
        with pytest.raises(WrongMode):
            crypto(configured).open_envelope(*pushed(sent))

    def test_compatible_mode_uses_the_encrypted_part(self) -> None:
        query, body = pushed(Mode.COMPATIBLE)
        forged = body.replace("你好".encode(), "转账".encode())
        assert crypto(Mode.COMPATIBLE).open_envelope(query, forged) == XML.encode()

    def test_compatible_mode_verifies_the_encrypted_part(self) -> None:
        query, body = pushed(Mode.COMPATIBLE)
        with pytest.raises(BadSignature):
            crypto(Mode.COMPATIBLE).open_envelope(query | {"msg_signature": "0" * 40}, body)

    def test_ciphertext_changed_on_the_way_is_refused(self) -> None:
        with pytest.raises(BadSignature):
            crypto().open_envelope(QUERY, PUSH.replace(b"Q3stYC6h", b"Q3stYC6i"))

    def test_encrypted_push_without_its_own_signature_is_refused(self) -> None:
        with pytest.raises(MissingParameter):
            crypto().open_envelope({key: value for key, value in QUERY.items() if key != "msg_signature"}, PUSH)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<xml></xml>",
            b"<xml><Encrypt></Encrypt></xml>",
            b"<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>",
        ],
    )
    def test_encrypted_push_without_one_encrypted_part_is_refused(self, body: bytes) -> None:
        with pytest.raises(MalformedMessage):
            crypto().open_envelope(QUERY, body)

    def test_encrypt_type_raw_is_plaintext(self) -> None:
        query, body = pushed(Mode.PLAIN)
        assert crypto(Mode.PLAIN).open_envelope(query | {"encrypt_type": "raw"}, body) == XML.encode()

    def test_only_encryption_authenticates_the_body(self) -> None:
        assert [crypto(mode).authenticates_body for mode in Mode] == [False, True, True]

    def test_encrypted_for_another_account_is_refused(self) -> None:
        with pytest.raises(ForeignAppId):
            crypto(app_id="wxffffffffffffffff").open_envelope(QUERY, PUSH)


class TestSealing:
    def test_wechatpy_opens_our_answer(self) -> None:
        """§1.4: reply envelope"""
        sealed = crypto(seconds_later=7).seal(XML.encode())
        fields = read_fields(sealed)
        assert fields["TimeStamp"] == str(int(TIMESTAMP) + 7)
        reader = WeChatCrypto(TOKEN, AES_KEY, APP_ID)
        assert reader.decrypt_message(sealed, fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"]) == XML

    def test_plaintext_mode_seals_nothing(self) -> None:
        assert crypto(Mode.PLAIN).seal(XML.encode()) == XML.encode()


def test_keys_do_not_show_in_representations() -> None:
    shown = repr(callback_keys(Mode.SAFE))
    assert TOKEN not in shown
    assert AES_KEY not in shown


@pytest.mark.parametrize("mode", Mode)
def test_keys_come_from_the_settings(mode: Mode) -> None:
    settings = make_settings(wechat={"app_id": APP_ID, "token": TOKEN, "encoding_aes_key": AES_KEY, "mode": mode.value})
    configured = CallbackCrypto(CallbackKeys.of(settings.wechat), FrozenClock(AT))
    assert configured.open_envelope(*pushed(mode)) == XML.encode()
