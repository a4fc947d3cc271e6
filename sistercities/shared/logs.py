"""Log lines that cannot be forged and that hold no addresses of people."""

import logging
import re
from types import TracebackType

# It begins only where a run of such signs begins, so a long run costs no more than its length.
MAIL_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*")
SECRET = re.compile(r"\b(?:sk|rk|whsec)_[\w/+=-]+")
LONG_TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_-]{24,}(?![\w.-])")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _visible(text: str) -> str:
    r"""Line breaks and whatever else steers a terminal, as `\n`, `\x1b`."""
    return CONTROL.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


class OneLineFormatter(logging.Formatter):
    """`time level logger message` on one line, people left out.

    A traceback follows on lines of its own, each set in, so none can pass for another entry.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return _visible(super().formatMessage(record))

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:  # fmt: skip
        return self.formatStack(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return "\n".join(f"  {_visible(line)}" for line in stack_info.split("\n"))

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's form of the traceback is not ours
        line = super().format(record)
        record.exc_text = None
        line = MAIL_ADDRESS.sub("[mail address]", line)
        line = SECRET.sub("[secret]", line)
        return LONG_TOKEN.sub("[token]", line)
