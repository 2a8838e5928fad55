"""WSGI entry points: `wsgi:app` for the LAN, `wsgi:callbacks` for the reverse proxy."""

from raspisms import create_app, create_callbacks_app

app = create_app()
callbacks = create_callbacks_app()
