from django.urls import path

from sistercities.newsletter import archive, views
from sistercities.newsletter.archive import LetterFeed

app_name = "newsletter"
urlpatterns = [
    path("newsletter/", views.newsletter, name="newsletter"),
    path("newsletter/feed/", LetterFeed(), name="feed"),
    path("newsletter/issues/<slug:slug>/", archive.letter, name="issue"),
    path("newsletter/thanks/", views.thanks, name="thanks"),
    path("newsletter/challenge/", views.challenge, name="challenge"),
    path("newsletter/confirm/<str:token>/", views.confirm, name="confirm"),
    path("newsletter/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("newsletter/preferences/<str:token>/", views.preferences, name="preferences"),
    path("newsletter/go/<str:token>/", views.link, name="link"),
    path("webhooks/mail/<slug:provider>/", views.mail_events, name="mail_events"),
]
