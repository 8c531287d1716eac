"""Keys in a key service, behind a program of the operator's (docs/formats/signers.md).

One process for each request: a line of JSON in, a line of JSON out.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from security import strictjson
from security.errors import BadKey, Refused, Unavailable
from security.identity import PublicKey
from security.seal.header import KEY_SIZE, Stanza, argument
from security.sign import keys

LIMIT = 65_536  # bytes of an answer
WAIT = 60.0  # seconds for one answer
GRACE = 1.0  # seconds to end after the answer
TRIES = 256  # stanzas one identity has looked at: a hostile header costs no more than these
HINT = "run the program by hand with a request of docs/formats/signers.md"


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: an absolute path and arguments, no shell. Secrets have no place in it.

    It inherits the environment and the error output, runs in `/`, without a terminal.
    """

    command: tuple[str, ...]
    wait: float = WAIT

    def ask(self, request: dict[str, object], answer: str) -> str | None:
        """Send a request and give the named field of the answer. Raises Unavailable."""
        reply = self._reply(json.dumps(request).encode("ascii") + b"\n")
        try:
            fields = strictjson.loads(reply, limit=LIMIT, depth=1)
        except strictjson.StrictJSONError as error:
            raise self._bad(f"answered no JSON ({error})") from None
        if not isinstance(fields, dict):
            raise self._bad("answered no JSON object")
        if isinstance(why := fields.get("error"), str):
            why = "".join(c if c.isprintable() else "?" for c in why[:200])
            raise self._bad(f"refused: {why}")
        value = fields.get(answer)
        if set(fields) != {answer} or not isinstance(value, str | None):
            raise self._bad(f"answered something other than {answer!r}")
        return value

    @property
    def name(self) -> str:
        """The program, as messages name it: its arguments are nobody's business."""
        return self.command[0] if self.command else "no program"

    def _reply(self, request: bytes) -> bytes:
        if not self.command or not Path(self.name).is_absolute():
            raise Unavailable(f"{self.name} is no absolute path", "give the program's whole path")
        with tempfile.TemporaryFile() as given:
            given.write(request)  # a pipe could fill while nobody reads it
            given.seek(0)
            try:
                process = subprocess.Popen(
                    self.command,
                    stdin=given,
                    stdout=subprocess.PIPE,
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                why = error.strerror or str(error)
                raise Unavailable(f"{self.name} cannot be run ({why})", HINT) from None
        assert process.stdout
        with process.stdout as out:
            try:
                reply = self._read(out)
            finally:
                status = _stop(process)
        if status:
            raise self._bad(f"ended with status {status}")
        return reply

    def _read(self, out: IO[bytes]) -> bytes:
        """Read to the end of the output, within its bounds of time and size."""
        until, reply = time.monotonic() + self.wait, b""
        with selectors.DefaultSelector() as ready:
            ready.register(out, selectors.EVENT_READ)
            while len(reply) <= LIMIT:
                left = until - time.monotonic()
                if left <= 0 or not ready.select(left):
                    raise self._bad(f"did not answer within {self.wait:g} s")
                part = os.read(out.fileno(), LIMIT + 1)
                if not part:
                    return reply
                reply += part
        raise self._bad(f"answered more than {LIMIT:,} bytes")

    def _bad(self, what: str) -> Unavailable:
        return Unavailable(f"{self.name} {what}", HINT)


class ProgramSigner:
    """A key that a program signs with. Raises Unavailable, BadKey."""

    __slots__ = ("_program", "_public")

    def __init__(self, program: Program) -> None:
        pem = program.ask({"do": "public"}, "public")
        if pem is None:
            raise BadKey(f"{program.name} has no public key", HINT)
        self._program, self._public = program, keys.read_public(pem.encode())

    @property
    def public(self) -> PublicKey:
        """The key that verifies what `sign` returns."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Have `data` signed, and check the signature before it is given away."""
        text = base64.b64encode(data).decode("ascii")
        request: dict[str, object] = {"do": "sign", "kind": self._public.kind, "data": text}
        signature = _bytes(self._program, self._program.ask(request, "signature"))
        if signature is None or not keys.check(self._public, signature, data):
            raise BadKey(f"{self._program.name} signed with another key than its public one", HINT)
        return signature


class ProgramIdentity:
    """An identity that a program holds: it sees the wrapped keys, never the file."""

    __slots__ = ("_program", "_tries", "_types")

    def __init__(self, program: Program, types: tuple[str, ...] = ("X25519", "mlkem768x25519")):
        self._program, self._types, self._tries = program, types, 0

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """Have a stanza opened. Raises Unavailable, BadKey, Refused after many stanzas."""
        if stanza.type not in self._types:
            return None
        self._tries += 1
        if self._tries > TRIES:
            raise Refused(
                f"{self._program.name} was asked about more than {TRIES} recipients",
                "open the file with a key file, or have it sealed to fewer recipients",
            )
        request: dict[str, object] = {
            "do": "unwrap",
            "type": stanza.type,
            "args": list(stanza.args),
            "body": argument(stanza.body),
        }
        file_key = _bytes(self._program, self._program.ask(request, "file_key"))
        if file_key is not None and len(file_key) != KEY_SIZE:
            raise BadKey(f"{self._program.name} gave a file key of {len(file_key)} bytes", HINT)
        return file_key


def _bytes(program: Program, text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Unavailable(f"{program.name} answered no base64", HINT) from None


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Let a program that has answered end, and end one that has not, with all it started."""
    until = time.monotonic() + GRACE
    options = os.WEXITED | os.WNOWAIT | os.WNOHANG
    while not os.waitid(os.P_PID, process.pid, options) and time.monotonic() < until:
        time.sleep(0.005)
    # Not reaped yet, so that its number is still its own and nobody else is hit.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
