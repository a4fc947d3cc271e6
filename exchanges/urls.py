from django.urls import path

from exchanges import views
from exchanges.feeds import GalleryFeed

app_name = "exchanges"
urlpatterns = [
    path("visits/", views.visit_list, name="visits"),
    path("visits/<slug:slug>/", views.visit_detail, name="visit"),
    path("galleries/", views.gallery_list, name="galleries"),
    path("galleries/<slug:slug>/", views.gallery_detail, name="gallery"),
    path("galleries/<slug:slug>/feed/", GalleryFeed(), name="gallery_feed"),
    path("galleries/<slug:slug>/<int:pk>/", views.photo_detail, name="photo"),
    path("galleries/<slug:slug>/photos.zip", views.gallery_zip, name="gallery_zip"),
    path("galleries/shared/<str:token>/", views.shared_gallery, name="shared_gallery"),
    path("galleries/shared/<str:token>/<int:pk>/", views.shared_photo, name="shared_photo"),
    path("galleries/shared/<str:token>/photos.zip", views.shared_zip, name="shared_zip"),
    path(
        "galleries/shared/<str:token>/pictures/<int:pk><str:rest>",
        views.shared_picture,
        name="shared_picture",
    ),
    path("events/", views.event_list, name="events"),
    path("events/calendar.ics", views.calendar, name="calendar"),
    path("events/national-days.ics", views.national_calendar, name="national_calendar"),
    path("events/<slug:slug>.ics", views.event_ics, name="event_ics"),
    path("events/<slug:slug>/", views.event_detail, name="event"),
    path("cities/<slug:slug>/calendar.ics", views.city_calendar, name="city_calendar"),
]
