from django.urls import path

from exchanges import views

app_name = "exchanges"
urlpatterns = [
    path("visits/", views.visit_list, name="visits"),
    path("visits/<slug:slug>/", views.visit_detail, name="visit"),
    path("galleries/", views.gallery_list, name="galleries"),
    path("galleries/<slug:slug>/", views.gallery_detail, name="gallery"),
    path("events/", views.event_list, name="events"),
    path("events/calendar.ics", views.calendar, name="calendar"),
    path("events/<slug:slug>.ics", views.event_ics, name="event_ics"),
    path("events/<slug:slug>/", views.event_detail, name="event"),
    path("cities/<slug:slug>/calendar.ics", views.city_calendar, name="city_calendar"),
]
