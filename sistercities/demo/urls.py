from django.urls import path

from sistercities.demo.mailbox import mailbox

app_name = "demo"
urlpatterns = [path("", mailbox, name="mailbox")]
