"""Whether a failed request may have been taken: told from real sockets."""

import contextlib
import datetime
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from raspisms.adapters.base import AmbiguousError, TemporaryError
from raspisms.adapters.http import ANSWER_BYTES, HTTPClient

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def serve():
    """A server that reads one request and then does `act(connection)`."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(act, context=None):
        def run():
            connection, _ = listener.accept()
            with connection:
                # For TLS, a copy of the socket stays plain underneath.
                plain = connection.dup()
                with plain, context.wrap_socket(connection, server_side=True) if context else connection as secured:
                    secured.recv(65536)
                    act(secured, plain)

        threads.append(threading.Thread(target=lambda: swallow(run), daemon=True))
        threads[-1].start()
        return listener.getsockname()[1]

    yield serve
    listener.close()
    for thread in threads:
        thread.join(5)


def swallow(run):
    with contextlib.suppress(OSError):  # the client hung up, as some of these tests want
        run()


def ask(port, scheme="http", verify=True):
    client = HTTPClient(f"{scheme}://localhost:{port}", {}, "test")
    client.session.verify = verify
    client.session.trust_env = False  # this machine's own certificates do not matter here
    with client.session:
        return client.request("POST", "/", read_seconds=1, body={"text": "x"})


def test_an_answer_in_pieces_is_read_whole(serve):
    pieces = [b'{"sms_ticket":"', b'sms_1"', b"}"]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    port = serve(lambda s, _: s.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body))
    assert ask(port).json == {"sms_ticket": "sms_1"}


def test_an_endless_answer_is_cut(serve):
    huge = b"a" * (ANSWER_BYTES * 3)
    port = serve(lambda s, _: s.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(huge) + huge))
    assert len(ask(port).text) == ANSWER_BYTES


@pytest.mark.parametrize("reply", [b"", b"nonsense\r\n\r\n", HEAD + b"Content-Length: 99\r\n\r\n{"])
def test_a_connection_cut_after_the_request_proves_nothing(serve, reply):
    with pytest.raises(AmbiguousError):
        ask(serve(lambda s, _: s.sendall(reply)))


def test_a_silent_server_proves_nothing(serve):
    done = threading.Event()
    with pytest.raises(AmbiguousError):
        ask(serve(lambda *_: done.wait(3)))
    done.set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid"])
def test_what_was_never_connected_never_left(url):
    with pytest.raises(TemporaryError):
        HTTPClient(url, {}, "test").request("POST", "/", read_seconds=1, body={})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return str(path)


@pytest.fixture
def context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_stops_the_request(serve, context):
    with pytest.raises(TemporaryError):
        ask(serve(lambda *_: None, context), "https")


def test_tls_trouble_after_the_request_proves_nothing(serve, context, certificate):
    port = serve(lambda _, raw: raw.sendall(b"not TLS at all, but long enough to be read as a record"), context)
    with pytest.raises(AmbiguousError):
        ask(port, "https", verify=certificate)


def test_a_redirect_is_not_followed(serve):
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    assert ask(serve(lambda s, _: s.sendall(moved))).status == 302


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (b"Retry-After: 7", 7.0),
        (b"Retry-After: 99999", 3600.0),
        (b"Retry-After: soon", None),
        (b"Date: Mon, 23 Nov 2026 15:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 15:00:30 GMT", 30.0),
        (b"X: y", None),
    ],
)
def test_retry_after_is_read_in_both_forms(serve, header, seconds):
    busy = b"HTTP/1.1 429 Busy\r\n" + header + b"\r\nContent-Length: 0\r\n\r\n"
    assert ask(serve(lambda s, _: s.sendall(busy))).retry_after == seconds
