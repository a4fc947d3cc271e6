from django.urls import path

from donations import views
from donations.views import plan as plan_views
from donations.views import tickets as ticket_views
from donations.views import trip_fee as trip_fee_views

app_name = "donations"
# Each first part below /donate/ is refused as the address of a campaign (`Campaign.clean`).
urlpatterns = [
    path("donate/", views.give, name="give"),
    path("donate/thanks/<slug:token>/", views.thanks, name="thanks"),
    path("donate/thanks/<slug:token>/name/", views.take_name_off, name="take_name_off"),
    path("donate/thanks/<slug:token>/receipt.pdf", views.receipt_pdf, name="receipt_pdf"),
    path("donate/receipts/<slug:token>/", views.receipt, name="receipt"),
    path("donate/my-gifts/", views.my_gifts, name="my_gifts"),
    path("donate/my-gifts/sent/", views.link_sent, name="link_sent"),
    path("donate/my-gifts/leave/", views.leave_my_gifts, name="leave_my_gifts"),
    path("donate/my-gifts/address/", views.change_address, name="change_address"),
    path("donate/my-gifts/statement.pdf", views.my_statement, name="my_statement"),
    path("donate/my-gifts/open/<slug:token>/", views.open_my_gifts, name="open_my_gifts"),
    path("donate/my-gifts/gifts/<slug:token>/", views.change_gift, name="change_gift"),
    path("donate/tickets/<slug:slug>/", ticket_views.tickets, name="tickets"),
    path("donate/recurring/<slug:token>/", plan_views.plan, name="plan"),
    path("donate/recurring/<slug:token>/change/", plan_views.change, name="plan_change"),
    path("donate/recurring/<slug:token>/card/", plan_views.card, name="plan_card"),
    path("donate/recurring/<slug:token>/stop/", plan_views.stop, name="plan_stop"),
    path("donate/trip-fees/<slug:token>/", trip_fee_views.trip_fee, name="trip_fee"),
    path("donate/trip-fees/<slug:token>/pay/", trip_fee_views.pay, name="trip_fee_pay"),
    path("donate/<slug:slug>/", views.campaign, name="campaign"),
    path("webhooks/stripe/", views.stripe_webhook, name="stripe_webhook"),
]
