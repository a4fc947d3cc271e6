"""A small IMAP server of this process, with one mailbox; it speaks what `imaplib` asks."""

import re
import socketserver
import threading


class ImapServer(socketserver.ThreadingTCPServer):
    """`messages` are raw mails, `seen` the numbers of those marked as read, from 1."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.messages: list[bytes] = []
        self.seen: set[int] = set()
        self.logins: list[str] = []
        self.hangs_up_at = ""  # the command at which it breaks off
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"imap://reader:se%40cret@127.0.0.1:{self.server_address[1]}/Bounces"


class Conversation(socketserver.StreamRequestHandler):
    server: ImapServer

    def handle(self) -> None:
        self.say("* OK ready")
        for line in self.rfile:
            tag, _, command = line.decode().strip().partition(" ")
            if self.server.hangs_up_at and self.server.hangs_up_at in command:
                return
            word = command.split()[0].upper()
            if word == "CAPABILITY":
                self.say("* CAPABILITY IMAP4rev1")
            elif word == "LOGIN":
                self.server.logins.append(command)
                if "se@cret" not in command:
                    self.say(f"{tag} NO wrong password")
                    continue
            elif word == "SELECT":
                self.say(f"* {len(self.server.messages)} EXISTS")
            elif "SEARCH UNSEEN" in command:
                numbers = range(1, len(self.server.messages) + 1)
                unseen = [str(n) for n in numbers if n not in self.server.seen]
                self.say(f"* SEARCH {' '.join(unseen)}".strip())
            elif found := re.match(r"UID FETCH (\d+)", command):
                raw = self.server.messages[int(found[1]) - 1]
                self.say(f"* {found[1]} FETCH (UID {found[1]} BODY[]<0> {{{len(raw)}}}")
                self.wfile.write(raw)
                self.say(")")
            elif found := re.match(r"UID STORE (\d+) \+FLAGS \(\\Seen\)", command):
                self.server.seen.add(int(found[1]))
            elif word == "LOGOUT":
                self.say("* BYE")
            self.say(f"{tag} OK done")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
