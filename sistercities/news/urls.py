from django.urls import path

from sistercities.news import views
from sistercities.news.atom import NewsFeed

app_name = "news"
urlpatterns = [
    path("", views.article_list, name="list"),
    path("feed/", NewsFeed(), name="feed"),
    path("<slug:slug>/", views.article_detail, name="detail"),
]
