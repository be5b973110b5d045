"""A simulated WeCom (企业微信): tokens, 微信客服, media, callbacks, directory and customer contact, after the platform page.

What the platform page marks as unverified is decided in one place each: error codes in ``errors.py``, numbers in
``settings.py``.
"""
