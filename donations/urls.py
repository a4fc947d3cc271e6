from django.urls import path

from donations import plan_views, views

app_name = "donations"
urlpatterns = [
    path("donate/", views.give, name="give"),
    path("donate/thanks/<slug:token>/", views.thanks, name="thanks"),
    path("donate/recurring/<slug:token>/", plan_views.plan, name="plan"),
    path("donate/recurring/<slug:token>/change/", plan_views.change, name="plan_change"),
    path("donate/recurring/<slug:token>/card/", plan_views.card, name="plan_card"),
    path("donate/recurring/<slug:token>/stop/", plan_views.stop, name="plan_stop"),
    path("donate/<slug:slug>/", views.campaign, name="campaign"),
    path("webhooks/stripe/", views.stripe_webhook, name="stripe_webhook"),
]
