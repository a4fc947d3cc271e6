from django.urls import path

from cities import views

app_name = "cities"
urlpatterns = [
    path("", views.city_list, name="list"),
    path("accents.css", views.accents, name="accents"),
    path("map-<int:km>.svg", views.map_drawing, name="map"),
    path("<slug:slug>/", views.city_detail, name="detail"),
]
