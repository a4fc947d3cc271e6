"""Reading one address of somebody else's, within bounds of time, size and place.

Staff type these addresses, so a slip or a stolen account must not turn the server into a way
into its own network: every address that a name stands for is checked, and the connection goes
to exactly the address that was checked, also after each redirect.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

SECONDS = 10
MAX_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 4
MAX_ADDRESSES = 4
CHUNK = 65536
PORTS = {"http": 80, "https": 443}
ACCEPTED = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"


class Unreachable(Exception):
    """The address could not be read; the message is a sentence for staff."""


class Deadline:
    """A moment by which all of it is over, however slowly the other side drips its bytes."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return self.until - time.monotonic()

    def closing(self, sock: socket.socket) -> threading.Timer:
        """A timer, to be started and cancelled, that cuts `sock` off at the moment."""
        timer = threading.Timer(max(0.0, self.left), _cut_off, [sock])
        timer.daemon = True
        return timer


def fetch(url: str) -> tuple[bytes, str]:
    """The body at `url` and the address that it came from in the end.

    Raises `Unreachable` for anything but a 200 within 10 seconds and 2 MB (unpacked). Addresses
    that are not public are refused unless `DEBUG` is on. Looking up the name is not counted.
    """
    deadline = Deadline(SECONDS)
    for _step in range(MAX_REDIRECTS + 1):
        answer = _get(url, deadline)
        if isinstance(answer, bytes):
            return answer, url
        try:
            url = urljoin(url, answer)
        except ValueError:
            raise Unreachable(_("The address leads on to something that is none.")) from None
    raise Unreachable(_("The address leads on and on to other addresses."))


def _get(url: str, deadline: Deadline) -> bytes | str:
    """The body, or the address that it redirects to."""
    parts, host, port = _split(url)
    addresses = _look_up(host, port)
    connection = http.client.HTTPConnection(host, port)
    connection.default_port = PORTS[parts.scheme]
    try:
        connection.sock = _connect(addresses, port, deadline)
        if parts.scheme == "https":
            # Shaking hands is put off until the timer below runs.
            connection.sock = ssl.create_default_context().wrap_socket(
                connection.sock, server_hostname=host, do_handshake_on_connect=False
            )
        timer = deadline.closing(connection.sock)
        timer.start()
        try:
            answer = _ask(connection, parts)
        finally:
            timer.cancel()
        if deadline.left <= 0:  # cut off, which looks like the other side's own end
            raise TimeoutError
        return answer
    except ssl.SSLError:
        raise Unreachable(_("The secure connection failed.")) from None
    except (OSError, http.client.HTTPException, ValueError, zlib.error):
        if deadline.left <= 0:
            raise Unreachable(_("No complete answer within %d seconds.") % SECONDS) from None
        raise Unreachable(_("The server did not answer, or broke off.")) from None
    finally:
        connection.close()


def _split(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, KeyError):
        host = ""
    if not host:
        raise Unreachable(_("This is not an address that begins with http or https."))
    return parts, host, port


def _look_up(host: str, port: int) -> list[str]:
    """The IP addresses of a name; none of them may be private."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(_("There is no server of that name.")) from None
    addresses = [str(entry[4][0]) for entry in found]
    if not settings.DEBUG and not all(is_public(address) for address in addresses):
        raise Unreachable(_("This address belongs to a private network. It is not read."))
    return addresses[:MAX_ADDRESSES]


def is_public(address: str) -> bool:
    """Whether an IP address is of the open internet, whatever other address it wraps."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in ipaddress.ip_network("64:ff9b::/96"):  # an IPv4 address behind NAT64
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if inner:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _connect(addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
    """The first of `addresses` that answers; each has its share of the time that is left."""
    for place, address in enumerate(addresses):
        try:
            share = deadline.left / (len(addresses) - place)
            sock = socket.create_connection((address, port), timeout=max(0.01, share))
        except OSError:
            continue
        sock.settimeout(max(0.01, deadline.left))
        return sock
    raise OSError("no address answered")


def _ask(connection: http.client.HTTPConnection, parts: SplitResult) -> bytes | str:
    if isinstance(connection.sock, ssl.SSLSocket):
        connection.sock.do_handshake()
    headers = {
        "User-Agent": f"sistercities (+{settings.SITE_URL})",
        "Accept": ACCEPTED,
        "Accept-Encoding": "gzip, identity",
        "Connection": "close",
    }
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    connection.request("GET", _quoted(path), headers=headers)
    with connection.getresponse() as response:
        location = response.getheader("Location")
        if response.status in {301, 302, 303, 307, 308} and location:
            return location
        if response.status != 200:
            raise Unreachable(_("The server answered %d.") % response.status)
        body = _body(response)
        if response.length:  # what it promised and did not send
            raise http.client.IncompleteRead(body, response.length)
        return body


def _body(response: http.client.HTTPResponse) -> bytes:
    is_packed = (response.getheader("Content-Encoding") or "").lower() in {"gzip", "x-gzip"}
    unpack = zlib.decompressobj(wbits=31) if is_packed else None
    body = bytearray()
    while chunk := response.read(CHUNK):
        body += unpack.decompress(chunk, MAX_BYTES + 1) if unpack else chunk
        if len(body) > MAX_BYTES:
            raise Unreachable(_("The answer is larger than 2 MB."))
    return bytes(body)


def _quoted(path: str) -> str:
    """The path in ASCII without blanks; what is escaped already stays so."""
    return "".join(
        sign if "!" <= sign <= "~" else "".join(f"%{byte:02X}" for byte in sign.encode())
        for sign in path
    )


def _cut_off(sock: socket.socket) -> None:
    """Ends both directions. Not `sock.shutdown`: a TLS socket would drop its state in mid-read."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return
