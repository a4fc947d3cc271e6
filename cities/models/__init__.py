from cities.models.city import City
from cities.models.fact import Fact, Measure
from cities.models.parts import DistrictLink, Honour, Partner, Person, Section
from cities.models.place import Place
from cities.models.source import Source

__all__ = [
    "City",
    "DistrictLink",
    "Fact",
    "Honour",
    "Measure",
    "Partner",
    "Person",
    "Place",
    "Section",
    "Source",
]
