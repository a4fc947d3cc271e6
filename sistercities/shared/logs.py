"""Log lines that cannot be forged and that hold no addresses of people."""

import logging
import re

MAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
SECRET = re.compile(r"\b(?:sk|rk|whsec)_\w+")
LONG_TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_-]{24,}(?=/|\s|$)")


class OneLineFormatter(logging.Formatter):
    """`time level logger message`, with line breaks shown as \\n and people left out."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        if not record.exc_info:
            line = line.replace("\r", "\\r").replace("\n", "\\n")
        line = MAIL_ADDRESS.sub("[mail address]", line)
        line = SECRET.sub("[secret]", line)
        return LONG_TOKEN.sub("[token]", line)
