from django.urls import path

from cities import views

app_name = "cities"
urlpatterns = [
    path("", views.CityList.as_view(), name="list"),
    path("accents.css", views.accents, name="accents"),
    path("<slug:slug>/", views.city_detail, name="detail"),
]
