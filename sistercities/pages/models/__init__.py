from sistercities.pages.models.board import BoardMember
from sistercities.pages.models.message import Message
from sistercities.pages.models.page import MORE_THAN_TEXT, TAKEN, Document, Page

__all__ = ["MORE_THAN_TEXT", "TAKEN", "BoardMember", "Document", "Message", "Page"]
