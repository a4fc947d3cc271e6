from exchanges.models.event import Event
from exchanges.models.gallery import Gallery, Photo
from exchanges.models.visit import Day, Host, Participant, Stop, Visit

__all__ = ["Day", "Event", "Gallery", "Host", "Participant", "Photo", "Stop", "Visit"]
