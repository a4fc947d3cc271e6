from django.urls import path

from sistercities.comments import views

app_name = "comments"
urlpatterns = [
    path("cities/<slug:slug>/", views.replies, {"kind": "city"}, name="city"),
    path("visits/<slug:slug>/", views.replies, {"kind": "visit"}, name="visit"),
    path("news/<slug:slug>/", views.replies, {"kind": "article"}, name="article"),
    path("report/<int:pk>/", views.report, name="report"),
]
