def form_expired(request, reason=""):
    pass
