from django.urls import path

from donations import views

app_name = "donations"
urlpatterns = [
    path("donate/", views.give, name="give"),
    path("donate/thanks/<slug:token>/", views.thanks, name="thanks"),
    path("donate/<slug:slug>/", views.campaign, name="campaign"),
    path("webhooks/stripe/", views.stripe_webhook, name="stripe_webhook"),
]
