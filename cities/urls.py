from django.urls import path

from cities import views

app_name = "cities"
urlpatterns = [
    path("", views.CityList.as_view(), name="list"),
    path("style.css", views.style_sheet, name="style"),
    path("<slug:slug>/", views.city_detail, name="detail"),
    path("<slug:slug>/figures/", views.city_figures, name="figures"),
    path("<slug:slug>/day/", views.city_day, name="day"),
]
