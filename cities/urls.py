from django.urls import path

from cities import views

app_name = "cities"
urlpatterns = [
    path("", views.city_list, name="list"),
    path("style.css", views.style_sheet, name="style"),
    path("map-<int:km>.svg", views.map_drawing, name="map"),
    path("<slug:slug>/", views.city_detail, name="detail"),
    path("<slug:slug>/figures/", views.city_figures, name="figures"),
    path("<slug:slug>/day/", views.city_day, name="day"),
]
