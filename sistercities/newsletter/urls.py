from django.urls import path

from sistercities.newsletter import views

app_name = "newsletter"
urlpatterns = [
    path("newsletter/", views.newsletter, name="newsletter"),
    path("newsletter/thanks/", views.thanks, name="thanks"),
    path("newsletter/challenge/", views.challenge, name="challenge"),
    path("newsletter/confirm/<str:token>/", views.confirm, name="confirm"),
    path("newsletter/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
