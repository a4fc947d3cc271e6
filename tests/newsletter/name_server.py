"""A name server of this process: answers from a table of names, over UDP on 127.0.0.1."""

import socketserver
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset


class NameServer(socketserver.ThreadingUDPServer):
    """`table` is {(name, "TXT"): [texts]}; a name that is not in it does not exist."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Question)
        self.table: dict[tuple[str, str], list[str]] = {}
        self.is_silent = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.server_address[1]
        return resolver


class Question(socketserver.BaseRequestHandler):
    server: NameServer

    def handle(self) -> None:
        data, line = self.request
        if self.server.is_silent:
            return
        question = dns.message.from_wire(data)
        asked = question.question[0]
        name, kind = str(asked.name).rstrip(".").lower(), dns.rdatatype.to_text(asked.rdtype)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA
        if found := self.server.table.get((name, kind)):
            values = [f'"{text}"' if kind == "TXT" else text for text in found]
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *values))
        elif not any(known == name for known, _kind in self.server.table):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        line.sendto(answer.to_wire(), self.client_address)
