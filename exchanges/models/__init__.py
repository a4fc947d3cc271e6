from exchanges.models.batch import Batch, Upload
from exchanges.models.camera import CameraClock
from exchanges.models.consent import GuardianConsent
from exchanges.models.event import Event
from exchanges.models.gallery import Gallery, Photo
from exchanges.models.sharing import GalleryArchive, GalleryLink
from exchanges.models.visit import Day, Host, Participant, Stop, Visit

__all__ = [
    "Batch", "CameraClock", "Day", "Event", "Gallery", "GalleryArchive", "GalleryLink",
    "GuardianConsent", "Host", "Participant", "Photo", "Stop", "Upload", "Visit",
]  # fmt: skip
