from django.urls import path

from sistercities.news import views
from sistercities.news.atom import NewsFeed
from sistercities.news.json_feed import json_feed

app_name = "news"
urlpatterns = [
    path("", views.article_list, name="list"),
    path("feed/", NewsFeed(), name="feed"),
    path("feed.json", json_feed, name="json_feed"),
    path("<slug:slug>/", views.article_detail, name="detail"),
]
